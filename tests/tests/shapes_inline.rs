//! Functions whose body may not stand in a closure: those that return closures, and those with
//! `#[track_caller]`.

use std::{
    cmp::Ordering,
    panic::{Location, catch_unwind},
    sync::Mutex,
};

use llm_observe::{Outcome, observe, testing};

/// Runs `f` and returns what it returns, and the outcome of its one call.
fn one<T>(f: impl FnOnce() -> T) -> (T, Outcome) {
    let seen = testing::observe();
    let value = f();
    let calls = seen.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    (value, calls[0].outcome)
}

struct Entry<K> {
    key: K,
}

#[observe]
fn equivalent<'a, K: Eq>(
    key: &'a K,
    entries: &'a [Entry<K>],
) -> impl Fn(&usize) -> bool + use<'a, K> {
    move |&i| entries[i].key.eq(key)
}

#[observe]
fn reversed<T>(mut compare: impl FnMut(&T, &T) -> Ordering) -> impl FnMut(&T, &T) -> Ordering {
    move |a, b| compare(b, a)
}

#[observe(args)]
#[allow(
    clippy::needless_return,
    reason = "a way out that is not the last expression"
)]
fn chosen(up: bool, (by, _): (usize, u8)) -> impl Fn(&str) -> usize {
    let factor = if up { by } else { 0 };
    return move |s| s.len() + factor;
}

#[observe]
fn perhaps(by: Option<usize>) -> Option<impl Fn(&str) -> usize> {
    by.map(|by| move |s: &str| s.len() + by)
}

#[observe]
fn checked(by: usize) -> Result<impl Fn(&String) -> usize, String> {
    if by == 0 {
        Err("zero".to_owned())
    } else {
        Ok(move |s: &String| s.len() + by)
    }
}

#[observe]
fn two(by: usize) -> (impl Fn(&String) -> usize, impl FnOnce(&[u8]) -> usize) {
    (move |s| s.len() + by, move |all| all.len() + by)
}

struct Table<T>(Vec<T>);

#[observe]
impl<T: Ord> Table<T> {
    fn is_less(&self) -> impl Fn(&usize, &usize) -> bool {
        move |&a, &b| self.0[a] < self.0[b]
    }
}

#[test]
fn closures_are_returned() {
    let entries = [Entry { key: 1 }, Entry { key: 2 }];
    assert_eq!(one(|| equivalent(&2, &entries)(&1)), (true, Outcome::Ok));
    let mut compare = one(|| reversed(|a: &u8, b: &u8| a.cmp(b))).0;
    assert_eq!(compare(&1, &2), Ordering::Greater);
    assert_eq!(one(|| chosen(true, (3, 0))("ab")), (5, Outcome::Ok));
    assert_eq!(one(|| perhaps(Some(1)).unwrap()("a")), (2, Outcome::Ok));
    assert_eq!(one(|| checked(1).is_ok()), (true, Outcome::Ok));
    assert_eq!(one(|| checked(0).is_ok()), (false, Outcome::Error));
    assert_eq!(one(|| two(1).1(b"ab")).0, 3);
    let table = Table(vec![3, 1]);
    assert!(one(|| table.is_less()(&1, &0)).0);
}

#[track_caller]
fn here() -> u32 {
    Location::caller().line()
}

#[observe]
#[cfg_attr(not(any()), track_caller)]
fn plain() -> u32 {
    here()
}

#[track_caller]
#[observe(args)]
fn early(now: bool, mut line: u32) -> u32 {
    if now {
        return here();
    }
    line += here();
    line
}

#[observe]
#[track_caller]
fn unit(line: &Mutex<u32>) {
    *line.lock().unwrap() = here();
}

#[observe]
#[track_caller]
fn result(fail: bool) -> Result<u32, u32> {
    if fail { Err(here()) } else { Ok(here()) }
}

/// A type that may be a `Result`, for all that its name says.
type Line = Result<u32, String>;

#[observe]
#[track_caller]
fn alias(text: &str) -> Line {
    assert!(!text.is_empty(), "an empty text at {}", here());
    Ok(here())
}

