//! Amounts of money as people read them.

use std::fmt::Write;

/// Returns an amount as text lines have it: `$12.34`, `$0.0041`.
pub(super) fn dollars(usd: f64) -> String {
    let mut text = String::new();
    // Two digits of a small amount.
    let decimals = (2..12).find(|n| usd * 10_f64.powi(*n) >= 9.5);
    let decimals = match decimals {
        _ if usd <= 0.0 => 0,
        Some(n) => usize::try_from(n).unwrap_or(2),
        None => 12,
    };
    let _ = write!(text, "${usd:.decimals$}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_digits_at_least() {
        for (usd, shown) in [
            (0.0, "$0"),
            (0.004_12, "$0.0041"),
            (0.25, "$0.25"),
            (0.5, "$0.50"),
            (12.345, "$12.35"),
            (1e-9, "$0.0000000010"),
            (1e-30, "$0.000000000000"),
        ] {
            assert_eq!(dollars(usd), shown);
        }
    }
}
