//! How many messages a channel gets in a minute; the rest becomes one digest.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::saved::{SavedChannel, SavedSuppressed};
use crate::alerts::notice::{Notice, NoticeStatus, SuppressedAlert};

const MINUTE: u64 = 60 * 1_000_000;

/// How many alerts a digest names; beyond it, it has their number.
const MOST_SUPPRESSED: usize = 200;

/// The rate of one channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::alerts) struct ChannelLimit {
    pub(in crate::alerts) per_minute: usize,
    /// Whether messages beyond the rate become a digest; otherwise they are sent.
    pub(in crate::alerts) digests: bool,
    /// The interval of its refreshes, in microseconds.
    pub(in crate::alerts) refresh: Option<u64>,
}

#[derive(Debug)]
pub(super) struct ChannelLimiter {
    limits: HashMap<String, ChannelLimit>,
    channels: HashMap<String, ChannelState>,
}

#[derive(Debug, Default)]
struct ChannelState {
    /// When messages were sent within the last minute.
    sent: VecDeque<u64>,
    suppressed: Vec<SuppressedAlert>,
    /// How many were suppressed beyond those in `suppressed`.
    more: u64,
}

impl ChannelLimiter {
    pub(super) fn new(limits: HashMap<String, ChannelLimit>) -> ChannelLimiter {
        ChannelLimiter {
            limits,
            channels: HashMap::new(),
        }
    }

    /// Returns whether a channel keeps an alert open until it is resolved: each of its alerts stands for
    /// itself, so that it takes no digests.
    pub(super) fn keeps_open(&self, channel: &str) -> bool {
        let limit = self.limits.get(channel);
        limit.is_some_and(|limit| !limit.digests)
    }

    /// Sends `notice` to each channel within its rate, and suppresses it for the others.
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
                state.suppress(notice);
            }
        }
    }

    /// Returns the refresh interval of `channel`.
    pub(super) fn refresh(&self, channel: &str) -> Option<u64> {
        self.limits.get(channel)?.refresh
    }

    /// Keeps `notice` for the next digest of each channel; those that take none get it at once.
    pub(super) fn suppress(
        &mut self,
        channels: &[String],
        notice: &Notice,
        out: &mut Vec<(String, Notice)>,
    ) {
        for name in channels {
            if self.limits.get(name).is_some_and(|limit| !limit.digests) {
                out.push((name.clone(), notice.clone()));
            } else {
                self.channels
                    .entry(name.clone())
                    .or_default()
                    .suppress(notice);
            }
        }
    }

    /// Adds the digests that are due: where something was suppressed and the rate allows a message.
    /// Returns whether there were any.
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
            if !state.suppressed.is_empty() && state.has_room(now, most) {
                state.sent.push_back(now);
                out.push((name.clone(), state.digest(now)));
            }
        }
        out.len() > before
    }

    /// Returns the state to save, by channel.
    pub(super) fn saved(&self) -> BTreeMap<String, SavedChannel> {
        let saved = |state: &ChannelState| SavedChannel {
            sent: state.sent.iter().copied().collect(),
            suppressed: state.suppressed.iter().map(SavedSuppressed::of).collect(),
        };
        let channels = self.channels.iter();
        channels
            .map(|(name, state)| (name.clone(), saved(state)))
            .collect()
    }

    /// Adds what another process suppressed and sent.
    pub(super) fn restore(&mut self, saved: BTreeMap<String, SavedChannel>) {
        for (name, sending) in saved {
            let state = self.channels.entry(name).or_default();
            state.sent.extend(sending.sent);
            state.sent.make_contiguous().sort_unstable();
            let suppressed = sending
                .suppressed
                .into_iter()
                .filter_map(SavedSuppressed::restore);
            suppressed.for_each(|line| state.keep(line));
        }
    }

    /// Returns when the next digest is due.
    pub(super) fn wake(&self) -> Option<u64> {
        let waiting = self
            .channels
            .values()
            .filter(|state| !state.suppressed.is_empty());
        waiting
            .map(|state| state.sent.front().map_or(0, |at| at + MINUTE))
            .min()
    }
}

impl ChannelState {
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

    fn suppress(&mut self, notice: &Notice) {
        self.keep(SuppressedAlert {
            event: notice.event.clone(),
            status: notice.status,
            severity: notice.severity,
            count: notice.count,
        });
    }

    fn keep(&mut self, suppressed: SuppressedAlert) {
        match self.suppressed.len() < MOST_SUPPRESSED {
            true => self.suppressed.push(suppressed),
            false => self.more += 1,
        }
    }

    fn digest(&mut self, now: u64) -> Notice {
        let suppressed = std::mem::take(&mut self.suppressed);
        let severity = suppressed
            .iter()
            .map(|h| h.severity)
            .max()
            .unwrap_or_default();
        let more = std::mem::take(&mut self.more);
        Notice {
            suppressed,
            more,
            severity,
            ..Notice::empty(NoticeStatus::Digest, now)
        }
    }
}