#[observe]
#[track_caller]
fn unwrapped(text: Option<&str>) -> usize {
    text.unwrap().len()
}

/// `?` leaves it early, so that its result can only be read around a closure.
#[observe]
#[track_caller]
fn question_mark(text: &str) -> Result<u32, std::num::ParseIntError> {
    let n: u32 = text.parse()?;
    Ok(n + here())
}

struct Store;

#[observe]
impl Store {
    #[track_caller]
    fn by_method(&mut self, _unused: String) -> Line {
        Ok(here())
    }
}

/// `Index` hands its `#[track_caller]` on to every implementation.
#[observe]
impl<T> std::ops::Index<u8> for Table<T> {
    type Output = T;

    fn index(&self, at: u8) -> &T {
        let found = self.0.get(usize::from(at));
        found.expect("an index within the table")
    }
}

/// What has no value is no reason for a warning.
#[deny(warnings)]
#[observe]
impl Store {
    #[track_caller]
    fn to_do(&self) -> Result<u8, String> {
        todo!("at {}", here())
    }

    fn unit(&self) {
        unreachable!("nothing")
    }
}

#[test]
fn the_caller_of_an_inherited_track_caller_is_where_it_was() {
    let seen = testing::observe();
    assert!(catch_unwind(|| Table(vec![1])[1_u8]).is_err());
    let location = seen.calls()[0].error.as_ref().unwrap().location.clone();
    let line = line!() - 2;
    assert!(
        location
            .unwrap()
            .contains(&format!("shapes_inline.rs:{line}:"))
    );
    assert!(catch_unwind(|| Store.to_do().is_ok()).is_err());
    assert!(catch_unwind(|| Store.unit()).is_err());
    assert!(
        seen.calls()
            .iter()
            .all(|call| call.outcome == Outcome::Panic)
    );
}

#[test]
fn the_caller_is_where_it_was() {
    assert_eq!(one(|| (plain(), line!())).0, (line!(), line!()));
    assert_eq!(one(|| early(true, 0)).0, line!());
    assert_eq!(one(|| early(false, 1)).0, line!() + 1);
    let line = Mutex::new(0);
    assert_eq!(one(|| unit(&line)), ((), Outcome::Ok));
    assert_eq!(*line.lock().unwrap(), line!() - 1);
    assert_eq!(one(|| result(false)), (Ok(line!()), Outcome::Ok));
    assert_eq!(one(|| result(true)), (Err(line!()), Outcome::Error));
    assert_eq!(one(|| alias("a")), (Ok(line!()), Outcome::Ok));
    assert_eq!(one(|| Store.by_method(String::new())).0, Ok(line!()));
    assert_eq!(one(|| question_mark("x").is_err()), (true, Outcome::Error));
    assert_ne!(
        one(|| question_mark("0")).0,
        Ok(line!()),
        "see the documentation"
    );
}

#[test]
fn a_panic_in_the_body_is_one() {
    for panics in [|| alias("").is_ok(), || unwrapped(None) == 0] {
        let seen = testing::observe();
        assert!(catch_unwind(panics).is_err());
        assert_eq!(seen.calls()[0].outcome, Outcome::Panic);
    }
}

#[test]
fn the_location_of_a_panic_is_the_callers() {
    let seen = testing::observe();
    let result = catch_unwind(|| unwrapped(None));
    assert!(result.is_err());
    let calls = seen.calls();
    let location = calls[0].error.as_ref().unwrap().location.clone();
    assert!(location.unwrap().contains("shapes_inline.rs"));
}

/// A guard's drop cannot know a return from a panic by `panicking` alone.
#[test]
fn a_return_while_unwinding_is_no_panic() {
    struct InDrop;
    impl Drop for InDrop {
        fn drop(&mut self) {
            early(true, 0);
        }
    }
    let seen = testing::observe();
    let result = catch_unwind(|| {
        let _in_drop = InDrop;
        panic!("unwinds");
    });
    assert!(result.is_err());
    assert_eq!(seen.calls()[0].outcome, Outcome::Ok);
}
