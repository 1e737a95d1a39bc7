//! Rules nearly all words of a text out by their last four letters, with one multiplication and one
//! look into a small table each.

/// The last four letters of every word that [`said`](super::said) or [`scan`](super::scan) look at.
const TAILS: &[&[u8; 4]] = &[
    b"word", // password
    b"sswd", b"rase", b"cret", b"oken", b"_key", b"-key", b" key", b"ikey", b"skey", b"code",
    b"tial", b"ials", b"pass", b"_pwd", b" pwd", b" pin", b" otp", b"_pin", b"_otp", b"-otp",
    b"arer", // bearer
    b"asic", b"fied", // identified by
    b"lues", // values
    b"auth", b"ooks", // hooks.slack.com
    b"egin", // -----BEGIN
    b"gest", // digest
    b"curl", b"wget", b"ysql", b"dump", b"iadb", b"-cli", b"ogin", b"ongo", b"gosh", b"n_id",
    b"n id", b"sion",
];

const SLOTS: usize = 256;

/// The tails, each in the slot of its hash; and the multiplier under which no two meet.
const TABLE: ([u32; SLOTS], u32) = table();

const fn table() -> ([u32; SLOTS], u32) {
    let mut multiplier = 0x9e37_79b1_u32;
    // A const context: what is out of bounds would not compile.
    #[allow(clippy::indexing_slicing)]
    loop {
        let mut table = [0; SLOTS];
        let mut i = 0;
        while i < TAILS.len() {
            let tail = folded(u32::from_le_bytes(*TAILS[i]));
            let slot = slot(tail, multiplier);
            if table[slot] != 0 {
                break;
            }
            table[slot] = tail;
            i += 1;
        }
        if i == TAILS.len() {
            return (table, multiplier);
        }
        multiplier = multiplier
            .wrapping_mul(0x0019_660d)
            .wrapping_add(0x3c6e_f35f)
            | 1;
    }
}

const fn slot(tail: u32, multiplier: u32) -> usize {
    (tail.wrapping_mul(multiplier) >> 24) as usize
}

/// Makes capitals small; what is no letter stays different from all letters.
const fn folded(tail: u32) -> u32 {
    tail | 0x2020_2020
}

/// Returns whether something may follow a word whose last four bytes are `tail`: one of the words
/// above, or four digits.
#[inline]
pub(super) fn may_matter(tail: u32) -> bool {
    let lower = folded(tail);
    let known = TABLE
        .0
        .get(slot(lower, TABLE.1))
        .copied()
        .unwrap_or_default();
    let digits = (tail ^ 0x3030_3030) & 0xf0f0_f0f0;
    (known == lower) | (digits == 0)
}

/// Returns the four bytes before `end`, with zeros for those before the text.
#[inline]
pub(super) fn tail(bytes: &[u8], end: usize) -> u32 {
    let four = end
        .checked_sub(4)
        .and_then(|start| bytes.get(start..)?.first_chunk::<4>());
    match four {
        Some(four) => u32::from_le_bytes(*four),
        None => short(bytes, end),
    }
}

#[cold]
fn short(bytes: &[u8], end: usize) -> u32 {
    let mut four = [b' '; 4];
    let start = bytes.get(..end).unwrap_or_default();
    for (to, byte) in four.iter_mut().rev().zip(start.iter().rev()) {
        *to = *byte;
    }
    u32::from_le_bytes(four)
}
