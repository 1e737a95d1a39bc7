//! Errors that borrow or are generic: they are recognised by type like any other, whatever their
//! lifetimes.

use std::{
    error::Error,
    fmt::{self, Debug, Display},
    io,
    marker::PhantomData,
};

use llm_observe::{ErrorClass, Outcome, observe, testing};
use nom::{
    IResult,
    bytes::complete::tag,
    character::complete::{alpha1, char},
    error::{ContextError, ParseError},
    sequence::delimited,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
    ser::SerializeSeq,
};

/// Runs `f` and returns what it returns, and the message of the call that ended last.
fn one<T>(f: impl FnOnce() -> T) -> (T, Option<String>) {
    let seen = testing::observe();
    let value = f();
    let calls = seen.calls();
    let last = calls.last().expect("a call");
    let message = last.error.as_ref().map(|error| error.message.clone());
    assert_eq!(last.outcome == Outcome::Error, message.is_some());
    (value, message)
}

fn message<T>(f: impl FnOnce() -> T) -> String {
    one(f).1.expect("an error")
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// An error that borrows, with a source.
#[derive(Debug)]
struct Refused<'a> {
    text: &'a str,
    source: io::Error,
}

impl<'a> Refused<'a> {
    fn new(text: &'a str) -> Self {
        let source = io::ErrorKind::ConnectionReset.into();
        Refused { text, source }
    }
}

impl Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused: {}", self.text)
    }
}

impl Error for Refused<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[observe]
fn sync(text: &str) -> Result<u8, Refused<'_>> {
    Err(Refused::new(text))
}

#[observe]
async fn asynchronous(text: &str) -> Result<&str, Refused<'_>> {
    tokio::task::yield_now().await;
    Err(Refused::new(text))
}

#[observe]
fn borrowed<'a>(error: &'a Refused<'a>) -> Result<&'a str, &'a Refused<'a>> {
    Err(error)
}

#[observe]
async fn borrowed_async<'a, T, E: Error>(
    value: &'a T,
    error: Option<&'a E>,
) -> Result<&'a T, &'a E> {
    error.map_or(Ok(value), Err)
}

#[observe]
fn boxed<'a>(text: &'a str) -> Result<(), Box<dyn Error + 'a>> {
    Err(Refused::new(text))?
}

#[observe]
async fn boxed_sync<'a>(text: &'a str) -> Result<(), Box<dyn Error + Send + Sync + 'a>> {
    Err(Box::new(Refused::new(text)))
}

#[observe]
fn any(fail: &str) -> anyhow::Result<u8> {
    Err(io::Error::new(io::ErrorKind::TimedOut, fail.to_owned()).into())
}

#[observe]
fn generic<E>(error: E) -> Result<(), E> {
    Err(error)
}

#[observe]
async fn generic_debug<'a, E: Debug + 'a>(error: E) -> Result<PhantomData<&'a u8>, E> {
    Err(error)
}

#[observe]
fn generic_display<E: Display>(error: E) -> Result<(), E> {
    Err(error)
}

#[observe]
fn generic_error<E: Error>(error: E) -> Result<(), E> {
    Err(error)
}

#[observe]
fn future<'a>(text: &'a str) -> impl Future<Output = Result<u8, Refused<'a>>> + 'a {
    async move { Err(Refused::new(text)) }
}

#[observe]
fn boxed_future<'a>(
    text: &'a str,
) -> std::pin::Pin<Box<dyn Future<Output = Result<u8, Refused<'a>>> + 'a>> {
    Box::pin(async move { Err(Refused::new(text)) })
}

trait Ask<'a> {
    type Error: Error;

    #[observe]
    fn ask(&self, error: Self::Error) -> Result<&'a str, Self::Error> {
        Err(error)
    }

    fn later(&self, error: Self::Error) -> impl Future<Output = Result<&'a str, Self::Error>>;
}

struct Store<'a>(&'a str);

#[observe]
impl<'a> Ask<'a> for Store<'a> {
    type Error = Refused<'a>;

    async fn later(&self, error: Refused<'a>) -> Result<&'a str, Refused<'a>> {
        Err(error)
    }
}

#[observe(event = "store")]
impl<'a> Store<'a> {
    fn refuse(&self) -> Result<&'a str, Refused<'a>> {
        Err(Refused::new(self.0))
    }

    async fn refuse_later<'s>(&'s self) -> Result<&'s str, Refused<'s>> {
        Err(Refused::new(self.0))
    }

    #[observe(ret, err, ok_if = |out| out.is_ok(), quality = |text| text.len() as f64, fields(len = |text| text.len()))]
    fn recorded<E: Error>(&'a self, error: Option<E>) -> Result<&'a str, E> {
        error.map_or(Ok(self.0), Err)
    }
}

