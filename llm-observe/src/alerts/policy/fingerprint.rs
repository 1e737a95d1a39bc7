//! What failures have in common that are counted together.

use crate::{
    alerts::{occurrences::Occurrences, route::AlertRoute, trigger::Trigger},
    kernel::outcome::ErrorClass,
};

/// What failures have in common that are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint {
    pub(super) event: String,
    pub(super) function: String,
    pub(super) trigger: Trigger,
    pub(super) class: Option<ErrorClass>,
    pub(super) channels: Vec<String>,
    /// Which threshold was reached; empty for calls.
    pub(super) threshold: String,
}

impl Fingerprint {
    pub(super) fn new(
        event: &str,
        function: &str,
        route: &AlertRoute,
        occurrences: &Occurrences,
    ) -> Fingerprint {
        Fingerprint {
            event: event.to_owned(),
            function: function.to_owned(),
            trigger: occurrences.trigger,
            class: occurrences.class(),
            channels: route.channels.clone(),
            threshold: occurrences.threshold.clone(),
        }
    }
}
