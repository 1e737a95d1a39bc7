//! The layout of a ring in memory and in its file: what any version of this crate must read as this one
//! wrote it.

/// Words in front of the ring itself.
pub(crate) const HEADER_WORDS: usize = 512;
pub(super) const WORD: u64 = 8;

/// "LLMOBS" and the version of this layout.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"LLMOBS\x00\x01");

// Indices of the header's words. `TAIL` and `FREED` have a cache line each, since different threads
// write them.
pub(super) const AT_MAGIC: usize = 0;
pub(super) const AT_CAPACITY: usize = 1;
pub(super) const AT_INTENT: usize = 8;
pub(super) const AT_TAIL: usize = 32;
pub(super) const AT_TAKEN: usize = 64;
pub(super) const AT_FREED: usize = 96;
pub(super) const AT_LOST: usize = 128;

// States of a record, in the header's high half.
pub(super) const RESERVED: u64 = 1 << 32;
pub(super) const LINE: u64 = 2 << 32;
pub(super) const PAD: u64 = 3 << 32;
pub(super) const LENGTH: u64 = (1 << 32) - 1;

/// Positions are below this: at a gigabyte a second they would take 146 years to get there.
pub(super) const MOST: u64 = 1 << 62;

/// Why memory that another process left is not a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRing {
    /// Another version of this crate wrote it, and can read it.
    OtherVersion,
    /// Its header contradicts itself or the size of the file.
    Damaged,
}

/// What is about to be appended to which file: shows a later process how far the append got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    /// The file's length before.
    pub(crate) offset: u64,
    /// How many bytes are to be appended; 0 when no append is in progress.
    pub(crate) bytes: u64,
}

/// Returns whether a ring begins so whose layout has another version.
pub(super) fn is_other_version(magic: u64) -> bool {
    const VERSION: u64 = 0xffff;
    magic != MAGIC && magic & !VERSION == MAGIC & !VERSION
}

/// Returns whether a header, read from a file, is that of a ring without lines.
pub(crate) fn is_empty_header(bytes: &[u8]) -> bool {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |index| words.get(index).map(|word| u64::from_ne_bytes(*word));
    word(AT_MAGIC) == Some(MAGIC) && word(AT_TAIL) == word(AT_TAKEN) && word(AT_LOST) == Some(0)
}

/// Converts bytes to words.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "at most the capacity, which is mapped, so it is a `usize`"
)]
pub(super) fn index(bytes: u64) -> usize {
    (bytes / WORD) as usize
}

#[inline]
pub(super) fn record_size(length: u64) -> u64 {
    WORD + length.next_multiple_of(WORD)
}