#[test]
fn errors_that_borrow_are_errors() {
    let refused = Refused::new("x");
    assert_eq!(message(|| sync("x").is_err()), "refused: x");
    assert_eq!(
        message(|| block_on(asynchronous("x")).is_err()),
        "refused: x"
    );
    assert_eq!(message(|| borrowed(&refused).is_err()), "refused: x");
    assert_eq!(
        message(|| block_on(borrowed_async(&1, Some(&refused))).is_err()),
        "refused: x"
    );
    assert_eq!(
        one(|| block_on(borrowed_async::<_, Refused<'_>>(&1, None)).is_ok()).1,
        None
    );
    assert_eq!(message(|| boxed("x").is_err()), "refused: x");
    assert_eq!(message(|| block_on(boxed_sync("x")).is_err()), "refused: x");
    assert_eq!(message(|| block_on(future("x")).is_err()), "refused: x");
    assert_eq!(
        message(|| block_on(boxed_future("x")).is_err()),
        "refused: x"
    );
    let text = String::from("x");
    let store = Store(&text);
    assert_eq!(message(|| store.refuse().is_err()), "refused: x");
    assert_eq!(
        message(|| block_on(store.refuse_later()).is_err()),
        "refused: x"
    );
    assert_eq!(
        message(|| store.ask(Refused::new(&text)).is_err()),
        "refused: x"
    );
    assert_eq!(
        message(|| block_on(store.later(Refused::new(&text))).is_err()),
        "refused: x"
    );
    assert_eq!(
        message(|| store.recorded(Some(Refused::new(&text))).is_err()),
        "refused: x"
    );
    assert_eq!(one(|| store.recorded::<Refused<'_>>(None).is_ok()).1, None);
}

#[test]
fn generic_errors_are_as_much_as_their_bounds_say() {
    let text = String::from("x");
    let refused = || Refused::new(&text);
    assert_eq!(message(|| generic(refused()).is_err()), "");
    assert!(message(|| block_on(generic_debug(refused())).is_err()).starts_with("Refused {"));
    assert_eq!(
        message(|| generic_display(refused()).is_err()),
        "refused: x"
    );
    assert_eq!(message(|| generic_error(refused()).is_err()), "refused: x");
}

#[test]
fn they_keep_their_class_and_chain() {
    let class = |f: &dyn Fn()| {
        let seen = testing::observe();
        f();
        let calls = seen.calls();
        let error = calls[0].error.as_ref().unwrap();
        (error.class, error.chain.clone())
    };
    let timed_out = || io::Error::from(io::ErrorKind::TimedOut);
    let reset = vec![io::Error::from(io::ErrorKind::ConnectionReset).to_string()];
    assert_eq!(class(&|| drop(sync("x"))), (ErrorClass::Connection, reset));
    assert_eq!(class(&|| drop(any("x"))).0, ErrorClass::Timeout);
    assert_eq!(
        class(&|| drop(generic_error(timed_out()))).0,
        ErrorClass::Timeout
    );
    assert_eq!(
        class(&|| assert!(generic_error(&timed_out()).is_err())).0,
        ErrorClass::Timeout
    );
}

/// A list of numbers or one number, by hand.
#[derive(Debug, PartialEq)]
struct Numbers<T>(Vec<T>);

#[observe]
mod by_hand {
    use super::*;

    pub(super) struct Seed<T>(pub(super) PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Seed<T> {
        type Value = Numbers<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
            let mut numbers = Vec::new();
            while let Some(number) = all.next_element()? {
                numbers.push(number);
            }
            Ok(Numbers(numbers))
        }

        fn visit_map<A>(self, mut map: A) -> Result<Self::Value, A::Error>
        where
            A: MapAccess<'de>,
        {
            let mut numbers = Vec::new();
            while let Some((_, number)) = map.next_entry::<&str, T>()? {
                numbers.push(number);
            }
            Ok(Numbers(numbers))
        }

        fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Err(E::custom(text))
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E>
        where
            E: serde::de::Error,
        {
            Err(E::custom(text))
        }
    }

    impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Seed<T> {
        type Value = Numbers<T>;

        fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
            from.deserialize_any(self)
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Numbers<T> {
        fn deserialize<D>(from: D) -> Result<Self, D::Error>
        where
            D: Deserializer<'de>,
        {
            Seed(PhantomData).deserialize(from)
        }
    }

    impl<T: Serialize> Serialize for Numbers<T> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut seq = to.serialize_seq(Some(self.0.len()))?;
            for number in &self.0 {
                seq.serialize_element(number)?;
            }
            seq.end()
        }
    }
}

#[test]
fn serde_by_hand() {
    let read = |text: &'static str| serde_json::from_str::<Numbers<u8>>(text);
    assert_eq!(one(|| read("[1, 2]")).0.unwrap(), Numbers(vec![1, 2]));
    assert_eq!(one(|| read("{\"a\": 3}")).0.unwrap(), Numbers(vec![3]));
    assert_eq!(
        message(|| read("\"text\"").is_err()),
        "text at line 1 column 6"
    );
    let written = one(|| serde_json::to_string(&Numbers(vec![1, 2])));
    assert_eq!(written.0.unwrap(), "[1,2]");
}

#[observe]
fn letter(input: &str) -> IResult<&str, char> {
    char('x')(input)
}

#[observe]
fn named<'a, E>(input: &'a str) -> IResult<&'a str, &'a str, E>
where
    E: ParseError<&'a str> + ContextError<&'a str>,
{
    delimited(tag("<"), alpha1, tag(">"))(input)
}

#[observe]
fn finished<'a, E: ParseError<&'a str>>(input: &'a str) -> Result<(&'a str, char), nom::Err<E>> {
    char('x')(input)
}

#[test]
fn nom_parsers() {
    assert_eq!(one(|| letter("xy")), (Ok(("y", 'x')), None));
    assert!(message(|| letter("y").is_err()).contains("Parsing Error"));
    let parsed = one(|| named::<nom::error::Error<&str>>("<a>"));
    assert_eq!(parsed, (Ok(("", "a")), None));
    assert_eq!(
        message(|| named::<nom::error::Error<&str>>("a").is_err()),
        ""
    );
    assert_eq!(message(|| finished::<(_, _)>("a").is_err()), "");
}
