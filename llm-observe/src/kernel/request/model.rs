//! What is counted of a request that asked a model. A plain value; knows no metric.

use std::time::Duration;

/// A request to a model that has ended. Its labels are bounded already.
pub(crate) struct ModelCall<'a> {
    pub(crate) operation: &'static str,
    pub(crate) provider: &'static str,
    /// The model that answered.
    pub(crate) model: Option<&'a str>,
    /// The labels of the host, among others.
    pub(crate) server: &'a [(&'static str, String)],
    pub(crate) error_type: Option<&'a str>,
    pub(crate) duration: Duration,
    /// From the start to the first event, where the answer was a stream.
    pub(crate) first_chunk: Option<Duration>,
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
}
