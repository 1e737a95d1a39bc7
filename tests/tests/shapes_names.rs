//! Names that the expansion could trip over, without a prelude, without unsafe code, without a
//! warning.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(
    dead_code,
    unused_macros,
    non_snake_case,
    clippy::unnecessary_wraps,
    clippy::module_name_repetitions
)]
#![allow(
    non_camel_case_types,
    clippy::upper_case_acronyms,
    reason = "the names are the test"
)]

use ::llm_observe::{Outcome, observe, testing};
use ::std::{assert, assert_eq, iter::Iterator as _, prelude::v1::test};

mod std {}
mod core {}
mod tracing {}
mod alloc {}
mod llm_observe {}
mod __private {}

struct Option;
struct Result;
struct Some;
struct Box;
struct String;
struct Site;
struct Call;
struct Ok;
struct Err;
struct __SITE;

macro_rules! module_path {
    () => {};
}
macro_rules! verdict {
    () => {};
}

#[observe(args, ret, fields(n = caller, out = |out| *out))]
fn clashes(caller: u8, result: u8, span: u8, call: u8, out: u8, value: u8, __call: u8) -> u8 {
    let __out = caller + result + span;
    __out + call + out + value + __call
}

#[observe(args, ret)]
async fn clashes_async(__elapsed: u8, __result: u8, __future: u8, __arg0: u8, out: u8) -> u8 {
    __elapsed + __result + __future + __arg0 + out
}

#[observe]
fn own_result(_: Option) -> Result {
    Result
}

#[observe]
async fn own_results(_: Option, (__arg1, _): (String, Box)) -> ::std::result::Result<Some, Err> {
    let _ = __arg1;
    ::std::result::Result::Err(Err)
}

#[observe(event = "generic", fields(size = ::std::mem::size_of::<T>()))]
fn generic<T, F: ::std::ops::Fn() -> T>(f: F) -> T {
    f()
}

#[observe(expected(::std::fmt::Error), error_if = |out: &::std::result::Result<u8, _>| out.is_err())]
fn expected() -> ::std::result::Result<u8, ::std::fmt::Error> {
    ::std::result::Result::Err(::std::fmt::Error)
}

#[observe(timeout = "1s", items = |n| *n, quality = |_| 0.5, min_quality = 0.7)]
async fn all() -> ::std::result::Result<u8, ::std::io::Error> {
    ::std::result::Result::Ok(3)
}

#[test]
fn nothing_clashes() {
    let seen = testing::observe();
    assert_eq!(clashes(1, 2, 3, 4, 5, 6, 7), 28);
    own_result(Option);
    assert_eq!(generic(|| 4_u8), 4);
    let _ = expected();
    let runtime = ::tokio::runtime::Builder::new_current_thread().build();
    if let ::std::result::Result::Ok(runtime) = runtime {
        assert_eq!(runtime.block_on(clashes_async(1, 2, 3, 4, 5)), 15);
        let failed = runtime.block_on(own_results(Option, (String, Box)));
        assert!(failed.is_err());
        let _ = runtime.block_on(all());
    }
    let calls = seen.calls();
    assert_eq!(calls.len(), 7);
    assert_eq!(calls[0].fields.iter().count(), 9);
    assert!(calls[3].expected);
    assert_eq!(calls[5].outcome, Outcome::Error);
    assert_eq!(calls[6].items, ::std::option::Option::Some(3));
}
