//! Every shape of sync function: it compiles, does what it did, and its call is seen.

#![allow(unsafe_code, reason = "unsafe functions are shapes, too")]

use std::{
    fmt::{Debug, Display},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

use llm_observe::{Outcome, Value, observe, testing};

/// Runs `f` and returns what it returns, the outcome of its one call, and the call's function.
fn one<T>(f: impl FnOnce() -> T) -> (T, Outcome, &'static str) {
    let seen = testing::observe();
    let value = f();
    let calls = seen.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    (value, calls[0].outcome, calls[0].function())
}

#[derive(Debug, PartialEq)]
struct Refused;

type Alias<T> = std::result::Result<T, Refused>;

#[observe]
fn plain(n: u8) -> u8 {
    if n == 0 {
        return 7;
    }
    n
}

#[observe]
fn question_mark(text: &str) -> Result<u8, std::num::ParseIntError> {
    let n: u8 = text.parse()?;
    Ok(n)
}

#[observe]
fn behind_an_alias(fail: bool) -> Alias<()> {
    if fail { Err(Refused) } else { Ok(()) }
}

#[observe(err(Debug, level = "warn"), ret)]
fn debugged() -> Result<u8, std::num::ParseIntError> {
    "x".parse()
}

#[observe]
fn unit() {}

#[observe]
fn generic<'a, T, const N: usize>(all: &'a [T; N], wanted: &T) -> Option<&'a T>
where
    T: PartialEq,
{
    all.iter().find(|t| *t == wanted)
}

#[observe]
fn impl_in_and_out(n: impl Into<u64>) -> impl Iterator<Item = u64> + Clone {
    let n = n.into();
    (0..n).map(|x| x * 2)
}

#[observe]
fn nested_impl<'a>(
    text: &'a str,
) -> Result<impl Iterator<Item = (usize, impl Display + 'a)>, Refused> {
    if text.is_empty() {
        return Err(Refused);
    }
    Ok(text.split(' ').enumerate())
}

#[observe]
fn mut_in_mut_out<'a>(all: &'a mut Vec<u8>, by: &mut u8) -> &'a mut u8 {
    *by += 1;
    all.push(*by);
    all.last_mut().unwrap()
}

#[observe]
fn reassigned(mut text: &str, mut n: usize) -> usize {
    let local = text.to_uppercase();
    text = &local;
    n += text.len();
    n
}

#[observe(args)]
fn destructured((a, [b, ..]): (u8, [u8; 3]), Pair { left, right: r }: Pair, _: u8) -> u8 {
    a + b + left + r
}

#[derive(Clone, Copy)]
struct Pair {
    left: u8,
    right: u8,
}

#[observe(args)]
fn configured(a: u8, #[cfg(any())] b: Missing, #[cfg(not(any()))] c: u8) -> u8 {
    a + c
}

#[observe(args)]
fn r#match(r#type: u8) -> u8 {
    r#type
}

#[observe]
unsafe fn dangerous(n: *const u8) -> u8 {
    // SAFETY: the caller's pointer is valid.
    unsafe { *n }
}

#[observe]
extern "C" fn foreign(n: u8) -> u8 {
    n + 1
}

#[observe]
fn recursive(n: u8) -> u8 {
    if n == 0 { 0 } else { 1 + recursive(n - 1) }
}

#[observe]
fn never() -> ! {
    panic!("never returns")
}

#[observe]
fn boxed_closure(by: u8) -> Box<dyn Fn(u8) -> u8> {
    Box::new(move |n| n + by)
}

#[observe]
fn inner_attributes() -> u8 {
    #![allow(unused_variables, clippy::let_and_return)]
    let unused = 1;
    let n = 2;
    n
}

macro_rules! made {
    ($name:ident, $arg:ident: $ty:ty => $body:expr) => {
        #[observe(args)]
        fn $name($arg: $ty) -> $ty {
            $body
        }
    };
}
made!(made_by_macro, n: u8 => n + 1);

struct Store {
    all: Vec<String>,
}

impl Store {
    #[observe]
    fn push(&mut self, text: impl Display) -> &mut String {
        self.all.push(text.to_string());
        self.all.last_mut().unwrap()
    }

    #[observe]
    fn longest<'a>(&'a self, other: &'a str) -> &'a str {
        self.all
            .iter()
            .map(String::as_str)
            .max_by_key(|t| t.len())
            .unwrap_or(other)
    }

    #[observe]
    fn shared(self: Arc<Self>) -> usize {
        self.all.len()
    }

    #[observe]
    fn local(self: Rc<Self>) -> Rc<Self> {
        self
    }

    #[observe]
    fn pinned(self: Pin<&mut Self>, text: &str) -> usize {
        self.get_mut().all.push(text.to_owned());
        1
    }

