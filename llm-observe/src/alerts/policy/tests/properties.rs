//! What holds whatever fails whenever.

use proptest::prelude::*;

use super::{restarts::restarted, *};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever fails whenever: each call is in exactly one incident, each incident fires once
    /// before anything else and resolves once after, and repeats keep their distance.
    #[test]
    fn messages_are_in_order_and_count_every_call(
        calls in prop::collection::vec((0..400_u64, 0..3_usize, 0..2_usize), 1..200),
    ) {
        let mut policy = with(AlertTiming { repeat: 10 * MINUTE, ..timing() }, 100_000);
        let mut now = START;
        let mut all: Vec<(u64, Notice)> = Vec::new();
        let mut ask = |policy: &mut IncidentPolicy, until: u64| {
            while let Some(at) = policy.wake().filter(|at| *at <= until) {
                all.extend(policy.due(at).into_iter().map(|(_, notice)| (at, notice)));
            }
        };
        for (seconds, event, class) in &calls {
            now += seconds * SECOND;
            ask(&mut policy, now);
            let class = [ErrorClass::Internal, ErrorClass::Timeout][*class];
            let event = ["a", "b", "c"][*event];
            policy.add(event, "f", &route(&["ops"]), &occurrence(now, "boom", class));
        }
        ask(&mut policy, now + 24 * 60 * MINUTE);
        prop_assert_eq!(policy.wake(), None);
        let mut by_key: BTreeMap<String, Vec<(u64, Notice)>> = BTreeMap::new();
        for (at, notice) in all {
            by_key.entry(notice.key.clone()).or_default().push((at, notice));
        }
        let mut counted = 0;
        for messages in by_key.values() {
            let statuses: Vec<_> = messages.iter().map(|(_, n)| n.status).collect();
            prop_assert_eq!(statuses[0], NoticeStatus::Firing);
            prop_assert_eq!(statuses[statuses.len() - 1], NoticeStatus::Resolved);
            prop_assert!(statuses[1..statuses.len() - 1].iter().all(|s| *s == NoticeStatus::StillFiring));
            for pair in messages[..messages.len() - 1].windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 >= 10 * MINUTE);
            }
            let (at, end) = &messages[messages.len() - 1];
            prop_assert_eq!(*at, end.last + 5 * MINUTE);
            counted += end.count;
        }
        prop_assert_eq!(counted, calls.len() as u64);
    }

    /// However quiet, limited and restarted: every call is sent of on its channel, by its
    /// incident's last message or by a digest's line; nobody is sent twice that something began,
    /// woken at night for what can wait, or sent more than their channel's rate.
    #[test]
    fn every_call_is_counted_and_every_rule_kept(
        actions in prop::collection::vec(action(), 1..120),
        group_wait in prop::sample::select(vec![0, 2 * SECOND, 10 * MINUTE]),
        repeat in prop::sample::select(vec![10 * MINUTE, 4 * 60 * MINUTE]),
        per_minute in prop::sample::select(vec![1, 3, 20]),
        quiet in any::<bool>(),
    ) {
        let quiet = quiet.then(|| QuietHours::in_zone("22:00-07:00", TimeZone::UTC).unwrap());
        let timing = AlertTiming { group_wait, repeat, quiet_hours: quiet.clone(), ..timing() };
        let mut world = World { policy: with(timing.clone(), per_minute), now: START, sent: Vec::new() };
        let mut calls = 0;
        for action in actions {
            match action {
                Action::Fail(event, class) => {
                    calls += 1;
                    let severity = if event == "down" { Severity::Critical } else { Severity::Error };
                    let route = AlertRoute { severity, ..route(&["ops"]) };
                    world.policy.add(event, "f", &route, &occurrence(world.now, "boom", class));
                }
                Action::Later(seconds) => world.run(world.now + seconds * SECOND),
                Action::Restart => {
                    world.policy = restarted(&world.policy, with(timing.clone(), per_minute), world.now);
                }
            }
        }
        world.run(world.now + 48 * 60 * MINUTE);
        prop_assert_eq!(world.policy.wake(), None, "nothing is left");
        world.check(calls, &quiet, per_minute, repeat);
    }
}

#[derive(Clone, Debug)]
enum Action {
    Fail(&'static str, ErrorClass),
    Later(u64),
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    let event = prop::sample::select(vec!["query", "embedding", "down"]);
    let class = prop::sample::select(vec![ErrorClass::Internal, ErrorClass::Timeout]);
    prop_oneof![
        6 => (event, class).prop_map(|(event, class)| Action::Fail(event, class)),
        3 => (0..10_u64).prop_map(Action::Later),
        2 => (0..4_000_u64).prop_map(Action::Later),
        1 => Just(Action::Restart),
    ]
}

struct World {
    policy: IncidentPolicy,
    now: u64,
    sent: Vec<(u64, Notice)>,
}

impl World {
    fn run(&mut self, until: u64) {
        while let Some(at) = self.policy.wake().filter(|at| *at <= until) {
            let at = at.max(self.now);
            self.now = at;
            let due = self.policy.due(at);
            let same = due.is_empty() && !self.policy.take_changed();
            let vain = same && self.policy.wake().is_some_and(|next| next <= at);
            assert!(!vain, "it asks to be woken in vain");
            self.sent
                .extend(due.into_iter().map(|(_, notice)| (at, notice)));
        }
        self.now = until;
    }

    fn check(&self, calls: u64, quiet: &Option<QuietHours>, most: usize, repeat: u64) {
        let held = |notice: &Notice| -> u64 {
            let over = notice
                .suppressed
                .iter()
                .filter(|line| line.status == NoticeStatus::Resolved);
            over.map(|line| line.count).sum()
        };
        let over = |notice: &Notice| match notice.status {
            NoticeStatus::Resolved => notice.count,
            _ => held(notice),
        };
        assert_eq!(self.sent.iter().map(|(_, n)| over(n)).sum::<u64>(), calls);
        let mut last: BTreeMap<&str, (u64, NoticeStatus)> = BTreeMap::new();
        for (n, (at, notice)) in self.sent.iter().enumerate() {
            let at_night = quiet
                .as_ref()
                .is_some_and(|quiet| quiet.until(*at).is_some());
            assert!(
                !at_night || notice.severity == Severity::Critical,
                "{notice:?}"
            );
            let near = |time: u64| time > at.saturating_sub(MINUTE);
            let minute = self.sent[..=n]
                .iter()
                .filter(|(time, _)| near(*time))
                .count();
            assert!(minute <= most, "{minute} messages in a minute");
            if notice.status == NoticeStatus::Digest {
                continue;
            }
            match (
                last.insert(&notice.key, (*at, notice.status)),
                notice.status,
            ) {
                (Some((_, NoticeStatus::Resolved)), _) | (Some(_), NoticeStatus::Firing) => {
                    panic!("{} was sent already: {notice:?}", notice.key)
                }
                (Some((before, _)), NoticeStatus::StillFiring) => assert!(at - before >= repeat),
                _ => {}
            }
        }
    }
}
