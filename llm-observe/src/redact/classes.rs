//! Sorts the bytes of a text into classes, 64 at a time and without a branch, so that what is no
//! word's end and no mark is never looked at one by one.

/// What 64 bytes of a text are: bit n of each set is byte n.
#[derive(Clone, Copy, Default)]
pub(super) struct Block {
    /// Letters, digits, `_` and `-`.
    pub(super) word: u64,
    /// Bytes at which something secret may be recognised.
    pub(super) mark: u64,
    /// Whether there is a byte that may disguise others: of `%41`, `\u0041`, `&quot;`, of escape codes
    /// and fullwidth letters.
    pub(super) odd: bool,
}

/// How many bytes a block has.
pub(super) const SIZE: usize = 64;

const WORD: u8 = 1;
const MARK: u8 = 2;
const ODD: u8 = 4;

/// Returns the block that starts at `from`; what is beyond the text is in no class.
#[inline]
pub(super) fn block(bytes: &[u8], from: usize) -> Block {
    let rest = bytes.get(from..).unwrap_or_default();
    match rest.first_chunk::<SIZE>() {
        Some(chunk) => sorted(chunk),
        None if rest.is_empty() => Block::default(),
        None => sorted(&padded(rest)),
    }
}

#[inline]
fn padded(rest: &[u8]) -> [u8; SIZE] {
    // A space is in no class.
    let mut chunk = [b' '; SIZE];
    if let Some(start) = chunk.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    chunk
}

#[inline]
fn sorted(chunk: &[u8; SIZE]) -> Block {
    // A loop of comparisons alone: the compiler makes it one over vectors.
    let flags = chunk.map(class);
    let mut block = Block::default();
    let (eights, _) = flags.as_chunks::<8>();
    let mut any = 0;
    for (i, eight) in eights.iter().enumerate() {
        let eight = u64::from_le_bytes(*eight);
        any |= eight;
        block.word |= packed(eight) << (8 * i);
        block.mark |= packed(eight >> 1) << (8 * i);
    }
    block.odd = any & (0x0101_0101_0101_0101 * ODD as u64) != 0;
    block
}

/// Returns the lowest bits of eight bytes as one byte.
#[inline]
const fn packed(eight: u64) -> u64 {
    (eight & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[inline]
const fn class(byte: u8) -> u8 {
    let word = is_word(byte) as u8 * WORD;
    let mark = (byte == b'=')
        | (byte == b':')
        | (byte == b'@')
        | (byte == b'~')
        | (byte == b'>')
        | (byte == b'(')
        | (byte == b'{')
        | (byte == b',');
    let odd = (byte == b'%')
        | (byte == b'\\')
        | (byte == b'&')
        | (byte < 0x20) & (byte != b'\n')
        | (byte == 0xc2)
        | (byte == 0xe2)
        | (byte == 0xe3)
        | (byte == 0xef)
        | (byte == 0xd8);
    word | (mark as u8 * MARK) | (odd as u8 * ODD)
}

/// Returns whether `byte` may be part of a word.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(b'0') < 10)
        | (byte == b'_')
        | (byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_its_classes_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in [0, 1, 7, 8, 63] {
                let mut chunk = [b' '; SIZE];
                chunk[at] = byte;
                let block = block(&chunk, 0);
                let flags = class(byte);
                assert_eq!(block.word, u64::from(flags & WORD) << at);
                assert_eq!(block.mark, u64::from(flags & MARK) >> 1 << at);
                assert_eq!(block.odd, flags & ODD != 0);
            }
        }
        assert_eq!(block(b"ab", 1).word, 1);
        assert_eq!(block(b"ab", 2).word, 0);
    }
}
