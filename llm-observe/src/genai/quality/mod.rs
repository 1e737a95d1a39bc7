//! How good answers are: scores that a program gives, evaluators that run in the background, and what a
//! search has found.
//!
//! The types are there under every feature; what takes scores and runs evaluators needs `genai`.

mod evaluated;
#[cfg(feature = "genai")]
mod evaluations;
#[cfg(feature = "genai")]
mod recorder;
mod retrieved;
#[doc(hidden)]
pub mod retrieved_type;
mod score;

pub use self::{
    evaluated::EvaluatorOutput,
    retrieved::Retrieved,
    score::{Score, score},
};
#[cfg(feature = "genai")]
pub(super) use self::{evaluations::Evaluations, recorder::QualityRecorder};

#[cfg(feature = "genai")]
#[doc(hidden)]
pub use self::evaluations::evaluate;
#[cfg(feature = "genai")]
use self::recorder::record;
#[cfg(not(feature = "genai"))]
#[doc(hidden)]
pub use super::operation::evaluate;
#[cfg(not(feature = "genai"))]
use super::operation::record;

/// Returns what an evaluator gets where the attribute does not say: the returned value.
#[doc(hidden)]
pub fn cloned<T: Clone>(value: &T) -> T {
    value.clone()
}
