//! Code of the program's that only the observer calls cannot change what the program does: `Display`,
//! `Debug` and `source` of its errors and fields, and the closures of the attribute.

use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use llm_observe::{Outcome, observe, testing};

/// What an error's `Display` does.
#[derive(Clone, Copy, Debug)]
enum Does {
    Panics,
    Fails,
    Writes(usize),
    Calls,
}

struct Rude(Does);

impl fmt::Display for Rude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Does::Panics => panic!("no text"),
            Does::Fails => Err(fmt::Error),
            // A megabyte at a time.
            Does::Writes(megabytes) => {
                (0..megabytes).try_for_each(|_| f.write_str(&"a b ".repeat(1 << 18)))
            }
            Does::Calls => write!(f, "{}", fails(Does::Calls).unwrap_or(7)),
        }
    }
}

impl fmt::Debug for Rude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Rude {}

#[observe(err)]
fn fails(does: Does) -> Result<u8, Rude> {
    Err(Rude(does))
}

#[observe(err)]
async fn fails_later(does: Does) -> Result<u8, Rude> {
    tokio::task::yield_now().await;
    Err(Rude(does))
}

#[observe(err(Debug))]
fn fails_in_debug(does: Does) -> Result<u8, Rude> {
    Err(Rude(does))
}

#[observe(fields(user = %Rude(does), other = ?Rude(does)))]
fn has_fields(does: Does) -> u8 {
    let _ = does;
    7
}

#[observe(fields(first = 1, never = "x".parse::<u8>().unwrap(), last = 2))]
fn expression() -> u8 {
    7
}

#[observe(quality = |n| "x".parse::<f64>().unwrap() + f64::from(*n), fields(later = |n| *n))]
fn quality() -> u8 {
    7
}

#[observe(ok_if = |n| panic!("no verdict on {n}"))]
async fn ok_if() -> u8 {
    7
}

#[observe(error_if = |n| panic!("no verdict on {n:?}"))]
fn error_if() -> Result<u8, String> {
    Err("its own".to_owned())
}

#[test]
fn an_error_whose_display_panics_or_fails_is_still_an_error() {
    for (does, message) in [
        (Does::Panics, "<panicked while formatting: no text>"),
        (Does::Fails, "<formatting failed>"),
    ] {
        let seen = testing::observe();
        assert_eq!(fails(does).unwrap_or(7), 7);
        assert_eq!(fails_in_debug(does).unwrap_or(7), 7);
        for call in seen.calls() {
            assert_eq!(call.outcome, Outcome::Error);
            assert_eq!(call.error.unwrap().message, message);
        }
    }
}

#[tokio::test]
async fn so_is_one_of_an_async_function() {
    let seen = testing::observe();
    assert_eq!(fails_later(Does::Panics).await.unwrap_or(7), 7);
    assert_eq!(seen.calls()[0].outcome, Outcome::Error);
}

#[test]
fn fields_that_cannot_be_formatted_say_so() {
    let seen = testing::observe();
    assert_eq!(has_fields(Does::Panics), 7);
    let call = &seen.calls()[0];
    for field in ["user", "other"] {
        let text = call.fields.get(field).unwrap().to_string();
        assert_eq!(text, "<panicked while formatting: no text>");
    }
}

struct CallsOnDrop;

impl Drop for CallsOnDrop {
    fn drop(&mut self) {
        assert_eq!(fails(Does::Panics).unwrap_or(7), 7);
    }
}

#[observe]
fn unwinds() {
    let _calls = CallsOnDrop;
    panic!("the real one");
}

/// Two panics at once would end the process.
#[test]
fn a_display_that_panics_while_a_panic_unwinds_is_caught() {
    let seen = testing::observe();
    assert!(catch_unwind(AssertUnwindSafe(unwinds)).is_err());
    let calls = seen.calls();
    let messages: Vec<_> = calls
        .iter()
        .map(|c| c.error.as_ref().unwrap().message.as_str())
        .collect();
    assert_eq!(
        messages,
        ["<panicked while formatting: no text>", "the real one"]
    );
}

#[test]
fn a_display_that_calls_its_own_function_ends() {
    let seen = testing::observe();
    assert_eq!(fails(Does::Calls).unwrap_or(7), 7);
    assert!(seen.calls().len() < 10);
}

#[test]
fn a_message_without_end_costs_what_is_kept_of_it() {
    let seen = testing::observe();
    let start = Instant::now();
    assert_eq!(fails(Does::Writes(100)).unwrap_or(7), 7);
    // A debug build takes 90 s for the whole.
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    let message = seen.calls()[0].error.clone().unwrap().message;
    assert!(message.len() < 70_000);
    assert!(message.ends_with("…[cut at 65536 bytes]"));
}

#[test]
fn an_expression_of_a_field_that_panics_ends_the_recording_alone() {
    let seen = testing::observe();
    assert_eq!(expression(), 7);
    let call = &seen.calls()[0];
    assert_eq!(call.outcome, Outcome::Ok);
    assert!(call.fields.get("first").is_some());
}

#[tokio::test]
async fn closures_that_panic_decide_nothing() {
    let seen = testing::observe();
    assert_eq!(quality(), 7);
    assert_eq!(ok_if().await, 7);
    assert_eq!(error_if(), Err("its own".to_owned()));
    let ends: Vec<_> = seen
        .calls()
        .iter()
        .map(|c| (c.outcome, c.quality))
        .collect();
    assert_eq!(
        ends,
        [
            (Outcome::Ok, None),
            (Outcome::Ok, None),
            (Outcome::Error, None),
        ]
    );
}
