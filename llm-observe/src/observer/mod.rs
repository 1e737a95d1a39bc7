//! An observer: what happens to the calls that report to it.
//!
//! [`Pipeline`] is what a record goes through, [`SiteView`](site_view::SiteView) what is worked out
//! once for each site, [`Dispatcher`] what the kernel sees of both. Sinks are
//! known only as [`Sink`](crate::kernel::sink::Sink).

mod child_failure;
mod decision;
mod dispatcher;
mod pipeline;
mod setup;
mod site_view;
mod stalls;

#[cfg(test)]
pub(crate) use decision::alerts_of;
pub(crate) use dispatcher::Dispatcher;
pub(crate) use pipeline::{Pipeline, tracing_level};
pub(crate) use setup::{OperationKind, Setup};
