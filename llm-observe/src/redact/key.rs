//! Which names say that what stands behind them is secret.

/// The longest name that is looked at; a longer word is no name.
const LONGEST: usize = 64;

/// How the value behind a secret name is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A plain value.
    Value,
    /// A token, unless it is a number: those count tokens of a model.
    Token,
    /// `Authorization`: a scheme, then the credentials.
    Scheme,
    /// A header that is secret to the end of its line: `Cookie`.
    Line,
}

/// Names end in one of these once case, `_` and `-` are taken away.
const SUFFIXES: &[(&str, Kind)] = &[
    ("password", Kind::Value),
    ("passwd", Kind::Value),
    ("passphrase", Kind::Value),
    ("secret", Kind::Value),
    ("apikey", Kind::Value),
    ("accesskey", Kind::Value),
    ("accesskeyid", Kind::Value),
    ("secretkey", Kind::Value),
    ("privatekey", Kind::Value),
    ("accountkey", Kind::Value),
    ("signingkey", Kind::Value),
    ("encryptionkey", Kind::Value),
    ("routingkey", Kind::Value),
    ("credential", Kind::Value),
    ("credentials", Kind::Value),
    ("securitytoken", Kind::Value),
    ("token", Kind::Token),
    ("authorization", Kind::Scheme),
    ("cookie", Kind::Line),
];

/// Names that are secret only as a whole word, or behind `_` or `-`.
const WHOLE: &[&str] = &["pwd", "pass", "passcode"];

/// Names that are secret only in the query of a URL: too common elsewhere.
const IN_QUERY: &[&str] = &[
    "key",
    "sig",
    "signature",
    "xamzsignature",
    "xgoogsignature",
    "awsaccesskeyid",
    "auth",
];

/// The names that are known, and those of the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    own: Vec<Vec<u8>>,
}

impl Keys {
    pub(super) fn new(own: &[String]) -> Keys {
        let plain = |name: &String| {
            let letters = name.bytes().filter(|b| !is_separator(*b));
            letters.map(|b| b.to_ascii_lowercase()).collect()
        };
        Keys {
            own: own.iter().map(plain).collect(),
        }
    }

    /// Returns how to read what stands behind `name`, or `None` when it is not secret.
    pub(super) fn kind(&self, name: &[u8], in_query: bool) -> Option<Kind> {
        if !in_query && self.own.is_empty() && !may_end_secret(name) {
            return None;
        }
        let mut room = [0; LONGEST];
        let plain = plain(name, &mut room)?;
        let last = *plain.last()?;
        let suffix = SUFFIXES.iter().find(|(suffix, _)| {
            suffix.as_bytes().last() == Some(&last) && plain.ends_with(suffix.as_bytes())
        });
        if let Some((_, kind)) = suffix {
            return Some(*kind);
        }
        let secret = is_whole(name)
            || (in_query && IN_QUERY.iter().any(|known| plain == known.as_bytes()))
            || self.own.iter().any(|known| plain == known);
        secret.then_some(Kind::Value)
    }
}

/// Rules most words out by their last letter: this runs for every `name=` of a line.
fn may_end_secret(name: &[u8]) -> bool {
    let last = name.last().map(u8::to_ascii_lowercase);
    matches!(last, Some(b'd' | b'e' | b't' | b'y' | b'l' | b's' | b'n')) && name.len() > 2
}

/// Writes the name into `room` in lower case, without `_` and `-`; `None` when it is too long.
fn plain<'r>(name: &[u8], room: &'r mut [u8; LONGEST]) -> Option<&'r [u8]> {
    let mut len = 0;
    for byte in name.iter().filter(|b| !is_separator(**b)) {
        *room.get_mut(len)? = byte.to_ascii_lowercase();
        len += 1;
    }
    room.get(..len)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-')
}

fn is_whole(name: &[u8]) -> bool {
    let last = name.rsplit(|b| is_separator(*b)).next().unwrap_or(name);
    WHOLE
        .iter()
        .any(|whole| last.eq_ignore_ascii_case(whole.as_bytes()))
}
