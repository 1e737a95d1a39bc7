//! Takes secrets that are known out of a text: those of a destination out of what it answered.
//! Knows no rules: what is asked for goes, wherever it stands and however it is encoded.

use std::{borrow::Cow, fmt::Write};

use super::MARK;

/// A secret shorter than this is a word: taking it out would leave nothing readable.
const SHORTEST: usize = 4;

/// Secrets that are known.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// The longest first: a part of a URL must not go before the whole.
    forms: Vec<String>,
}

impl Known {
    /// Adds a secret: a token, a password, a key.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn secret(mut self, secret: &str) -> Known {
        self.add(secret);
        self
    }

    /// Adds the value of a header that may hold credentials: the value, and what is long in it.
    #[must_use]
    pub(crate) fn header(mut self, value: &str) -> Known {
        self.add_long(value);
        for part in value.split([' ', ',', '=', ':', '"']) {
            self.add_long(part);
        }
        self
    }

    /// Adds a URL that is a secret, and what is secret in it by itself: its path with its query, the
    /// parts of them, user and password. A server repeats the path in a 404.
    #[must_use]
    pub(crate) fn url(mut self, url: &str) -> Known {
        self.add(url);
        let Some((_, rest)) = url.split_once("://") else {
            return self;
        };
        let start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(start).unwrap_or((rest, ""));
        if let Some((user, _)) = authority.rsplit_once('@') {
            self.add(user);
            user.split(':').for_each(|part| self.add_long(part));
        }
        self.add_long(path);
        for part in path.split(['/', '?', '#', '&', '=']) {
            self.add_long(part);
        }
        self
    }

    /// Returns the text without them.
    #[must_use]
    pub(crate) fn removed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), MARK));
            }
        }
        text
    }

    /// Adds a part of something, unless it is a word that says nothing (`services`, `webhooks`).
    fn add_long(&mut self, part: &str) {
        let random = part.len() >= 16 || part.bytes().any(|b| b.is_ascii_digit());
        if part.len() >= 8 && random {
            self.add(part);
        }
    }

    fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST {
            return;
        }
        for form in [
            secret.to_owned(),
            encoded(secret, false),
            encoded(secret, true),
            secret.replace('/', "\\/"),
            secret.replace('&', "&amp;"),
            decoded(secret),
        ] {
            if form.len() >= SHORTEST && !self.forms.contains(&form) {
                self.forms.push(form);
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }
}

/// Percent-encodes what is no unreserved character (RFC 3986, section 2.3).
fn encoded(text: &str, small: bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let c = char::from(byte);
        // Writing to a string does not fail.
        match (c.is_ascii_alphanumeric() || "-._~".contains(c), small) {
            (true, _) => out.push(c),
            (false, true) => drop(write!(out, "%{byte:02x}")),
            (false, false) => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    super::whole::decoded(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_goes_however_the_server_repeats_it() {
        let url = "https://hooks.example.com/services/T0AB/B0CD/x1y2z3w4v5u6";
        let known = Known::default().url(url);
        for answer in [
            format!("404: {url} not found"),
            "404: /services/T0AB/B0CD/x1y2z3w4v5u6 not found".to_owned(),
            "no hook x1y2z3w4v5u6".to_owned(),
            "{\"path\":\"\\/services\\/T0AB\\/B0CD\\/x1y2z3w4v5u6\"}".to_owned(),
            "at %2Fservices%2FT0AB%2FB0CD%2Fx1y2z3w4v5u6".to_owned(),
            "at %2fservices%2fT0AB%2fB0CD%2fx1y2z3w4v5u6".to_owned(),
        ] {
            let out = known.removed(&answer);
            assert!(!out.contains("x1y2") && out.contains(MARK), "{out}");
        }
        assert!(matches!(known.removed("404 in services"), Cow::Borrowed(_)));
    }

    #[test]
    fn user_password_and_plain_secrets_go() {
        let known = Known::default()
            .url("https://team-user1:pa%2Fss1word@host/p")
            .secret("abcd")
            .secret("abc");
        assert_eq!(
            known.removed("got pa%2Fss1word, pa/ss1word"),
            format!("got {MARK}, {MARK}")
        );
        assert_eq!(known.removed("abcd abc"), format!("{MARK} abc"));
    }
}
