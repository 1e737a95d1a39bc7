//! The file of one process. Version 1:
//!
//! ```text
//! llm-observe budgets 1 5f0c93b1          CRC-32 of what follows, in hexadecimal
//! 20782 86400000000 12.5 1 answer         period, its length in microseconds, US dollars, alerted, event
//! ```
//!
//! A file that is torn, of another version or something else says nothing.

use std::path::Path;

use super::super::account::{Account, Key};
use crate::outbox::private;

const HEAD: &str = "llm-observe budgets 1 ";

/// The most bytes that are read: far more than all budgets of a service take.
const MOST: u64 = 1 << 20;

pub(super) fn encode(account: &Account) -> String {
    let lines: String = account
        .iter()
        .map(|(key, spent)| {
            let Key { event, per, period } = key;
            format!("{period} {per} {} {} {event}\n", spent.usd, spent.alerted)
        })
        .collect();
    format!("{HEAD}{:08x}\n{lines}", crc32fast::hash(lines.as_bytes()))
}

/// Reads a file, without periods that are over; `None` when there is none that can be read.
pub(super) fn read(path: &Path, now: u64) -> Option<Account> {
    let bytes = private::read(path, MOST).ok().flatten()?;
    decode(std::str::from_utf8(&bytes).ok()?, now)
}

fn decode(text: &str, now: u64) -> Option<Account> {
    let (head, lines) = text.split_once('\n')?;
    let crc = u32::from_str_radix(head.strip_prefix(HEAD)?, 16).ok()?;
    if crc32fast::hash(lines.as_bytes()) != crc {
        return None;
    }
    let mut account = Account::default();
    for line in lines.lines() {
        if let Some((key, usd, alerted)) = decode_line(line)
            && !key.is_old(now)
        {
            account.add(key, usd, alerted);
        }
    }
    Some(account)
}

fn decode_line(line: &str) -> Option<(Key, f64, u8)> {
    let mut parts = line.splitn(5, ' ');
    let mut next = || parts.next();
    let period = next()?.parse().ok()?;
    let per = next()?.parse().ok()?;
    let usd = next()?.parse().ok()?;
    let alerted = next()?.parse().ok()?;
    let event = next()?.to_owned();
    Some((Key { event, per, period }, usd, alerted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600_000_000;

    fn account() -> Account {
        let mut account = Account::default();
        account.add(Key::at("answer", HOUR, 7 * HOUR), 0.1 + 0.2, 3);
        account.add(Key::at("rag.query", HOUR, 8 * HOUR), 1e-9, 0);
        account
    }

    #[test]
    fn what_is_written_is_read() {
        let text = encode(&account());
        assert_eq!(decode(&text, 7 * HOUR), Some(account()));
        let later = decode(&text, 10 * HOUR).unwrap();
        assert_eq!(later.len(), 0, "both periods are over");
    }

    #[test]
    fn a_torn_or_changed_file_says_nothing() {
        let text = encode(&account());
        for end in 0..text.len() {
            assert_eq!(decode(&text[..end], 0), None, "{end}");
        }
        assert_eq!(decode(&text.replace("0.3", "9.3"), 0), None);
        assert_eq!(decode(&text.replace("budgets 1", "budgets 2"), 0), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_hostile(lines in "([0-9]{0,22} ){0,4}[-+.0-9einfa \n]{0,60}") {
            let text = format!("{HEAD}{:08x}\n{lines}", crc32fast::hash(lines.as_bytes()));
            let account = decode(&text, u64::MAX).unwrap();
            for (_, spent) in account.iter() {
                prop_assert!(spent.usd.is_finite() && spent.usd >= 0.0);
            }
        }
    }
}
