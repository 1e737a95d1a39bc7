//! An error that a function expects stays expected in the functions that pass it on.

use llm_observe::{Outcome, observe, testing};

#[derive(Debug)]
enum FindError {
    NotFound,
    Refused,
}

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            FindError::NotFound => "there is no such document",
            FindError::Refused => "the index refused",
        })
    }
}

impl std::error::Error for FindError {}

#[observe(expected(FindError::NotFound))]
fn find(error: FindError) -> Result<(), FindError> {
    Err(error)
}

#[observe(event = "answer", alert_on_error)]
fn answer(error: FindError) -> Result<(), Box<dyn std::error::Error>> {
    Ok(find(error)?)
}

#[observe(event = "listed")]
fn listed(error: FindError) -> Result<(), FindError> {
    find(error)
}

#[observe]
fn outermost(error: FindError) -> Result<(), Box<dyn std::error::Error>> {
    answer(error)
}

#[observe(alert(on(error)))]
fn strict(error: FindError) -> Result<(), FindError> {
    find(error)
}

#[observe(alert_on_error)]
fn another_error(error: FindError) -> Result<(), String> {
    let _ = find(error);
    Err("the cache is full".to_owned())
}

#[observe(alert_on_error)]
fn panics(error: FindError) {
    find(error).unwrap();
}

const CONFIG: &str = "[channels.ops]\nkind = \"slack\"\nwebhook = \"env:NO_SUCH_VARIABLE\"\n\
    [events.listed]\nalert_on_error = true\n[events.find]\n[events.answer]\n[events.outermost]\n\
    [events.strict]\n[events.another_error]\n[events.panics]\n";

/// Returns for each call, innermost first, whether its error was expected and whether it was reported.
fn seen(call: impl FnOnce()) -> (Vec<(bool, bool)>, usize) {
    let seen = testing::observe_with(CONFIG).unwrap();
    call();
    let calls = seen.calls();
    let calls = calls.iter().filter(|call| call.outcome != Outcome::Ok);
    let calls = calls.map(|call| (call.expected, call.reported)).collect();
    (calls, seen.alerts().len())
}

#[test]
fn what_is_expected_below_neither_pages_nor_is_reported_above() {
    let expected = (true, false);
    let (calls, alerts) = seen(|| answer(FindError::NotFound).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![expected; 2], 0));
    let (calls, alerts) = seen(|| listed(FindError::NotFound).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![expected; 2], 0));
    let (calls, alerts) = seen(|| outermost(FindError::NotFound).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![expected; 3], 0));
}

#[test]
fn what_is_not_expected_pages_as_ever() {
    let (calls, alerts) = seen(|| answer(FindError::Refused).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![(false, true), (false, false)], 1));
    let (calls, alerts) = seen(|| listed(FindError::Refused).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![(false, true), (false, false)], 1));
}

#[test]
fn a_rule_that_names_errors_says_otherwise() {
    let (calls, alerts) = seen(|| strict(FindError::NotFound).unwrap_err().print());
    assert_eq!((calls, alerts), (vec![(true, false), (false, true)], 1));
}

#[test]
fn another_failure_is_not_expected() {
    let (calls, alerts) = seen(|| drop(another_error(FindError::NotFound).unwrap_err()));
    assert_eq!((calls, alerts), (vec![(true, false), (false, true)], 1));
    let (calls, alerts) = seen(|| {
        std::panic::catch_unwind(|| panics(FindError::NotFound)).unwrap_err();
    });
    assert_eq!((calls, alerts), (vec![(true, false), (false, true)], 1));
}

/// What a caller does with an error.
trait Print {
    fn print(self);
}

impl<E: std::fmt::Display> Print for E {
    fn print(self) {
        println!("{self}");
    }
}
