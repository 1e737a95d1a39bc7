//! No input makes the macro panic, and the function is always emitted.

use proc_macro2::TokenStream;
use proptest::prelude::*;

use crate::{args, errors::Errors, init::init, observe::observe};

const WORDS: &[&str] = &[
    "event",
    "level",
    "name",
    "fields",
    "args",
    "skip",
    "skip_all",
    "ret",
    "err",
    "alert",
    "on",
    "error",
    "alert_on_error",
    "expected",
    "ok_if",
    "error_if",
    "report",
    "slow",
    "stalled",
    "timeout",
    "sample",
    "items",
    "quality",
    "min_quality",
    "crate",
    "operation",
    "stream",
    "parent",
    "channel",
    "after",
    "within",
    "severity",
    "self",
    "x",
    "r#type",
    "=",
    ",",
    "|",
    "||",
    "%",
    "?",
    ".",
    "::",
    "-",
    "#",
    "!",
    "'a",
    "\"embedding\"",
    "\"2s\"",
    "\"\"",
    "0.5",
    "1e999",
    "340282366920938463463374607431768211456",
    "0x",
    "2",
    "true",
    "b'x'",
    "async",
    "fn",
    "const",
    "unsafe",
    "impl",
    "trait",
    "mod",
    "struct",
    "for",
    "where",
    "->",
    ";",
    "<",
    ">",
    "&",
    "mut",
    "_",
];

/// Texts of tokens in balanced brackets.
fn tokens() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(WORDS).prop_map(str::to_owned);
    word.prop_recursive(4, 40, 8, |inner| {
        let list = proptest::collection::vec(inner, 0..8).prop_map(|words| words.join(" "));
        prop_oneof![
            list.clone(),
            list.clone().prop_map(|l| format!("({l})")),
            list.clone().prop_map(|l| format!("{{{l}}}")),
            list.prop_map(|l| format!("[{l}]")),
        ]
    })
}

proptest! {
    #[test]
    fn no_arguments_make_it_panic(args in tokens()) {
        if let Ok(args) = args.parse::<TokenStream>() {
            let function: TokenStream = "async fn kept(x: String) -> R { x }".parse().unwrap();
            let expanded = observe(args, function).to_string();
            prop_assert!(expanded.contains("fn kept"));
        }
    }

    #[test]
    fn no_item_makes_it_panic(item in tokens(), args in tokens()) {
        if let (Ok(item), Ok(args)) = (item.parse::<TokenStream>(), args.parse::<TokenStream>()) {
            observe(TokenStream::new(), item.clone());
            observe(args.clone(), item.clone());
            init(args.clone());
            let block: TokenStream = quote::quote!(impl Kept { #[observe(#args)] fn f(&self) {} #item });
            prop_assert!(observe(TokenStream::new(), block).to_string().contains("Kept"));
        }
    }
}

fn mistakes(text: &str) -> Vec<String> {
    let mut errors = Errors::default();
    args::parse(text.parse().unwrap(), &mut errors);
    errors.texts()
}

#[test]
fn each_mistake_is_told_once() {
    for (text, count) in [
        ("event = \"a\", level = 3, name = \"n\"", 0),
        ("\"name\", target = T", 0),
        ("evnt = \"x\", slow = \"2\", sample = 2", 3),
        ("alert(on(eror), chanel = 3, after = 0)", 2),
        ("fields(a b c), args(x y), skip(1)", 3),
        ("expected(A B), ok_if = 3", 2),
        ("alert(on()), alert(on(error), on(slow))", 2),
    ] {
        assert_eq!(mistakes(text).len(), count, "{text}: {:?}", mistakes(text));
    }
}