    #[observe]
    fn consumed(mut self) -> Vec<String> {
        self.all.push("last".to_owned());
        self.all
    }

    #[observe]
    fn associated(n: u8) -> Self {
        Self {
            all: vec![n.to_string()],
        }
    }
}

trait Shape {
    fn name(&self) -> String;

    #[observe]
    fn by_default(&self) -> String
    where
        Self: Debug,
    {
        format!("{:?} {}", self, self.name())
    }
}

impl Shape for u8 {
    #[observe]
    fn name(&self) -> String {
        "number".to_owned()
    }
}

#[test]
fn functions_return_what_they_did() {
    assert_eq!(one(|| plain(0)), (7, Outcome::Ok, "shapes_sync::plain"));
    assert_eq!(one(|| plain(3)).0, 3);
    assert_eq!(one(|| question_mark("8")).0, Ok(8));
    assert_eq!(one(|| question_mark("x")).1, Outcome::Error);
    assert_eq!(one(|| behind_an_alias(true)).1, Outcome::Error);
    assert_eq!(one(|| behind_an_alias(false)).1, Outcome::Ok);
    assert_eq!(one(unit).1, Outcome::Ok);
    assert_eq!(one(|| generic(&[1, 2, 3], &2).copied()).0, Some(2));
    assert_eq!(one(|| impl_in_and_out(3_u8).clone().sum::<u64>()).0, 6);
    assert_eq!(one(|| nested_impl("a b").map(Iterator::count)).0, Ok(2));
    assert_eq!(one(|| nested_impl("").is_err()).1, Outcome::Error);
    assert_eq!(one(|| *mut_in_mut_out(&mut vec![], &mut 4)).0, 5);
    assert_eq!(one(|| reassigned("abc", 1)).0, 4);
    assert_eq!(one(|| foreign(1)).0, 2);
    // SAFETY: the pointer is to a local.
    assert_eq!(one(|| unsafe { dangerous(&9) }).0, 9);
    assert_eq!(one(|| boxed_closure(1)(2)).0, 3);
    assert_eq!(one(inner_attributes).0, 2);
    assert_eq!(one(|| r#match(3)), (3, Outcome::Ok, "shapes_sync::match"));
}

#[test]
fn methods_return_what_they_did() {
    let mut store = Store { all: vec![] };
    assert_eq!(one(|| store.push(12).clone()).2, "shapes_sync::Store::push");
    assert_eq!(one(|| store.longest("x").to_owned()).0, "12");
    assert_eq!(one(|| Pin::new(&mut store).pinned("y")).0, 1);
    assert_eq!(one(|| Store::associated(1).all.len()).0, 1);
    assert_eq!(one(|| store.consumed().len()).0, 3);
    assert_eq!(one(|| Arc::new(Store { all: vec![] }).shared()).0, 0);
    assert_eq!(
        one(|| Rc::new(Store { all: vec![] }).local().all.len()).0,
        0
    );
    let seen = testing::observe();
    assert_eq!(5_u8.by_default(), "5 number");
    let functions: Vec<_> = seen.calls().iter().map(|call| call.function()).collect();
    assert_eq!(functions, ["u8::name", "shapes_sync::Shape::by_default"]);
}

#[test]
fn a_panic_is_one_and_goes_on() {
    let seen = testing::observe();
    let result = catch_unwind(AssertUnwindSafe(|| never()));
    assert_eq!(
        *result.unwrap_err().downcast::<&str>().unwrap(),
        "never returns"
    );
    assert_eq!(seen.calls()[0].outcome, Outcome::Panic);
}

#[test]
fn an_error_is_written_as_asked() {
    let seen = testing::observe();
    debugged().unwrap_err();
    let call = &seen.calls()[0];
    let message = &call.error.as_ref().unwrap().message;
    assert_eq!(message, "ParseIntError { kind: InvalidDigit }");
    assert_eq!(call.site.err_level, Some(tracing::Level::WARN));
}

#[test]
fn recursion_is_one_call_each() {
    let seen = testing::observe();
    assert_eq!(recursive(3), 3);
    let calls = seen.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .windows(2)
            .all(|pair| pair[0].parent_id == pair[1].span_id)
    );
}

#[test]
fn arguments_are_captured_when_asked() {
    let seen = testing::observe();
    destructured((1, [2, 3, 4]), Pair { left: 5, right: 6 }, 7);
    configured(1, 2);
    made_by_macro(3);
    r#match(4);
    plain(5);
    let calls = seen.calls();
    let names = |at: usize| {
        calls[at]
            .fields
            .iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(0), ["a", "b", "left", "r"]);
    assert_eq!(names(1), ["a", "c"]);
    assert_eq!(calls[2].fields.get("n"), Some(&Value::U64(3)));
    assert_eq!(calls[3].fields.get("type"), Some(&Value::U64(4)));
    assert!(names(4).is_empty());
}
