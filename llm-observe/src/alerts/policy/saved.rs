//! The state of alerts in a file: incidents, whether notified or not, and what digests are to
//! name. What cannot be restored is left out: its alerts fire anew.
//!
//! Version 1, the only one so far; files of earlier releases are the same without `version`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    fingerprint::Fingerprint,
    incident::{Incident, Notified},
};
use crate::{
    alerts::{
        error_group::ErrorGroup,
        notice::{NoticeStatus, SuppressedAlert},
        trigger::Trigger,
    },
    kernel::{alert_rule::Severity, ids::TraceId, outcome::ErrorClass},
};

const VERSION: u32 = 1;

/// How many different errors of an incident are saved once a message has named them.
const MOST_ERRORS: usize = 3;

/// The state of alerts in a file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::alerts) struct SavedState {
    version: u32,
    pub(super) incidents: Vec<SavedIncident>,
    /// By channel.
    pub(super) channels: BTreeMap<String, SavedChannel>,
}

impl SavedState {
    pub(super) fn new<'a>(
        incidents: impl Iterator<Item = &'a Incident>,
        channels: BTreeMap<String, SavedChannel>,
    ) -> SavedState {
        SavedState {
            version: VERSION,
            incidents: incidents.map(SavedIncident::of).collect(),
            channels,
        }
    }
}

/// The messages that were sent to a channel within the last minute, and those suppressed for it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedChannel {
    pub(super) sent: Vec<u64>,
    #[serde(rename = "held")]
    pub(super) suppressed: Vec<SavedSuppressed>,
}

/// A suppressed alert: a line of the next digest.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedSuppressed {
    event: String,
    status: String,
    severity: String,
    count: u64,
}

impl SavedSuppressed {
    pub(super) fn of(alert: &SuppressedAlert) -> SavedSuppressed {
        SavedSuppressed {
            event: alert.event.clone(),
            status: alert.status.as_str().to_owned(),
            severity: alert.severity.as_str().to_owned(),
            count: alert.count,
        }
    }

    pub(super) fn restore(self) -> Option<SuppressedAlert> {
        Some(SuppressedAlert {
            event: self.event,
            status: NoticeStatus::from_name(&self.status)?,
            severity: self.severity.parse().ok()?,
            count: self.count,
        })
    }
}

/// An incident.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedIncident {
    key: String,
    event: String,
    channels: Vec<String>,
    #[serde(rename = "members")]
    fingerprints: Vec<SavedFingerprint>,
    functions: Vec<String>,
    #[serde(default)]
    is_operation: bool,
    trigger: String,
    severity: String,
    count: u64,
    first: u64,
    last: u64,
    #[serde(rename = "trace")]
    trace_id: String,
    #[serde(default, rename = "session")]
    session_url: Option<String>,
    #[serde(default)]
    attributes: Vec<(String, String)>,
    due: u64,
    #[serde(rename = "told")]
    notified: Option<u64>,
    #[serde(rename = "said")]
    notified_severity: Option<String>,
    errors: Vec<SavedError>,
    more: u64,
}

impl SavedIncident {
    /// Of an incident that a message has described, only some errors are saved.
    fn of(incident: &Incident) -> SavedIncident {
        let most = match incident.notified {
            Some(_) => MOST_ERRORS.min(incident.errors.len()),
            None => incident.errors.len(),
        };
        let (saved, rest) = incident.errors.split_at(most);
        SavedIncident {
            key: incident.key.clone(),
            event: incident.event.clone(),
            channels: incident.channels.clone(),
            fingerprints: incident
                .fingerprints
                .iter()
                .map(SavedFingerprint::of)
                .collect(),
            functions: incident.functions.clone(),
            is_operation: incident.is_operation,
            trigger: incident.trigger.as_str().to_owned(),
            severity: incident.severity.as_str().to_owned(),
            count: incident.count,
            first: incident.first,
            last: incident.last,
            trace_id: incident.trace_id.to_string(),
            session_url: incident.session_url.clone(),
            attributes: incident.attributes.clone(),
            due: incident.due,
            notified: incident.notified.map(|notified| notified.at),
            notified_severity: incident
                .notified
                .and_then(|notified| notified.severity)
                .map(|severity| severity.as_str().to_owned()),
            errors: saved.iter().map(SavedError::of).collect(),
            more: incident.more + rest.iter().map(|error| error.count).sum::<u64>(),
        }
    }

