use std::{sync::mpsc, thread};

use super::*;

fn missing(loss: Loss, lines: u64) -> Missing {
    let mut missing = Missing::default();
    missing.add(loss, lines);
    missing
}

fn push(queue: &Queue, text: &str) -> Result<(), Loss> {
    queue.push(Level::INFO, &[text.as_bytes()])
}

fn lines(text: &str) -> Option<Entry> {
    Some(Entry::Lines(text.as_bytes().to_vec()))
}

fn done(queue: &Queue, entry: Option<Entry>, missing: &Missing) {
    queue.finish(entry.unwrap(), missing, |_| {});
}

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn lines_come_out_whole_and_in_order() {
    let queue = Queue::new(1 << 20);
    push(&queue, "a\n").unwrap();
    queue.push(Level::WARN, &[b"b", b"c", b"\n"]).unwrap();
    assert_eq!((queue.waiting(), queue.wait(Duration::ZERO)), (5, 2));
    let first = queue.next();
    assert_eq!(first, lines("a\nbc\n"));
    push(&queue, "d\n").unwrap();
    queue.written(2);
    done(&queue, first, &Missing::default());
    assert_eq!(queue.next(), lines("d\n"));
}

#[test]
fn a_full_queue_drops_lines_and_says_so_where_they_are_missing() {
    let queue = Queue::new(8_000);
    let line = format!("{}\n", "x".repeat(99));
    let kept = (0..100).take_while(|_| push(&queue, &line).is_ok()).count();
    assert_eq!(kept, 70, "all but the eighth for warnings");
    assert_eq!(push(&queue, &line), Err(Loss::Overflow));
    assert_eq!(push(&queue, &"y".repeat(7_000)), Err(Loss::TooLong));
    // The first one and the one that ended the loop.
    let mut all = missing(Loss::Overflow, 2);
    all.add(Loss::TooLong, 1);
    let first = queue.next();
    assert_eq!(first, lines(&line.repeat(70)));
    push(&queue, "too early\n").unwrap_err();
    all.add(Loss::Overflow, 1);
    queue.written(70);
    done(&queue, first, &Missing::default());
    push(&queue, "later\n").unwrap();
    let notice = queue.next();
    assert_eq!(notice, Some(Entry::Missing(all)));
    done(&queue, notice, &Missing::default());
    assert_eq!(queue.next(), lines("later\n"));
}

#[test]
fn warnings_have_room_when_others_have_none() {
    let queue = Queue::new(8_000);
    while push(&queue, "0123456789\n").is_ok() {}
    queue.push(Level::WARN, &[b"a warning\n"]).unwrap();
    queue.push(Level::ERROR, &[b"an error\n"]).unwrap();
    assert_eq!(push(&queue, "news\n"), Err(Loss::Overflow));
}

#[test]
fn without_a_further_line_the_notice_comes_at_the_end() {
    let queue = Queue::new(1_000);
    let length = 500;
    push(&queue, &"x".repeat(length)).unwrap();
    assert_eq!(push(&queue, &"y".repeat(length)), Err(Loss::Overflow));
    let first = queue.next();
    done(&queue, first, &Missing::default());
    let notice = queue.next();
    assert_eq!(notice, Some(Entry::Missing(missing(Loss::Overflow, 1))));
}

#[test]
fn a_console_that_takes_nothing_is_not_offered_one_notice_after_the_other() {
    let queue = Queue::new(1 << 20);
    push(&queue, "a\n").unwrap();
    let first = queue.next();
    done(&queue, first, &missing(Loss::Closed, 1));
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            sender.send(queue.next()).unwrap();
            sender.send(queue.next()).unwrap();
        });
        let asked = Instant::now();
        while !queue.lock().parked {
            assert!(asked.elapsed() < LIMIT, "the thread does not wait");
            thread::yield_now();
        }
        push(&queue, "b\n").unwrap();
        let notice = receiver.recv_timeout(LIMIT).unwrap();
        assert_eq!(notice, Some(Entry::Missing(missing(Loss::Closed, 1))));
        assert_eq!(receiver.recv_timeout(LIMIT).unwrap(), lines("b\n"));
    });
}

#[test]
fn memory_stays_within_the_bound_when_each_line_has_a_notice() {
    let queue = Queue::new(64 << 10);
    for _ in 0..10_000 {
        // As if the queue had been full in between.
        queue.lock().missing.add(Loss::Overflow, 1);
        let _ = push(&queue, "x\n");
    }
    let state = queue.lock();
    let held = |entry: &Entry| match entry {
        Entry::Lines(lines) => lines.capacity(),
        Entry::Missing(_) => size_of::<Entry>(),
    };
    assert!(state.entries.iter().map(held).sum::<usize>() <= 64 << 10);
}

#[test]
fn what_is_left_at_the_end_is_counted_once() {
    let queue = Queue::new(1 << 20);
    for _ in 0..3 {
        push(&queue, "a\n").unwrap();
    }
    let entry = queue.next();
    queue.written(1);
    assert_eq!(queue.wait(Duration::from_millis(1)), 2);
    assert_eq!(queue.close(), 2);
    assert_eq!(queue.close(), 0);
    assert_eq!(push(&queue, "b\n"), Err(Loss::Shutdown));
    assert_eq!(queue.next(), None);
    queue.finish(entry.unwrap(), &missing(Loss::Failed, 2), |_| {
        panic!("they are counted")
    });
}

#[test]
fn who_waits_is_woken_when_all_is_written() {
    let queue = Queue::new(1 << 20);
    push(&queue, "a\n").unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| queue.wait(LIMIT));
        let entry = queue.next();
        queue.written(1);
        done(&queue, entry, &Missing::default());
        assert_eq!(waiter.join().unwrap(), 0);
    });
}
