//! Answers of models as JSON: the rules that [`Response`](super::Response) for `serde_json::Value` and the
//! reader of observed HTTP responses share, so that they cannot disagree.

mod counts;
mod usage_formats;

// Without a document in memory, the reader of HTTP bodies has a table of its own (`http/client/`). A test
// there reads each of the cases both ways.
#[cfg(test)]
pub(crate) mod cases;
#[cfg(feature = "genai")]
mod shapes;
#[cfg(all(test, feature = "genai"))]
mod tests;
#[cfg(feature = "genai")]
mod value;

pub(crate) use counts::TokenCounts;

/// The longest name, id or reason that is taken, in bytes. A longer one is absent.
#[cfg(feature = "genai")]
pub(crate) const MAX_TEXT: usize = 256;

/// States of a response of OpenAI that has not finished.
pub(crate) const UNFINISHED: [&str; 2] = ["in_progress", "queued"];

/// The state of a response of OpenAI whose reason to stop is in `incomplete_details`.
#[cfg(feature = "http-client")]
pub(crate) const INCOMPLETE: &str = "incomplete";
