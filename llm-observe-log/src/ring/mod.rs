//! The ring of lines between callers and the writer thread: many threads push, one takes.
//!
//! It is in memory that outlives the process (see [`Mapping`]), so every step leaves it in a state from
//! which the next process can go on. Knows bytes and positions, neither files nor time.
//!
//! Positions count bytes since the ring was created; they only grow. `freed <= taken <= tail`:
//! `[taken, tail)` holds lines that have not reached the log. Callers may reserve up to
//! `freed + capacity`, and everything they have not reserved is zero. A record is a header word (length
//! and state) and the line, padded to whole words. A caller that dies between reserving and committing
//! leaves zeros, or a header with the length to skip: recovery always finds the next line.

mod layout;

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering, compiler_fence},
};

use self::layout::{
    AT_CAPACITY, AT_FREED, AT_INTENT, AT_LOST, AT_MAGIC, AT_TAIL, AT_TAKEN, LENGTH, LINE, MAGIC,
    MOST, PAD, RESERVED, WORD, index, is_other_version, record_size,
};
pub(crate) use self::layout::{HEADER_WORDS, Intent, NoRing, is_empty_header};
use crate::{stats::LossReason, system::Mapping};

/// There is no room for the line now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The ring itself.
pub(crate) struct Ring {
    map: Mapping,
    capacity: u64,
}

impl Ring {
    /// Creates a ring in zeroed memory.
    pub(crate) fn create(map: Mapping) -> Option<Self> {
        let capacity = Self::room(&map).filter(|capacity| capacity.is_power_of_two())?;
        let ring = Self { map, capacity };
        ring.mark();
        Some(ring)
    }

    fn mark(&self) {
        self.at(AT_CAPACITY).store(self.capacity, Ordering::Relaxed);
        self.at(AT_MAGIC).store(MAGIC, Ordering::Release);
    }

    /// Returns whether the header is still there.
    pub(crate) fn is_marked(&self) -> bool {
        self.at(AT_MAGIC).load(Ordering::Relaxed) == MAGIC
    }

    /// Empties a ring that another program has overwritten. What callers copy in at the moment may be
    /// lost with it.
    pub(crate) fn restart(&self) {
        self.set_intent(Intent::default());
        for position in [AT_TAIL, AT_TAKEN, AT_FREED] {
            self.at(position).store(0, Ordering::SeqCst);
        }
        let words = self.map.get(HEADER_WORDS..).unwrap_or_default();
        words
            .iter()
            .for_each(|word| word.store(0, Ordering::Relaxed));
        self.mark();
    }

    /// Opens a ring that another process left.
    pub(crate) fn adopt(map: Mapping) -> Result<Self, NoRing> {
        let header = |index: usize| map.get(index).map(|word| word.load(Ordering::Acquire));
        let (magic, capacity) = (header(AT_MAGIC), header(AT_CAPACITY));
        if magic.is_some_and(is_other_version) {
            return Err(NoRing::OtherVersion);
        }
        let capacity = capacity
            .filter(|capacity| Some(*capacity) == Self::room(&map) && capacity.is_power_of_two())
            .ok_or(NoRing::Damaged)?;
        let ring = Self { map, capacity };
        match ring.is_marked() && ring.is_ordered() {
            true => Ok(ring),
            false => Err(NoRing::Damaged),
        }
    }

    fn room(map: &Mapping) -> Option<u64> {
        u64::try_from(map.len().checked_sub(HEADER_WORDS)?)
            .ok()?
            .checked_mul(WORD)
    }

    /// Returns whether the positions are possible. Only for who takes: others would see them move.
    pub(crate) fn is_ordered(&self) -> bool {
        let (taken, tail) = (self.taken(), self.tail());
        // So far from the largest number that no sum of positions can overflow.
        tail < MOST
            && taken <= tail
            && tail - taken <= self.capacity
            && taken % WORD == 0
            && tail % WORD == 0
    }

