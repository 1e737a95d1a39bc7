//! What errors are reported to.

use super::{report::Report, scope::TrackerScope};
use crate::{outbox::Destination, redact::Redacted};

/// A service that errors are reported to. Write your own and give it to
/// [`Builder::tracker`](crate::Builder::tracker):
///
/// ```
/// use llm_observe::{
///     outbox::{Delivery, DeliveryFuture, Destination, Parcel},
///     redact::Redacted,
///     trackers::{Report, Tracker},
/// };
///
/// /// A file with one line for each error.
/// struct ErrorFile(std::path::PathBuf);
///
/// impl Tracker for ErrorFile {
///     fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
///         report.as_ref().map(|report| format!("{}: {}\n", report.function, report.message).into())
///     }
/// }
///
/// impl Destination for ErrorFile {
///     fn name(&self) -> &str {
///         "error-file"
///     }
///
///     fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
///         Box::pin(async move {
///             use std::io::Write;
///             let file = std::fs::File::options().append(true).create(true).open(&self.0);
///             match file.and_then(|mut file| file.write_all(parcel.body())) {
///                 Ok(()) => Delivery::Delivered,
///                 Err(error) => Delivery::retry(error.to_string()),
///             }
///         })
///     }
/// }
/// ```
pub trait Tracker: Destination {
    /// Returns the body for `report`, as [`Destination::deliver`] is to send it. An empty one is
    /// not sent.
    ///
    /// Only what is derived from the redacted report can become a body: use [`Redacted::map`].
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>>;

    /// Returns whether `report` is to be sent, for example by a sample rate. Default: all are.
    fn takes(&self, report: &Report) -> bool {
        let _ = report;
        true
    }

    /// Returns the category in which the tracker's rate limits count reports. Default: none.
    fn category(&self) -> &str {
        ""
    }

    /// Returns what only the thread of the failing call knows; [`Tracker::encode`] finds it in
    /// [`Report::scope`]. It must not block. Default: nothing.
    fn scope(&self) -> Option<TrackerScope> {
        None
    }
}
