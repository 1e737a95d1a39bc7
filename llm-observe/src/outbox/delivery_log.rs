//! Log lines about deliveries: each new condition once. They never become alerts or reports:
//! otherwise an outbox that fails would feed itself.

use std::{
    collections::HashSet,
    io,
    sync::{Mutex, PoisonError},
};

use super::{delivery::Delivery, destination_queue::Availability};

/// The conditions already logged for each destination, until it accepts something again.
#[derive(Debug, Default)]
pub(super) struct DeliveryLog {
    logged: Mutex<HashSet<(String, String)>>,
}

/// Stands for the folder in place of a destination.
const FOLDER: &str = "";

impl DeliveryLog {
    /// Logs how an attempt ended, and whether the destination went down or came back by it.
    pub(super) fn attempt(&self, name: &str, result: &Delivery, availability: &Availability) {
        match result {
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
        match (availability, result) {
            (Availability::Down, Delivery::Retry { reason, .. }) => {
                tracing::warn!(target: "llm_observe::outbox", destination = name, reason, "the destination cannot be reached: what is for it is kept and tried again");
            }
            (Availability::Up, _) => {
                tracing::info!(target: "llm_observe::outbox", destination = name, "the destination can be reached again");
            }
            _ => {}
        }
    }

    /// Logs that parcels were given up undelivered.
    pub(super) fn given_up(&self, name: &str, why: &str) {
        if self.is_new(name, why) {
            tracing::warn!(target: "llm_observe::outbox", destination = name, why, "undelivered reports or alerts are given up; further ones are only counted");
        }
    }

    /// Logs that parcels wait for a destination of an earlier configuration.
    pub(super) fn unknown_destination(&self, name: &str) {
        if self.is_new(name, "unknown destination") {
            tracing::warn!(target: "llm_observe::outbox", destination = name, "reports or alerts wait for a destination that is not configured: they are kept until they are too old");
        }
    }

    /// Logs that parcels in the folder cannot be read.
    pub(super) fn corrupt(&self, count: u64) {
        tracing::warn!(target: "llm_observe::outbox", count, "corrupt parcels in the outbox folder were removed");
    }

    /// Logs that the folder cannot be opened.
    pub(super) fn no_folder(&self, error: &io::Error, dir: &str) {
        tracing::warn!(target: "llm_observe::outbox", %error, dir, "the outbox folder cannot be used: undelivered reports and alerts are lost with the process");
    }

    /// Logs that a parcel cannot be written.
    pub(super) fn disk(&self, error: &io::Error) {
        if self.is_new(FOLDER, "") {
            tracing::warn!(target: "llm_observe::outbox", %error, "the outbox folder cannot be written: new reports and alerts are kept in memory");
        }
    }

    fn is_new(&self, name: &str, what: &str) -> bool {
        let condition = (name.to_owned(), what.to_owned());
        self.logged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(condition)
    }

    fn forget(&self, name: &str) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.retain(|(of, _)| of != name);
    }
}
