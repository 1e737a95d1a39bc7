//! What happened before an error: the latest log lines and calls of every thread, in rings of
//! bounded size, for trackers to show beside it.
//!
//! A thread writes to its own ring, so that nobody waits for anybody: a call costs an uncontended
//! lock and a copy of some 80 bytes, a line also the copy of its text, and neither allocates once
//! the thread has its ring. The text of a call is composed only when an error is reported. The
//! sink is installed only where there is a tracker. Everything in here has been redacted. It must not
//! know what a tracker is.

mod breadcrumb;
mod ring;
mod sink;
mod threads;

#[cfg(test)]
mod tests;

pub use breadcrumb::Breadcrumb;

pub(crate) use sink::Breadcrumbs;
pub(crate) use threads::before;
