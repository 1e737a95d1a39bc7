//! Arguments live as long and are dropped in the same order as without the attribute, and all of
//! them before the call ends.

use std::{cell::RefCell, rc::Rc};

use llm_observe::{observe, testing};

type Log = Rc<RefCell<Vec<&'static str>>>;

struct Noisy(&'static str, Log);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// Makes each function twice: with the attribute and without.
macro_rules! twice {
    ($($(#[$allow:meta])* async fn $name:ident($($args:tt)*) $body:block)*) => {
        mod plain {
            use super::*;
            $($(#[$allow])* pub(crate) async fn $name($($args)*) $body)*
        }
        mod annotated {
            use super::*;
            $(#[observe] $(#[$allow])* pub(crate) async fn $name($($args)*) $body)*
        }
        mod plain_sync {
            use super::*;
            $($(#[$allow])* pub(crate) fn $name($($args)*) $body)*
        }
        mod annotated_sync {
            use super::*;
            $(#[observe] $(#[$allow])* pub(crate) fn $name($($args)*) $body)*
        }
    };
}

twice! {
    #[allow(clippy::unused_async)]
    async fn simple(a: Noisy, b: Noisy, c: Noisy) {
        let _local = Noisy("local", a.1.clone());
        let _ = (&a, &b, &c);
    }

    #[allow(unused_variables, clippy::unused_async)]
    async fn unused(a: Noisy, b: Noisy, _: Noisy, c: Noisy) {
        let _local = Noisy("local", b.1.clone());
    }

    #[allow(clippy::unused_async)]
    async fn patterns((a, _): (Noisy, Noisy), b: Noisy, (_, c): (Noisy, Noisy), d: Noisy) {
        let _local = Noisy("local", a.1.clone());
        let _ = (&d, &b, &c);
    }

    #[allow(unused_assignments, clippy::unused_async)]
    async fn reassigned(a: Noisy, mut b: Noisy, c: Noisy) {
        let log = a.1.clone();
        b = Noisy("b2", log);
        let _ = (&b, &c);
    }

    #[allow(clippy::unused_async)]
    async fn moved(a: Noisy, b: Noisy, c: Noisy) {
        drop(b);
        let inner = c;
        let _ = (&a, &inner);
    }
}

macro_rules! check {
    ($($name:ident($n:ident: $($arg:expr),*);)*) => {$(
        #[tokio::test]
        async fn $name() {
            let _seen = testing::observe();
            let (plain, annotated) = (Log::default(), Log::default());
            {
                let $n = |name| Noisy(name, plain.clone());
                plain::$name($($arg),*).await;
                plain.borrow_mut().push("end");
                plain_sync::$name($($arg),*);
                plain.borrow_mut().push("end");
            }
            {
                let $n = |name| Noisy(name, annotated.clone());
                annotated::$name($($arg),*).await;
                annotated.borrow_mut().push("end");
                annotated_sync::$name($($arg),*);
                annotated.borrow_mut().push("end");
            }
            assert!(plain.borrow().len() > 6);
            assert_eq!(annotated.take(), plain.take());
        }
    )*};
}

check! {
    simple(n: n("a"), n("b"), n("c"));
    unused(n: n("a"), n("b"), n("_"), n("c"));
    patterns(n: (n("a0"), n("a1")), n("b"), (n("c0"), n("c1")), n("d"));
    reassigned(n: n("a"), n("b"), n("c"));
    moved(n: n("a"), n("b"), n("c"));
}

#[observe(event = "outer")]
fn outer(noisy: Inner) {
    let _ = &noisy;
}

struct Inner;

impl Drop for Inner {
    fn drop(&mut self) {
        dropped();
    }
}

#[observe(event = "dropped")]
fn dropped() {}

#[test]
fn what_drops_with_an_argument_is_inside_the_call() {
    let seen = testing::observe();
    outer(Inner);
    let calls = seen.calls();
    assert_eq!(
        calls.iter().map(|c| c.event()).collect::<Vec<_>>(),
        ["dropped", "outer"]
    );
    assert_eq!(calls[0].parent_id, calls[1].span_id);
}
