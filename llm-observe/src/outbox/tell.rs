//! What the log is told of deliveries: what is new, once. These lines are lines only: no alert and
//! no report comes of them, or an outbox that fails would feed itself.

use std::{
    collections::HashSet,
    io,
    sync::{Mutex, PoisonError},
};

use super::{Delivery, queue::Turn};

/// What was said already of each destination, until it takes something again.
#[derive(Debug, Default)]
pub(super) struct Told {
    said: Mutex<HashSet<(String, String)>>,
}

/// The stand-in for a destination where the folder is what fails.
const FOLDER: &str = "";

impl Told {
    /// Tells how an attempt ended, and what it says of the destination.
    pub(super) fn attempt(&self, name: &str, how: &Delivery, turn: &Turn) {
        match how {
            Delivery::Delivered => self.forget(name),
            Delivery::Retry { reason, .. } => {
                tracing::info!(target: "llm_observe::outbox", destination = name, reason, "a delivery failed and will be tried again");
            }
            Delivery::Refused { reason } => {
                if self.is_new(name, reason) {
                    tracing::error!(target: "llm_observe::outbox", destination = name, reason, "a delivery was refused for good; further ones for the same reason are only counted");
                }
            }
        }
        match (turn, how) {
            (Turn::Down, Delivery::Retry { reason, .. }) => {
                tracing::warn!(target: "llm_observe::outbox", destination = name, reason, "the destination cannot be reached: what is for it is kept and tried again");
            }
            (Turn::Up, _) => {
                tracing::info!(target: "llm_observe::outbox", destination = name, "the destination can be reached again");
            }
            _ => {}
        }
    }

    /// Tells that parcels were given up undelivered.
    pub(super) fn given_up(&self, name: &str, why: &str) {
        if self.is_new(name, why) {
            tracing::warn!(target: "llm_observe::outbox", destination = name, why, "undelivered reports or alerts are given up; further ones are only counted");
        }
    }

    /// Tells that parcels wait for a destination that is not there: of an earlier configuration.
    pub(super) fn stranger(&self, name: &str) {
        if self.is_new(name, "stranger") {
            tracing::warn!(target: "llm_observe::outbox", destination = name, "reports or alerts wait for a destination that is not configured: they are kept until they are too old");
        }
    }

    /// Tells that parcels in the folder cannot be read.
    pub(super) fn corrupt(&self, count: u64) {
        tracing::warn!(target: "llm_observe::outbox", count, "corrupt parcels in the outbox folder were removed");
    }

    /// Tells that the folder cannot be opened.
    pub(super) fn no_folder(&self, error: &io::Error, dir: &str) {
        tracing::warn!(target: "llm_observe::outbox", %error, dir, "the outbox folder cannot be used: undelivered reports and alerts are lost with the process");
    }

    /// Tells that the folder does not take a parcel.
    pub(super) fn disk(&self, error: &io::Error) {
        if self.is_new(FOLDER, "") {
            tracing::warn!(target: "llm_observe::outbox", %error, "the outbox folder cannot be written: new reports and alerts are kept in memory");
        }
    }

    fn is_new(&self, name: &str, what: &str) -> bool {
        let said = (name.to_owned(), what.to_owned());
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(said)
    }

    fn forget(&self, name: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|(of, _)| of != name);
    }
}
