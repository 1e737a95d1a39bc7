//! How many messages a channel gets in a minute; the rest becomes one digest.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use llm_observe_config as config;

use super::saved::{Line, Sending};
use crate::{
    alerts::{Channel, Held, Notice, Status},
    outbox::micros,
};

const MINUTE: u64 = 60 * 1_000_000;

/// How many alerts a digest names; of more it gives the number.
const MOST_HELD: usize = 200;

/// The rate of a channel without a table in the configuration: one from code.
const USUAL: u32 = 20;

/// The rate of one channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::alerts) struct Limit {
    pub(in crate::alerts) per_minute: usize,
    /// Whether what is beyond becomes a digest; it is sent all the same where not.
    pub(in crate::alerts) digests: bool,
    /// How often it is told of what goes on, in microseconds.
    pub(in crate::alerts) refresh: Option<u64>,
}

/// Returns the rates of `channels`.
pub(in crate::alerts) fn limits(
    tables: &BTreeMap<String, config::Channel>,
    channels: &[Arc<dyn Channel>],
) -> HashMap<String, Limit> {
    let limit = |channel: &Arc<dyn Channel>| {
        let most = tables
            .get(channel.name())
            .map_or(USUAL, |table| table.max_per_minute);
        let per_minute = usize::try_from(most.max(1)).unwrap_or(usize::MAX);
        (
            channel.name().to_owned(),
            Limit {
                per_minute,
                digests: channel.takes_digests(),
                refresh: channel.refresh().map(micros),
            },
        )
    };
    channels.iter().map(limit).collect()
}

#[derive(Debug)]
pub(super) struct Limiter {
    limits: HashMap<String, Limit>,
    channels: HashMap<String, State>,
}

#[derive(Debug, Default)]
struct State {
    /// When messages were let through within the last minute.
    sent: VecDeque<u64>,
    held: Vec<Held>,
    /// How many more were held than `held` names.
    more: u64,
}

impl Limiter {
    pub(super) fn new(limits: HashMap<String, Limit>) -> Limiter {
        Limiter {
            limits,
            channels: HashMap::new(),
        }
    }

    /// Lets `notice` through to each channel that has room, and holds it for the others.
    pub(super) fn offer(
        &mut self,
        channels: &[String],
        notice: &Notice,
        now: u64,
        out: &mut Vec<(String, Notice)>,
    ) {
        for name in channels {
            let limit = self.limits.get(name).copied();
            let state = self.channels.entry(name.clone()).or_default();
            if limit.is_none_or(|limit| !limit.digests || state.has_room(now, limit.per_minute)) {
                state.sent.push_back(now);
                out.push((name.clone(), notice.clone()));
            } else {
                state.hold(notice);
            }
        }
    }

    /// Returns how often `channel` is told of what goes on.
    pub(super) fn refresh(&self, channel: &str) -> Option<u64> {
        self.limits.get(channel)?.refresh
    }

    /// Holds `notice` for the next digest of each channel; those that take none get it at once.
    pub(super) fn hold(
        &mut self,
        channels: &[String],
        notice: &Notice,
        out: &mut Vec<(String, Notice)>,
    ) {
        for name in channels {
            if self.limits.get(name).is_some_and(|limit| !limit.digests) {
                out.push((name.clone(), notice.clone()));
            } else {
                self.channels.entry(name.clone()).or_default().hold(notice);
            }
        }
    }

    /// Adds the digests that are due: where something is held, and there is room again. Returns
    /// whether there were any.
    pub(super) fn digests(
        &mut self,
        now: u64,
        quiet: bool,
        out: &mut Vec<(String, Notice)>,
    ) -> bool {
        let before = out.len();
        if quiet {
            return false;
        }
        for (name, state) in &mut self.channels {
            let most = self
                .limits
                .get(name)
                .map_or(usize::MAX, |limit| limit.per_minute);
            if !state.held.is_empty() && state.has_room(now, most) {
                state.sent.push_back(now);
                out.push((name.clone(), state.digest(now)));
            }
        }
        out.len() > before
    }

    /// Returns what is to outlive the process, by channel.
    pub(super) fn saved(&self) -> BTreeMap<String, Sending> {
        let saved = |state: &State| Sending {
            sent: state.sent.iter().copied().collect(),
            held: state.held.iter().map(Line::of).collect(),
        };
        let channels = self.channels.iter();
        channels
            .map(|(name, state)| (name.clone(), saved(state)))
            .collect()
    }

    /// Holds what another process held, and counts what it sent.
    pub(super) fn take_up(&mut self, saved: BTreeMap<String, Sending>) {
        for (name, sending) in saved {
            let state = self.channels.entry(name).or_default();
            state.sent.extend(sending.sent);
            state.sent.make_contiguous().sort_unstable();
            let held = sending.held.into_iter().filter_map(Line::held);
            held.for_each(|line| state.keep(line));
        }
    }

    /// Returns when the next digest is due.
    pub(super) fn wake(&self) -> Option<u64> {
        let waiting = self
            .channels
            .values()
            .filter(|state| !state.held.is_empty());
        waiting
            .map(|state| state.sent.front().map_or(0, |at| at + MINUTE))
            .min()
    }
}

impl State {
    fn has_room(&mut self, now: u64, most: usize) -> bool {
        while self
            .sent
            .front()
            .is_some_and(|at| at.saturating_add(MINUTE) <= now)
        {
            self.sent.pop_front();
        }
        self.sent.len() < most
    }

    fn hold(&mut self, notice: &Notice) {
        self.keep(Held {
            event: notice.event.clone(),
            status: notice.status,
            severity: notice.severity,
            count: notice.count,
        });
    }

    fn keep(&mut self, held: Held) {
        match self.held.len() < MOST_HELD {
            true => self.held.push(held),
            false => self.more += 1,
        }
    }

    fn digest(&mut self, now: u64) -> Notice {
        let held = std::mem::take(&mut self.held);
        let severity = held.iter().map(|h| h.severity).max().unwrap_or_default();
        let more = std::mem::take(&mut self.more);
        Notice {
            held,
            more,
            severity,
            ..Notice::empty(Status::Digest, now)
        }
    }
}
