//! What a call hands out, and its context, as a scoped observer sees them.

use std::thread;

use futures_util::{StreamExt, stream};
use llm_observe::{CurrentCallExt as _, Outcome, context, current, observe, testing};
use rayon::prelude::*;

use super::{IDS, work, work_now};

#[tokio::test]
async fn a_scoped_observer_sees_all_that_is_taken_along() {
    #[observe]
    async fn hand_out_here() {
        llm_observe::spawn(work("spawn")).await.unwrap();
        llm_observe::spawn_blocking(|| work_now("blocking"))
            .await
            .unwrap();
        tokio::spawn(work("task").in_current_call()).await.unwrap();
        thread::spawn(current().wrap(|| work_now("thread")))
            .join()
            .unwrap();
        ["rayon"]
            .into_par_iter()
            .for_each(current().wrap_fn(work_now));
        tokio::spawn(
            stream::iter(["stream"])
                .then(work)
                .in_current_call()
                .count(),
        )
        .await
        .unwrap();
    }
    let observer = testing::observe();
    context().user("u-1").scope(hand_out_here()).await;
    let (parent, calls) = (
        &observer.calls_of("hand_out_here")[0],
        observer.calls_of("work"),
    );
    assert_eq!(calls.len(), 6);
    for call in calls {
        assert_eq!(
            (call.trace_id, call.parent_id),
            (parent.trace_id, parent.span_id)
        );
        assert_eq!(call.fields.get("user.id").unwrap().to_string(), "u-1");
    }
}

#[tokio::test]
async fn what_is_dropped_with_a_task_belongs_to_the_call_that_spawned_it() {
    #[observe]
    async fn give_up() {
        let waiting = llm_observe::spawn(async { waiting().await });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
    #[observe]
    async fn waiting() {
        std::future::pending::<()>().await;
    }
    let observer = testing::observe();
    give_up().await;
    let (waiting, parent) = (&observer.calls()[0], &observer.calls()[1]);
    assert_eq!(waiting.outcome, Outcome::Cancelled);
    assert_eq!(
        (waiting.trace_id, waiting.parent_id),
        (parent.trace_id, parent.span_id)
    );
}

#[test]
fn contexts_nest_and_end_with_their_scope() {
    let observer = testing::observe();
    let outer = context().user("u-1").tenant("acme");
    // Made outside: its own values are over those that surround its work.
    let elsewhere = context().user("u-2");
    outer.in_scope(|| {
        work_now("outer");
        context().conversation("c-1").in_scope(|| work_now("inner"));
        elsewhere.in_scope(|| work_now("elsewhere"));
        context().user("").in_scope(|| work_now("removed"));
        assert_eq!(context().get("user.id"), Some("u-1"));
    });
    work_now("after");
    let ids: Vec<_> = observer
        .calls()
        .iter()
        .map(|call| {
            let value = |name| {
                call.fields
                    .get(name)
                    .map(ToString::to_string)
                    .unwrap_or_default()
            };
            IDS.map(|(name, _)| value(name))
        })
        .collect();
    let expected = [
        ["", "u-1", "acme"],
        ["c-1", "u-1", "acme"],
        ["", "u-2", "acme"],
        ["", "", "acme"],
        ["", "", ""],
    ];
    assert_eq!(ids, expected);
}

/// What is in its scope still belongs to the call around it: errors that pass up are known again, and
/// values are recorded on it.
#[tokio::test]
async fn a_context_does_not_come_between_a_call_and_its_children() {
    #[observe]
    async fn outer() -> Result<(), std::io::Error> {
        let work = async {
            current().record("noted", 1);
            inner().await
        };
        context().tenant("acme").scope(work).await
    }
    #[observe]
    async fn inner() -> Result<(), std::io::Error> {
        Err(std::io::Error::other("refused"))
    }
    let observer = testing::observe();
    outer().await.unwrap_err();
    let (inner, outer) = (&observer.calls()[0], &observer.calls()[1]);
    assert_eq!(inner.parent_id, outer.span_id);
    assert!(outer.passed_on && !inner.passed_on);
    assert_eq!(outer.fields.get("noted").unwrap().to_string(), "1");
}
