//! Numbers of payment cards: the brands' prefixes and lengths, and the Luhn checksum
//! (ISO/IEC 7812-1).

use super::scan::Word;

/// The longest number with its separators: 19 digits in groups of four.
const LONGEST: usize = 19 + 4;

/// Returns where a card number ends that starts with `word`, in one piece or in groups with a
/// space or dash between.
pub(super) fn find(bytes: &[u8], word: Word<'_>) -> Option<usize> {
    if !may_start(word.bytes) || is_fraction(bytes, word.start) {
        return None;
    }
    let stretch = bytes.get(word.start..)?;
    let mut digits = [0_u8; 19];
    let mut count = 0;
    let mut end = 0;
    for (i, byte) in stretch.iter().take(LONGEST + 1).enumerate() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte - b'0';
                count += 1;
                end = i + 1;
            }
            b' ' | b'-' if end == i && is_group(count) => {}
            _ => break,
        }
    }
    let whole = !stretch.get(end).is_some_and(u8::is_ascii_alphanumeric);
    let number = digits.get(..count)?;
    (whole && is_brand(number) && luhn(number)).then_some(word.start + end)
}

/// Rules most numbers out: a card's first four digits stand together, and no brand starts with
/// 0, 1, 7, 8 or 9.
fn may_start(word: &[u8]) -> bool {
    matches!(word.first(), Some(b'2'..=b'6'))
        && word
            .get(..4)
            .is_some_and(|head| head.iter().all(u8::is_ascii_digit))
}

/// Where a group may end: every four digits, or 4-6-5 (American Express), 4-6-4 (Diners).
fn is_group(count: usize) -> bool {
    matches!(count, 4 | 8 | 10 | 12 | 16)
}

/// The digits behind a decimal point are no card number.
fn is_fraction(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|i| bytes.get(i)) == Some(&b'.')
}

fn is_brand(digits: &[u8]) -> bool {
    let head = |n: usize| {
        digits
            .iter()
            .take(n)
            .fold(0_u32, |sum, d| sum * 10 + u32::from(*d))
    };
    let (two, three, four) = (head(2), head(3), head(4));
    match digits.len() {
        13 | 19 => two / 10 == 4 || two == 62,
        14 => matches!(two, 36 | 38 | 39) || matches!(three, 300..=305),
        15 => matches!(two, 34 | 37),
        16 => {
            two / 10 == 4
                || matches!(two, 51..=55 | 62 | 65)
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
        }
        17 | 18 => two == 62,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| weighed(i, u32::from(*d)))
        .sum();
    sum.is_multiple_of(10)
}

fn weighed(index: usize, digit: u32) -> u32 {
    match (index % 2, digit * 2) {
        (0, _) => digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    }
}
