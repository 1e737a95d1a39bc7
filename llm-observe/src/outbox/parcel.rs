//! One thing to deliver, and its file format.

use std::time::Duration;

use llm_observe_config::Severity;
use serde::{Deserialize, Serialize};

use super::time::{micros, now_micros};
use crate::redact::Redacted;

/// The first bytes of a parcel's file: the format and its version.
const MAGIC: &[u8; 8] = b"LLMOBOX1";

/// Magic, checksum, length of the head.
const FIXED: usize = 8 + 4 + 4;

/// One thing to deliver to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parcel {
    /// The name of the destination.
    pub destination: String,
    /// How severe its loss is: the least severe are dropped first.
    pub severity: Severity,
    /// When it was made, in microseconds since the Unix epoch.
    pub created: u64,
    /// What it is about. Parcels of the same key are delivered in order, and of different keys
    /// the newest first. Those without a key (empty) are delivered oldest first.
    pub key: String,
    /// The category of its destination whose backoff and rate limit it is subject to.
    pub category: String,
    /// What is sent: final, and made of redacted data only.
    body: Vec<u8>,
}

impl Parcel {
    /// Returns a parcel made now, with no key and no category, of severity `error`.
    pub(crate) fn new(destination: impl Into<String>, body: Redacted<Vec<u8>>) -> Parcel {
        Parcel {
            destination: destination.into(),
            severity: Severity::Error,
            created: now_micros(),
            key: String::new(),
            category: String::new(),
            body: body.into_inner(),
        }
    }

    /// Sets what it is about.
    pub(crate) fn key(mut self, key: impl Into<String>) -> Parcel {
        self.key = key.into();
        self
    }

    /// Sets how severe its loss is.
    pub(crate) fn severity(mut self, severity: Severity) -> Parcel {
        self.severity = severity;
        self
    }

    /// Sets the category.
    pub(crate) fn category(mut self, category: impl Into<String>) -> Parcel {
        self.category = category.into();
        self
    }

    /// Returns what is to be sent. It is final, and made of redacted data only.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the parcel with an empty body, for bookkeeping.
    pub(super) fn without_body(&self) -> Parcel {
        Parcel {
            destination: self.destination.clone(),
            severity: self.severity,
            created: self.created,
            key: self.key.clone(),
            category: self.category.clone(),
            body: Vec::new(),
        }
    }

    /// Returns how long ago it was made.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_micros(now_micros().saturating_sub(self.created))
    }

    /// Returns whether it is older than `limit` at `now`.
    pub(super) fn is_older(created: u64, limit: Duration, now: u64) -> bool {
        now.saturating_sub(created) > micros(limit)
    }
}

/// The head of a file, before the body.
#[derive(Serialize, Deserialize)]
struct ParcelHead {
    destination: String,
    severity: String,
    created: u64,
    key: String,
    category: String,
}

/// Returns the bytes of a parcel's file: magic, CRC-32 of the rest, length of the head, the head
/// as JSON, the body. Numbers are little-endian.
pub(super) fn encode(parcel: &Parcel) -> Vec<u8> {
    let head = ParcelHead {
        destination: parcel.destination.clone(),
        severity: parcel.severity.as_str().to_owned(),
        created: parcel.created,
        key: parcel.key.clone(),
        category: parcel.category.clone(),
    };
    // Text and numbers always serialize.
    let head = serde_json::to_vec(&head).unwrap_or_default();
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(FIXED + head.len() + parcel.body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(&parcel.body);
    let checksum = checksum(&out).to_le_bytes();
    if let Some(room) = out.get_mut(8..12) {
        room.copy_from_slice(&checksum);
    }
    out
}

/// Returns the parcel in those bytes, or `None` when they are torn or corrupt.
pub(super) fn decode(bytes: &[u8]) -> Option<Parcel> {
    if bytes.get(..8)? != MAGIC || number(bytes, 8)? != checksum(bytes) {
        return None;
    }
    let length = usize::try_from(number(bytes, 12)?).ok()?;
    let (head, body) = bytes.get(FIXED..)?.split_at_checked(length)?;
    let head: ParcelHead = serde_json::from_slice(head).ok()?;
    Some(Parcel {
        destination: head.destination,
        severity: head.severity.parse().ok()?,
        created: head.created,
        key: head.key,
        category: head.category,
        body: body.to_vec(),
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes.get(12..).unwrap_or_default())
}
