//! The durable queue of everything that leaves the process.
//!
//! A parcel is on disk before [`Outbox::put`] returns (which background threads call, never an
//! annotated function), and is removed once its destination accepted or refused it: at least once,
//! also over a crash, since the next process restores what it finds. Every destination has its
//! own tasks, order, backoff and limits, so that a slow one delays no other. What is lost is
//! counted with its reason in `llm_observe_deliveries_total`.
//!
//! Public are the types that a [`Channel`](crate::alerts::Channel) or a
//! [`Tracker`](crate::trackers::Tracker) of your own needs. The queue itself is internal.
//!
//! It must not know what a parcel means: bodies are final, redacted bytes.

mod attempt;
pub(crate) mod background;
mod burst;
mod counts;
mod delivery;
mod delivery_log;
mod destination;
mod destination_queue;
mod drain;
mod guard;
mod handle;
pub(crate) mod http;
mod options;
pub(crate) mod origin;
mod owner;
mod parcel;
pub(crate) mod private;
mod queue;
mod report;
mod state;
mod store;
pub(crate) mod text;
mod thread;
mod time;

#[cfg(test)]
pub(crate) mod tests;

pub use delivery::{Delivery, DeliveryFuture};
pub use destination::{Destination, LossReason};
pub use parcel::Parcel;

pub(crate) use guard::caught;
pub(crate) use handle::Outbox;
pub(crate) use options::OutboxOptions;
pub(crate) use thread::is_delivering;
pub(crate) use time::{micros, now_micros};
