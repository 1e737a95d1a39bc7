//! What searches find.

use super::*;

fn of(seen: &TestObserver, name: &str, event: &str) -> f64 {
    let name = format!("llm_observe_retrieval_{name}");
    value(&seen.metrics(), &name, &[("event", event)])
}

#[observe(event = "search", operation = retrieval, data_source = "handbook")]
fn search(hits: &[f32]) -> Result<Vec<(&'static str, f32)>, String> {
    match hits {
        [h] if h.is_infinite() => Err("no index".to_owned()),
        hits => Ok(hits.iter().map(|hit| ("a document", *hit)).collect()),
    }
}

#[test]
fn documents_with_scores_are_known_by_their_type() {
    let seen = testing::observe();
    search(&[0.25, 0.75]).unwrap();
    assert_eq!(of(&seen, "empty_total", "search"), 0.0);
    assert!(is_there(
        &seen.metrics(),
        "llm_observe_retrieval_empty_total"
    ));
    search(&[]).unwrap();
    search(&[f32::INFINITY]).unwrap_err();
    assert_eq!(
        of(&seen, "empty_total", "search"),
        1.0,
        "a failure is not empty"
    );
    assert_eq!(of(&seen, "top_score_sum", "search"), 0.75);
    assert_eq!(of(&seen, "top_score_count", "search"), 1.0);
    let items: Vec<_> = seen.calls().iter().map(|call| call.items).collect();
    assert_eq!(items, [Some(2), Some(0), None]);
}

#[test]
fn a_type_of_the_programs_says_it_itself() {
    struct Found(f64);
    impl Retrieved for Found {
        fn documents(&self) -> usize {
            1
        }

        fn top_score(&self) -> Option<f64> {
            Some(self.0)
        }
    }
    #[observe(event = "own", operation = retrieval)]
    async fn own(score: f64) -> Option<Box<Found>> {
        (score >= 0.0).then(|| Box::new(Found(score)))
    }
    #[tokio::main(flavor = "current_thread")]
    async fn searches() {
        for score in [2.5, f64::NAN, f64::INFINITY, 1e308, -1.0] {
            own(score).await;
        }
    }
    let seen = testing::observe();
    searches();
    assert_eq!(
        of(&seen, "top_score_count", "own"),
        1.0,
        "no number spoils the sum"
    );
    assert_eq!(of(&seen, "top_score_sum", "own"), 2.5);
    // A score that is no number is below 0, and so is -1.
    assert_eq!(of(&seen, "empty_total", "own"), 2.0);
}

#[test]
fn other_types_have_items_and_quality() {
    #[observe(event = "keys", operation = retrieval,
              items = |hits| hits.len(), quality = |hits| hits.first().copied())]
    fn keys(hits: Vec<f64>) -> Vec<f64> {
        hits
    }
    #[observe(event = "no_retrieval", items = |hits| hits.len())]
    fn no_retrieval() -> Vec<(u8, f64)> {
        Vec::new()
    }
    let seen = testing::observe();
    keys(vec![0.5, 0.25]);
    keys(Vec::new());
    no_retrieval();
    assert_eq!(of(&seen, "empty_total", "keys"), 1.0);
    assert_eq!(of(&seen, "top_score_sum", "keys"), 0.5);
    assert_eq!(of(&seen, "top_score_count", "keys"), 1.0);
    assert_eq!(of(&seen, "empty_total", "no_retrieval"), 0.0);
}
