//! What a search has found.

use std::sync::Arc;

/// What a search returns: how many documents, and how well the best one fits.
///
/// A function with `operation = retrieval` counts empty results and scores by it. It is recognised by
/// type, in a `Result`, `Option`, `Box` or `Arc`. Documents with their scores, `Vec<(T, f32)>` or
/// `Vec<(T, f64)>`, are known already:
///
/// ```
/// use llm_observe::{genai::Retrieved, observe, testing};
///
/// struct Found(Vec<String>);
///
/// impl Retrieved for Found {
///     fn documents(&self) -> usize {
///         self.0.len()
///     }
/// }
///
/// #[observe(operation = retrieval, data_source = "handbook")]
/// fn search(question: &str) -> Found {
///     Found(Vec::new())
/// }
///
/// let seen = testing::observe();
/// search("why?");
/// # #[cfg(feature = "genai")]
/// assert_eq!(seen.calls()[0].items, Some(0));
/// # #[cfg(all(feature = "genai", feature = "metrics"))]
/// assert!(seen.metrics().contains("llm_observe_retrieval_empty_total"));
/// ```
pub trait Retrieved {
    /// Returns the number of documents.
    fn documents(&self) -> usize;

    /// Returns the score of the document that fits best, where documents have scores and a higher one
    /// is better.
    fn top_score(&self) -> Option<f64> {
        None
    }
}

macro_rules! scored {
    ($($float:ty)+) => {$(
        impl<T> Retrieved for [(T, $float)] {
            fn documents(&self) -> usize {
                self.len()
            }

            fn top_score(&self) -> Option<f64> {
                let scores = self.iter().map(|(_, score)| f64::from(*score));
                scores.filter(|score| score.is_finite()).reduce(f64::max)
            }
        }

        impl<T> Retrieved for Vec<(T, $float)> {
            fn documents(&self) -> usize {
                self.len()
            }

            fn top_score(&self) -> Option<f64> {
                self.as_slice().top_score()
            }
        }
    )+};
}

scored!(f32 f64);

impl<R: Retrieved> Retrieved for Option<R> {
    fn documents(&self) -> usize {
        self.as_ref().map_or(0, R::documents)
    }

    fn top_score(&self) -> Option<f64> {
        self.as_ref()?.top_score()
    }
}

macro_rules! behind {
    ($($pointer:ty)+) => {$(
        impl<R: Retrieved + ?Sized> Retrieved for $pointer {
            fn documents(&self) -> usize {
                (**self).documents()
            }

            fn top_score(&self) -> Option<f64> {
                (**self).top_score()
            }
        }
    )+};
}

behind!(&R Box<R> Arc<R>);
