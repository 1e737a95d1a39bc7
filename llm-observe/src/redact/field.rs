//! Values of fields, judged by the field's name too.

use std::borrow::Cow;

use super::{
    MARK, Redactor, credentials,
    harmless::{Style, is_spared},
    key::Kind,
};

impl Redactor {
    /// Returns the text of a field without its secrets: nothing of it, where the field's name says
    /// that it is one.
    #[must_use]
    pub fn redact_field<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let Some((kind, many)) = self.keys.judged(name.as_bytes(), false) else {
            return self.redact(value);
        };
        let text = inner(value);
        if is_spared(text.as_bytes(), kind, many, Style::Quoted) {
            return self.redact(value);
        }
        match (kind, credentials::scheme(value)) {
            (Kind::Scheme, Some(scheme)) => Cow::Owned(format!("{scheme} {MARK}")),
            _ => Cow::Owned(MARK.to_owned()),
        }
    }

    /// Returns a name that becomes a label, such as a route, without its secrets.
    #[must_use]
    pub fn redact_label<'a>(&self, name: &'a str) -> Cow<'a, str> {
        self.redact_url(name)
    }

    /// Returns whether a field's name says that a number under it is secret: a PIN, the number of a
    /// card. Numbers of tokens are none.
    #[must_use]
    pub fn hides_number(&self, name: &str) -> bool {
        matches!(
            self.keys.judged(name.as_bytes(), false),
            Some((Kind::Value | Kind::Code, false))
        )
    }
}

/// Returns what a value says that was recorded by its `Debug`: `Some("x")` says `x`.
fn inner(value: &str) -> &str {
    let mut text = value;
    for _ in 0..3 {
        let within = text
            .split_once('(')
            .and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        match within {
            Some((name, rest)) if name.bytes().all(|b| b.is_ascii_alphanumeric()) => text = rest,
            _ => break,
        }
    }
    let quoted = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    quoted.unwrap_or(text)
}
