//! Whole `impl` blocks, traits and modules.

use llm_observe::{Outcome, observe, testing};

struct Store {
    all: Vec<String>,
}

#[observe(
    event = "store",
    alert_on_error,
    timeout = "20ms",
    expected(Refused::Busy)
)]
impl Store {
    const LIMIT: usize = 2;

    const fn limit() -> usize {
        Self::LIMIT
    }

    fn push(&mut self, text: &str) -> Result<usize, Refused> {
        if self.all.len() == Self::limit() {
            return Err(Refused::Busy);
        }
        self.all.push(text.to_owned());
        Ok(self.all.len())
    }

    #[observe(event = "search", alert_on_error = false)]
    async fn search(&self, text: &str) -> Result<usize, Refused> {
        tokio::task::yield_now().await;
        self.all
            .iter()
            .position(|t| t == text)
            .ok_or(Refused::Missing)
    }

    async fn hang(&self) -> Result<usize, Refused> {
        std::future::pending().await
    }

    #[observe(skip)]
    fn len(&self) -> usize {
        self.all.len()
    }

    fn clear(&mut self) {
        self.all.clear();
    }
}

#[derive(Debug, PartialEq)]
enum Refused {
    Busy,
    Missing,
    Late,
}

impl From<llm_observe::Elapsed> for Refused {
    fn from(_: llm_observe::Elapsed) -> Refused {
        Refused::Late
    }
}

#[observe(event = "rank")]
trait Rank {
    type Item;
    const N: usize = { 1 + 1 };
    fn item(&self) -> Self::Item;
    fn rank(&self) -> usize {
        Self::N
    }
}

#[observe(event = "ranked")]
impl Rank for Store {
    type Item = usize;
    fn item(&self) -> usize {
        self.all.len()
    }
}

#[observe(event = "within")]
mod within {
    //! A module.

    pub(crate) struct Unit;
    #[derive(Default)]
    pub(crate) struct Braces {
        pub(crate) n: u8,
    }
    pub(crate) const ALL: Braces = Braces { n: 4 };
    use std::fmt::{Display, Formatter, Result};
    macro_rules! four {
        () => {
            4
        };
    }

    pub(crate) fn free() -> u8 {
        ALL.n + four!()
    }

    impl Unit {
        pub(crate) fn method(&self) -> u8 {
            free()
        }
    }

    #[observe(skip)]
    impl Display for Unit {
        fn fmt(&self, f: &mut Formatter<'_>) -> Result {
            f.write_str("unit")
        }
    }

    pub(crate) mod deeper {
        #[observe(event = "own")]
        pub(crate) fn own() {}
        pub(crate) fn inherited() {}
    }
}

#[tokio::test]
async fn each_function_with_the_keys_of_the_block_and_its_own() {
    let seen = testing::observe();
    let mut store = Store { all: vec![] };
    store.push("a").unwrap();
    store.push("b").unwrap();
    store.push("c").unwrap_err();
    store.search("x").await.unwrap_err();
    assert_eq!(store.hang().await, Err(Refused::Late));
    assert_eq!(store.len(), 2);
    store.clear();
    let calls = seen.calls();
    let events: Vec<_> = calls
        .iter()
        .map(|c| (c.event(), c.outcome, c.expected))
        .collect();
    assert_eq!(
        events,
        [
            ("store", Outcome::Ok, false),
            ("store", Outcome::Ok, false),
            ("store", Outcome::Error, true),
            ("search", Outcome::Error, false),
            ("store", Outcome::Timeout, false),
            ("store", Outcome::Ok, false),
        ]
    );
    assert_eq!(calls[0].site.alerts.len(), 1);
    assert!(calls[3].site.alerts.is_empty());
}

#[test]
fn traits_and_their_impls() {
    let seen = testing::observe();
    let store = Store { all: vec![] };
    assert_eq!((store.item(), store.rank()), (0, 2));
    let calls = seen.calls();
    assert_eq!((calls[0].event(), calls[1].event()), ("ranked", "rank"));
}

#[test]
fn modules_and_what_is_in_them() {
    let seen = testing::observe();
    assert_eq!(within::Unit.method(), 8);
    assert_eq!(within::Unit.to_string(), "unit");
    within::deeper::own();
    within::deeper::inherited();
    let calls = seen.calls();
    let functions: Vec<_> = calls.iter().map(|c| (c.event(), c.function())).collect();
    assert_eq!(
        functions,
        [
            ("within", "shapes_blocks::within::free"),
            ("within", "shapes_blocks::within::Unit::method"),
            ("own", "shapes_blocks::within::deeper::own"),
            ("within", "shapes_blocks::within::deeper::inherited"),
        ]
    );
}
