//! The ring of one thread: its latest breadcrumbs, in memory of a fixed size.

use std::{collections::VecDeque, fmt::Write, time::Duration};

use tracing::Level;

use super::breadcrumb::Breadcrumb;
use crate::kernel::{ids::TraceId, outcome::Outcome, pool::prefix, site::Site, value::Value};

/// How many breadcrumbs a report shows: the latest.
pub(super) const MOST_REPORTED: usize = 30;
/// How many breadcrumbs a thread keeps: those of a call that waits long must outlive many others.
pub(super) const MOST_KEPT: usize = 512;
/// How many bytes of text a thread keeps.
pub(super) const MOST_TEXT: usize = 32 * 1024;
/// The longest text of one breadcrumb, in bytes.
pub(super) const MOST_LINE: usize = 500;

/// A line or a call. Its text, which is apart, is a line's target and message, or a call's error.
struct RingEntry {
    time: u64,
    trace: TraceId,
    level: Level,
    source: EntrySource,
    /// How many bytes of text it has.
    text: usize,
}

pub(super) enum EntrySource {
    /// A log line; how many bytes of the text are the target.
    Line(usize),
    /// A call of a site.
    Call(&'static Site, Outcome, Duration),
}

/// The breadcrumbs of one thread, oldest first. It never grows beyond its first capacity.
pub(super) struct BreadcrumbRing {
    entries: VecDeque<RingEntry>,
    /// Half of each entry's trace id, apart: a search looks at hardly anything else.
    traces: VecDeque<u64>,
    /// The texts of all entries, concatenated.
    texts: VecDeque<u8>,
    /// The buffer in which the text of a line is composed.
    pub(super) scratch: String,
}

impl BreadcrumbRing {
    pub(super) fn new() -> BreadcrumbRing {
        BreadcrumbRing {
            entries: VecDeque::with_capacity(MOST_KEPT),
            traces: VecDeque::with_capacity(MOST_KEPT),
            texts: VecDeque::with_capacity(MOST_TEXT),
            scratch: String::with_capacity(2 * MOST_LINE),
        }
    }

    #[inline]
    pub(super) fn push(
        &mut self,
        time: u64,
        trace: TraceId,
        level: Level,
        source: EntrySource,
        text: &str,
    ) {
        while self.entries.len() >= MOST_KEPT || self.texts.len() + text.len() > MOST_TEXT {
            let Some(gone) = self.entries.pop_front() else {
                break;
            };
            self.traces.pop_front();
            self.texts.drain(..gone.text);
        }
        self.traces.push_back(trace.0[1]);
        self.texts.extend(text.as_bytes());
        self.entries.push_back(RingEntry {
            time,
            trace,
            level,
            source,
            text: text.len(),
        });
    }

    /// Adds the latest breadcrumbs of those traces to `found`.
    pub(super) fn find(&self, traces: &[TraceId], found: &mut Vec<Breadcrumb>) {
        let mut end = self.texts.len();
        let mut latest = Vec::new();
        for (key, entry) in self.traces.iter().zip(&self.entries).rev() {
            let at = end.saturating_sub(entry.text);
            if traces.iter().any(|t| t.0[1] == *key) && traces.contains(&entry.trace) {
                latest.push(entry.breadcrumb(&self.text(at, end)));
                if latest.len() == MOST_REPORTED {
                    break;
                }
            }
            end = at;
        }
        // Entries of equal times keep their order.
        found.extend(latest.into_iter().rev());
    }

    fn text(&self, from: usize, to: usize) -> String {
        let bytes = self.texts.range(from..to.min(self.texts.len()));
        String::from_utf8(bytes.copied().collect()).unwrap_or_default()
    }
}

impl RingEntry {
    fn breadcrumb(&self, text: &str) -> Breadcrumb {
        let (category, message) = match self.source {
            EntrySource::Line(target_len) => {
                let (target, message) = text.split_at_checked(target_len).unwrap_or_default();
                (target.to_owned(), message.to_owned())
            }
            EntrySource::Call(site, outcome, duration) => {
                let mut message = format!("{} {outcome} in {duration:.1?}", site.event);
                if !text.is_empty() {
                    // Into memory: it does not fail.
                    let _ = write!(message, ": {text}");
                }
                (site.function().to_owned(), message)
            }
        };
        Breadcrumb {
            time: self.time,
            level: self.level,
            category,
            message,
        }
    }
}

/// Concatenates the target, the message and the fields in `text`, and returns the length of the
/// target.
pub(super) fn put_line(
    text: &mut String,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
) -> usize {
    let target = prefix(target, MOST_LINE / 4);
    text.clear();
    text.push_str(target);
    text.push_str(prefix(message, MOST_LINE));
    for (name, value) in fields {
        let room = (target.len() + MOST_LINE).saturating_sub(text.len());
        let Some(room) = room.checked_sub(name.len() + 2).filter(|room| *room > 0) else {
            break;
        };
        text.push(' ');
        text.push_str(name);
        text.push('=');
        match value {
            Value::Str(value) => text.push_str(prefix(value, room)),
            // Into memory: it does not fail.
            other => drop(write!(text, "{other}")),
        }
    }
    target.len()
}

#[cfg(test)]
mod tests;
