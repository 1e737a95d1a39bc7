//! A set of words that is made when this compiles, and asked with one hash.

const SLOTS: usize = 512;

/// No word.
const NONE: u8 = u8::MAX;

/// A set of words in lower case.
pub(super) struct Set {
    words: &'static [&'static str],
    /// The place of a word in `words`, in the slot of its hash or the next free one.
    slots: [u8; SLOTS],
}

impl Set {
    pub(super) const fn of(words: &'static [&'static str]) -> Set {
        let mut slots = [NONE; SLOTS];
        // A const context: what is out of bounds would not compile.
        assert!(words.len() < NONE as usize);
        let mut i = 0;
        #[allow(clippy::indexing_slicing, clippy::cast_possible_truncation)]
        while i < words.len() {
            let word = words[i].as_bytes();
            let mut slot = slot(
                word[0],
                word[word.len() / 2],
                word[word.len() - 1],
                word.len(),
            );
            while slots[slot] != NONE {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = i as u8;
            i += 1;
        }
        Set { words, slots }
    }

    /// Returns whether a word is in the set, in upper or lower case.
    pub(super) fn has(&self, word: &[u8]) -> bool {
        let (Some(first), Some(last)) = (word.first(), word.last()) else {
            return false;
        };
        let middle = word.get(word.len() / 2).unwrap_or(first);
        let mut slot = slot(*first, *middle, *last, word.len());
        while let Some(known) = self
            .slots
            .get(slot)
            .and_then(|i| self.words.get(usize::from(*i)))
        {
            if word.eq_ignore_ascii_case(known.as_bytes()) {
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
        false
    }
}

const fn slot(first: u8, middle: u8, last: u8, len: usize) -> usize {
    let letters = (first | 0x20) as usize * 31 + (middle | 0x20) as usize * 157;
    (letters + (last | 0x20) as usize * 7 + len * 67) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_words_in_any_case_and_no_others() {
        static WORDS: Set = Set::of(&["one", "two", "three", "n/a", "can't"]);
        for word in ["one", "TWO", "Three", "N/A", "can't"] {
            assert!(WORDS.has(word.as_bytes()));
        }
        for word in ["", "o", "ones", "ones", "on", "eno", "twa"] {
            assert!(!WORDS.has(word.as_bytes()));
        }
    }
}
