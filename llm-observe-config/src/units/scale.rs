//! Numbers with units, read exactly, for any set of units.

use super::error::UnitError;
use crate::suggest::suggest;

/// One kind of quantity: its units, and how its errors speak.
pub(super) struct Scale {
    pub(super) what: &'static str,
    pub(super) units: &'static [(&'static str, u128)],
    pub(super) spellings: &'static [(&'static str, &'static str)],
    pub(super) example: &'static str,
    pub(super) finest: &'static str,
    pub(super) most: u128,
    pub(super) limit: &'static str,
}

impl Scale {
    pub(super) fn wrong(&self, message: &str, help: &str) -> UnitError {
        UnitError::new(message, help)
    }

    /// Splits one number with its unit off `text`: its amount in the finest unit, its unit, and
    /// what follows.
    pub(super) fn step<'t>(
        &self,
        text: &'t str,
    ) -> Result<(u128, &'static str, &'t str), UnitError> {
        let (number, rest) = split(text, |c| c.is_ascii_digit() || c == '.');
        let (unit, rest) = split(rest, |c| !c.is_ascii_digit() && c != '.');
        if number.is_empty() {
            return Err(self.wrong(&format!("is not a {}", self.what), self.example));
        }
        let (unit, scale) = self.unit(unit)?;
        Ok((self.amount(number, scale)?, unit, rest))
    }

    fn unit(&self, unit: &str) -> Result<(&'static str, u128), UnitError> {
        if unit.trim().is_empty() {
            return Err(self.wrong("has no unit", self.example));
        }
        if let Some(found) = self.units.iter().find(|(name, _)| *name == unit) {
            return Ok(*found);
        }
        let known = || self.units.iter().map(|(name, _)| *name);
        let bare = unit.trim();
        let same = known().find(|name| name.eq_ignore_ascii_case(bare));
        let spelled = self
            .spellings
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(bare));
        let meant = same
            .or(spelled.map(|(_, name)| *name))
            .or_else(|| suggest(bare, known()));
        let help = match meant {
            Some(meant) => format!("write `{meant}` right after the number"),
            None => self.example.to_owned(),
        };
        Err(self.wrong("has an unknown unit", &help))
    }

    /// Returns `number`, such as `1.5`, times `scale`, exactly.
    fn amount(&self, number: &str, scale: u128) -> Result<u128, UnitError> {
        let malformed = || self.wrong(&format!("is not a {}", self.what), self.example);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !whole.is_empty() && !fraction.is_empty() => {
                (whole, fraction)
            }
            Some(_) => return Err(malformed()),
            None => (number, ""),
        };
        if fraction.contains('.') {
            return Err(malformed());
        }
        let whole = whole.parse::<u128>().unwrap_or(u128::MAX);
        let part = self.part(fraction.trim_end_matches('0'), scale)?;
        Ok(whole.saturating_mul(scale).saturating_add(part))
    }

    /// Returns `0.fraction` times `scale`, exactly.
    fn part(&self, fraction: &str, scale: u128) -> Result<u128, UnitError> {
        let finer = || {
            let message = format!("is finer than {}", self.finest);
            self.wrong(&message, "write fewer digits after the point")
        };
        if fraction.is_empty() {
            return Ok(0);
        }
        let length = u32::try_from(fraction.len())
            .ok()
            .filter(|length| *length <= 18);
        let divisor = 10_u128.pow(length.ok_or_else(finer)?);
        let scaled = fraction.parse::<u128>().unwrap_or(0).saturating_mul(scale);
        if scaled.is_multiple_of(divisor) {
            Ok(scaled / divisor)
        } else {
            Err(finer())
        }
    }

    pub(super) fn bounded(&self, amount: u128) -> Result<(), UnitError> {
        if amount <= self.most {
            return Ok(());
        }
        let help = format!("write at most \"{}\"", self.limit);
        Err(self.wrong(&format!("is too large for a {}", self.what), &help))
    }
}

fn split(text: &str, matches: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !matches(c)).unwrap_or(text.len());
    text.split_at(end)
}