    /// Returns the incident; `None` when its trigger is not known.
    pub(super) fn restore(self) -> Option<Incident> {
        let severity = |name: &str| name.parse::<Severity>().ok();
        Some(Incident {
            key: self.key,
            event: self.event,
            channels: self.channels,
            fingerprints: self
                .fingerprints
                .into_iter()
                .filter_map(SavedFingerprint::restore)
                .collect(),
            functions: self.functions,
            is_operation: self.is_operation,
            trigger: Trigger::from_name(&self.trigger)?,
            severity: severity(&self.severity).unwrap_or_default(),
            count: self.count,
            first: self.first,
            last: self.last,
            trace_id: trace_id(&self.trace_id).unwrap_or_default(),
            session_url: self.session_url,
            attributes: self.attributes,
            due: self.due,
            notified: self.notified.map(|at| Notified {
                at,
                severity: self.notified_severity.as_deref().and_then(severity),
            }),
            refreshed: 0,
            stalled: 0,
            recovered: false,
            errors: self
                .errors
                .into_iter()
                .filter_map(SavedError::restore)
                .collect(),
            more: self.more,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedFingerprint {
    event: String,
    function: String,
    trigger: String,
    class: String,
    channels: Vec<String>,
    #[serde(default)]
    threshold: String,
}

impl SavedFingerprint {
    fn of(fingerprint: &Fingerprint) -> SavedFingerprint {
        SavedFingerprint {
            event: fingerprint.event.clone(),
            function: fingerprint.function.clone(),
            trigger: fingerprint.trigger.as_str().to_owned(),
            class: fingerprint.class.map_or("", ErrorClass::as_str).to_owned(),
            channels: fingerprint.channels.clone(),
            threshold: fingerprint.threshold.clone(),
        }
    }

    fn restore(self) -> Option<Fingerprint> {
        Some(Fingerprint {
            trigger: Trigger::from_name(&self.trigger)?,
            class: class(&self.class),
            event: self.event,
            function: self.function,
            channels: self.channels,
            threshold: self.threshold,
        })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedError {
    function: String,
    trigger: String,
    type_name: String,
    message: String,
    class: Option<String>,
    count: u64,
}

impl SavedError {
    fn of(error: &ErrorGroup) -> SavedError {
        SavedError {
            function: error.function.clone(),
            trigger: error.trigger.as_str().to_owned(),
            type_name: error.type_name.clone(),
            message: error.message.clone(),
            class: error.class.map(|class| class.as_str().to_owned()),
            count: error.count,
        }
    }

    fn restore(self) -> Option<ErrorGroup> {
        Some(ErrorGroup {
            trigger: Trigger::from_name(&self.trigger)?,
            class: self.class.as_deref().and_then(class),
            function: self.function,
            type_name: self.type_name,
            message: self.message,
            count: self.count,
        })
    }
}

/// Returns the class of that name; `None` for an empty or unknown one.
fn class(name: &str) -> Option<ErrorClass> {
    ErrorClass::ALL.into_iter().find(|c| c.as_str() == name)
}

/// Returns the trace id in 32 hexadecimal digits.
fn trace_id(text: &str) -> Option<TraceId> {
    let (high, low) = text.split_at_checked(16)?;
    let half = |text| u64::from_str_radix(text, 16).ok();
    Some(TraceId([half(high)?, half(low)?]))
}