    /// Returns the size of the memory that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        (self.map.len() as u64).saturating_mul(WORD)
    }

    /// Returns whether it holds neither lines nor counts of lost ones.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken() == self.tail() && !self.has_lost()
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Returns the longest line that callers wait for: several always fit.
    pub(crate) fn max_line(&self) -> u64 {
        self.capacity / 8
    }

    /// Puts a line in, unless more than `limit` bytes would then be in use. Returns how many are in
    /// use.
    #[inline]
    pub(crate) fn push(&self, line: &[u8], limit: u64) -> Result<u64, Full> {
        let length = u64::try_from(line.len()).map_err(|_| Full)?;
        let size = record_size(length);
        let (start, pad, used) = self.reserve(size, limit.min(self.capacity))?;
        if pad > 0 {
            self.set(start, PAD | pad.saturating_sub(WORD));
        }
        let start = start.wrapping_add(pad);
        // A process that dies in the copy leaves the length, and so the position of the next record.
        self.set(start, RESERVED | length);
        compiler_fence(Ordering::SeqCst);
        self.copy_in(start.wrapping_add(WORD), line);
        self.word(start).store(LINE | length, Ordering::Release);
        Ok(used)
    }

    /// Reserves `size` bytes that do not wrap, and the padding in front of them that this needs.
    #[inline]
    fn reserve(&self, size: u64, limit: u64) -> Result<(u64, u64, u64), Full> {
        let tail = self.at(AT_TAIL);
        let mut start = tail.load(Ordering::Relaxed);
        loop {
            let left = self.until_wrap(start);
            let pad = if size <= left { 0 } else { left };
            // Wraps only in a header that another program has overwritten.
            let end = start.wrapping_add(pad).wrapping_add(size);
            // Acquire: what was freed has been zeroed.
            let used = end.saturating_sub(self.at(AT_FREED).load(Ordering::Acquire));
            if used > limit {
                return Err(Full);
            }
            // SeqCst pairs with the writer thread's check of the tail before it parks.
            match tail.compare_exchange_weak(start, end, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Ok((start, pad, used)),
                Err(now) => start = now,
            }
        }
    }

    /// Returns whether `bytes` more would leave at most `limit` bytes in use.
    pub(crate) fn has_room(&self, bytes: u64, limit: u64) -> bool {
        let freed = self.at(AT_FREED).load(Ordering::Acquire);
        self.tail().saturating_add(bytes).saturating_sub(freed) <= limit
    }

    /// Appends the committed lines that are not taken yet to `out`, up to about `max` bytes and not beyond
    /// `until`. `ends` gets, for each line, where it ends in `out` and in the ring.
    ///
    /// Stops at a record that is still being copied, unless its process is `dead`: then it skips it.
    /// Stops for good at a record that cannot be one. Never goes round the ring more than once, so that
    /// no header makes it endless.
    pub(crate) fn gather(
        &self,
        until: u64,
        max: usize,
        dead: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<(usize, u64)>,
    ) -> u64 {
        let mut at = self.taken();
        let until = until.min(at.saturating_add(self.capacity));
        while at < until && out.len() < max {
            let header = self.word(at).load(Ordering::Acquire);
            let length = header & LENGTH;
            let size = match header & !LENGTH {
                LINE => record_size(length),
                PAD => WORD + length,
                RESERVED if dead => record_size(length),
                0 if dead => WORD,
                _ => break,
            };
            if size > self.until_wrap(at).min(until - at) {
                break;
            }
            at += size;
            if header & !LENGTH == LINE {
                self.copy_out(at - size + WORD, length, out);
                ends.push((out.len(), at));
            }
        }
        at
    }

    /// Returns how many bytes there are from a position to where the ring starts again.
    #[inline]
    fn until_wrap(&self, position: u64) -> u64 {
        self.capacity - (position & (self.capacity - 1))
    }

    /// Returns how many lines have not reached the log.
    #[cfg(feature = "read")]
    pub(crate) fn count(&self) -> u64 {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        self.gather(self.tail(), usize::MAX, true, &mut out, &mut ends);
        ends.len() as u64
    }

    /// Records that everything before `to` is in the log. Precedes [`free`](Self::free), so that a
    /// process that dies between the two neither repeats nor misses a line.
    pub(crate) fn take(&self, to: u64) {
        self.at(AT_TAKEN).store(to, Ordering::Release);
        self.set_intent(Intent::default());
    }

    /// Zeroes the taken part and gives it back to callers.
    pub(crate) fn free(&self) {
        let (freed, to) = (self.at(AT_FREED).load(Ordering::Relaxed), self.taken());
        let first = to.saturating_sub(self.capacity);
        // Whatever the header says, it is not more than the whole ring.
        let mut at = if freed > to { first } else { freed.max(first) };
        while at < to {
            let (words, next) = self.run(at, to - at);
            words
                .iter()
                .for_each(|word| word.store(0, Ordering::Relaxed));
            at = next;
        }
        self.at(AT_FREED).store(to, Ordering::Release);
    }

    pub(crate) fn intent(&self) -> Intent {
        let [dev, ino, offset, bytes] =
            [0, 1, 2, 3].map(|field| self.at(AT_INTENT + field).load(Ordering::Acquire));
        Intent {
            dev,
            ino,
            offset,
            bytes,
        }
    }

    pub(crate) fn set_intent(&self, intent: Intent) {
        // `bytes` makes the intent valid: cleared first, set last, and the compiler must keep that
        // order.
        self.at(AT_INTENT + 3).store(0, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        for (field, value) in [intent.dev, intent.ino, intent.offset]
            .into_iter()
            .enumerate()
        {
            self.at(AT_INTENT + field).store(value, Ordering::Release);
        }
        compiler_fence(Ordering::SeqCst);
        self.at(AT_INTENT + 3)
            .store(intent.bytes, Ordering::Release);
    }

    /// Returns whether lines were dropped since the last loss notice.
    #[inline]
    pub(crate) fn has_lost(&self) -> bool {
        self.at(AT_LOST).load(Ordering::Relaxed) != 0
    }

    /// Counts lines that are missing at this position.
    pub(crate) fn add_lost(&self, reason: LossReason, count: u64) {
        if count > 0 {
            self.at_lost(reason).fetch_add(count, Ordering::Relaxed);
            self.at(AT_LOST).store(1, Ordering::Release);
        }
    }

    pub(crate) fn lost(&self, reason: LossReason) -> u64 {
        self.at_lost(reason).load(Ordering::Relaxed)
    }

    /// Takes the counts, for a loss notice.
    pub(crate) fn take_lost(&self) -> impl Iterator<Item = (LossReason, u64)> {
        let any = self.at(AT_LOST).swap(0, Ordering::Acquire) != 0;
        let reasons = LossReason::ALL.into_iter().filter(move |_| any);
        reasons
            .map(|reason| (reason, self.at_lost(reason).swap(0, Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
    }

    fn at_lost(&self, reason: LossReason) -> &AtomicU64 {
        self.at(AT_LOST + 1 + reason as usize)
    }

    /// Asks the system to back with memory what callers will use next, so that none of them pays for
    /// it. `prepared` is the position up to which that is done.
    pub(crate) fn prepare(&self, prepared: &mut u64) {
        let tail = self.tail();
        let until = tail.saturating_add(self.capacity / 4);
        let mut at = tail.max(*prepared);
        if until.saturating_sub(at) < self.capacity / 8 {
            return;
        }
        while at < until {
            let (words, next) = self.span(at, until - at);
            self.map.prepare(words);
            at = next;
        }
        *prepared = until;
    }

    pub(crate) fn tail(&self) -> u64 {
        self.at(AT_TAIL).load(Ordering::SeqCst)
    }

    pub(crate) fn taken(&self) -> u64 {
        self.at(AT_TAKEN).load(Ordering::Acquire)
    }

    fn set(&self, position: u64, header: u64) {
        self.word(position).store(header, Ordering::Release);
    }

    #[inline]
    fn copy_in(&self, position: u64, line: &[u8]) {
        let (whole, rest) = line.as_chunks::<8>();
        let (words, _) = self.run(position, record_size(line.len() as u64));
        for (word, bytes) in words.iter().zip(whole) {
            word.store(u64::from_le_bytes(*bytes), Ordering::Relaxed);
        }
        if let (Some(word), false) = (words.get(whole.len()), rest.is_empty()) {
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            word.store(u64::from_le_bytes(last), Ordering::Relaxed);
        }
    }

    fn copy_out(&self, position: u64, length: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (words, _) = self.run(position, length as u64);
        out.resize(start + words.len() * 8, 0);
        let (chunks, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut();
        for (chunk, word) in chunks.iter_mut().zip(words) {
            *chunk = word.load(Ordering::Relaxed).to_le_bytes();
        }
        out.truncate(start.saturating_add(length));
    }

    /// Returns the words from `position` on, as far as they do not wrap, and the position after them.
    #[inline]
    fn run(&self, position: u64, bytes: u64) -> (&[AtomicU64], u64) {
        let (range, after) = self.span(position, bytes);
        (self.map.get(range).unwrap_or_default(), after)
    }

    /// As [`run`](Self::run), with the indices of the words.
    #[inline]
    fn span(&self, position: u64, bytes: u64) -> (Range<usize>, u64) {
        let start = position & (self.capacity - 1);
        let bytes = bytes.next_multiple_of(WORD).min(self.capacity - start);
        let from = HEADER_WORDS + index(start);
        (from..from + index(bytes), position.saturating_add(bytes))
    }

    #[inline]
    fn word(&self, position: u64) -> &AtomicU64 {
        self.at(HEADER_WORDS + index(position & (self.capacity - 1)))
    }

    #[inline]
    fn at(&self, index: usize) -> &AtomicU64 {
        // Every index is masked to the capacity that `create` and `adopt` checked against the map.
        self.map.get(index).unwrap_or(&OUT_OF_RANGE)
    }
}

static OUT_OF_RANGE: AtomicU64 = AtomicU64::new(0);
