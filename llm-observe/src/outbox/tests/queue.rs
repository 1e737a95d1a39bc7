//! The queue over a manual clock.

use super::{
    super::{
        destination_queue::{Availability, DOWN_AFTER, QueueLimits, backoff},
        queue::{NextDelivery, PendingParcel, Queue},
    },
    *,
};

pub(super) fn limits() -> QueueLimits {
    QueueLimits {
        max_bytes: 10_000,
        max_age: Duration::from_secs(24 * 3600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(300),
    }
}

pub(super) const SECOND: u64 = 1_000_000;

fn entry(created: u64, key: &str, name: &'static str) -> PendingParcel<&'static str> {
    let mut parcel = parcel("a", "").key(key);
    parcel.created = created;
    PendingParcel::new(&parcel, 10, name)
}

#[test]
fn after_an_hour_without_network_the_newest_alerts_arrive_first_each_in_order() {
    let mut queue = Queue::new(limits());
    queue.push(entry(SECOND, "old", "old fires"));
    queue.push(entry(2 * SECOND, "", "a report"));
    queue.push(entry(3 * SECOND, "new", "new fires"));
    queue.push(entry(1800 * SECOND, "old", "old resolves"));
    queue.push(entry(3500 * SECOND, "newest", "newest fires"));
    let mut now = SECOND;
    let mut tries = 0;
    while now < 3600 * SECOND {
        match queue.next("a", now) {
            NextDelivery::Deliver(id) => {
                tries += 1;
                queue.settle(id, &Delivery::retry("no network"), now);
            }
            NextDelivery::Wait(until) => now = until,
            NextDelivery::Idle => unreachable!("there is work"),
        }
    }
    assert!((12..60).contains(&tries), "{tries} tries in an hour");
    now += 300 * SECOND;
    let mut order = Vec::new();
    while let NextDelivery::Deliver(id) = queue.next("a", now) {
        order.push(
            queue
                .settle(id, &Delivery::Delivered, now)
                .0
                .unwrap()
                .stored,
        );
    }
    assert_eq!(
        order,
        [
            "newest fires",
            "old fires",
            "old resolves",
            "new fires",
            "a report"
        ]
    );
    assert_eq!((queue.pending("a"), queue.bytes()), (0, 0));
}

#[test]
fn after_an_hour_without_network_all_reports_arrive_oldest_first() {
    let mut queue = Queue::new(QueueLimits {
        max_bytes: 1_000_000,
        ..limits()
    });
    let (mut now, mut tries, mut made) = (SECOND, 0, 0);
    while now < 3600 * SECOND {
        // One a second, all the while.
        while made * SECOND < now {
            made += 1;
            queue.push(entry(made * SECOND, "", "a report"));
        }
        match queue.next("a", now) {
            NextDelivery::Deliver(id) => {
                tries += 1;
                queue.settle(id, &Delivery::retry("no network"), now);
            }
            NextDelivery::Wait(until) => now = until,
            NextDelivery::Idle => unreachable!("there is work"),
        }
    }
    assert!((12..60).contains(&tries), "{tries} tries in an hour");
    now += 300 * SECOND;
    let mut delivered = Vec::new();
    while let NextDelivery::Deliver(id) = queue.next("a", now) {
        let (done, _) = queue.settle(id, &Delivery::Delivered, now);
        delivered.push(done.unwrap().created);
    }
    assert_eq!(delivered.len() as u64, made);
    // Those that were tried in vain come after those that were not.
    let (fresh, tried) = delivered.split_at(delivered.len() - tries);
    assert!(fresh.is_sorted() && tried.len() == tries);
}

#[test]
fn a_limit_applies_to_its_category_only_and_the_longer_limit_applies() {
    let mut queue = Queue::new(limits());
    for category in ["error", "session"] {
        let parcel = parcel("a", "").category(category);
        queue.push(PendingParcel::new(&parcel, 10, category));
    }
    let limited = |seconds| Delivery::Retry {
        after: Some(Duration::from_secs(seconds)),
        reason: String::new(),
    };
    let NextDelivery::Deliver(first) = queue.next("a", 0) else {
        panic!()
    };
    assert_eq!(queue.get(first).unwrap().stored, "error");
    queue.settle(first, &limited(100), 0);
    let NextDelivery::Deliver(second) = queue.next("a", 0) else {
        panic!("the other category is free")
    };
    queue.settle(second, &Delivery::Delivered, 0);
    queue.skip_backoff();
    assert_eq!(
        queue.next("a", 1),
        NextDelivery::Wait(100 * SECOND),
        "what the server asked for is kept"
    );
    assert!(!queue.is_worth_waiting(99 * SECOND) && queue.is_worth_waiting(100 * SECOND));
}

#[test]
fn a_destination_goes_down_after_some_failures_and_up_with_an_answer() {
    let mut queue = Queue::new(limits());
    queue.push(entry(0, "", "x"));
    let mut now = 0;
    for n in 1..=DOWN_AFTER + 2 {
        now += 3600 * SECOND;
        let NextDelivery::Deliver(id) = queue.next("a", now) else {
            panic!()
        };
        let (_, turn) = queue.settle(id, &Delivery::retry("x"), now);
        assert_eq!(turn == Availability::Down, n == DOWN_AFTER);
    }
    let NextDelivery::Deliver(id) = queue.next("a", now + 3600 * SECOND) else {
        panic!()
    };
    assert_eq!(
        queue.settle(id, &Delivery::Delivered, now).1,
        Availability::Up
    );
}

#[test]
fn a_requested_wait_applies_whatever_parcels_in_flight_get() {
    let parcels = |queue: &mut Queue<&'static str>| {
        (0..3).for_each(|n| drop(queue.push(entry(n, "", "x"))));
        let mut start = || match queue.next("a", 0) {
            NextDelivery::Deliver(id) => id,
            other => panic!("{other:?}"),
        };
        [start(), start(), start()]
    };
    let asked = Delivery::Retry {
        after: Some(Duration::from_secs(3600)),
        reason: "429".into(),
    };
    for later in [
        Delivery::Delivered,
        Delivery::retry("cut off"),
        Delivery::Retry {
            after: Some(Duration::from_secs(60)),
            reason: "429".into(),
        },
    ] {
        let mut queue = Queue::new(limits());
        let [first, second, _] = parcels(&mut queue);
        queue.settle(first, &asked, 0);
        queue.settle(second, &later, 1);
        queue.push(entry(4, "", "x"));
        queue.skip_backoff();
        assert_eq!(
            queue.next("a", 2),
            NextDelivery::Wait(3600 * SECOND),
            "after {later:?}"
        );
    }
}

#[test]
fn a_destination_is_up_when_no_category_keeps_failing() {
    let mut queue = Queue::new(limits());
    let put = |queue: &mut Queue<&'static str>, category: &'static str| {
        queue.push(PendingParcel::new(
            &parcel("a", "").category(category),
            10,
            category,
        ));
    };
    put(&mut queue, "error");
    let mut now = 0;
    let mut settle = |queue: &mut Queue<&'static str>, how: &Delivery| {
        now += 3600 * SECOND;
        let NextDelivery::Deliver(id) = queue.next("a", now) else {
            panic!("nothing to deliver")
        };
        queue.settle(id, how, now).1
    };
    for _ in 1..DOWN_AFTER {
        assert_eq!(
            settle(&mut queue, &Delivery::retry("x")),
            Availability::Unchanged
        );
    }
    assert_eq!(
        settle(&mut queue, &Delivery::retry("x")),
        Availability::Down
    );
    put(&mut queue, "session");
    // The less often tried goes first: the other category, which works.
    assert_eq!(
        settle(&mut queue, &Delivery::Delivered),
        Availability::Unchanged
    );
    assert_eq!(settle(&mut queue, &Delivery::Delivered), Availability::Up);
}

proptest::proptest! {
    /// A fleet whose destination comes back does not come back as one.
    #[test]
    fn waits_double_up_to_a_limit_and_differ(failures in 1..200_u32) {
        let limits = limits();
        let full = Duration::from_secs(1 << (failures - 1).min(9)).min(limits.backoff_max);
        let waits: Vec<Duration> = (0..20).map(|_| backoff(failures, &limits)).collect();
        proptest::prop_assert!(waits.iter().all(|wait| *wait <= full && *wait >= full / 2));
        proptest::prop_assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
