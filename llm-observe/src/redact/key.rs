//! Which names say that what stands behind them is secret. A name is taken apart into its words:
//! `dbPassword`, `DB_PASSWORD`, `db.password` and `db password` are one.

use super::names::{
    ACCESS_TOKENS, ANYWHERE, CODES, GLUED, IN_QUERY, NOT_SECRET_KEYS, SECRET_KEYS, TEXT_TOKENS,
    TRAILING, WHOLE,
};

/// How much of a name is looked at, from its end: what a name means is said there.
const LONGEST: usize = 48;

/// How the value behind a secret name is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name of the configuration: whatever stands behind it.
    Own,
    /// A plain value.
    Value,
    /// A token, unless it is a number or a word: a model's tokens are called so too.
    Token,
    /// A token that can only be a credential: `access_token`.
    Access,
    /// `pass` alone: tests pass too.
    Pass,
    /// `Authorization`: a scheme, then the credentials.
    Scheme,
    /// A header that is secret to the end of its line: `Cookie`.
    Line,
    /// A number that is secret: a PIN, a code, the number of a card.
    Code,
    /// Secret where the value looks like nothing else: `some_key`, `signature`.
    Loose,
    /// As `Loose`, where even a hash or an id is nothing secret: `key` alone.
    Vague,
}

/// The names that are known, and those of the configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    own: Vec<Vec<u8>>,
}

/// A name as it is compared.
struct Plain<'r> {
    /// In lower case, without anything between its words.
    all: &'r [u8],
    /// Where its last word starts, and the one before.
    last: usize,
    previous: usize,
    /// Whether it was in the plural.
    many: bool,
}

impl Keys {
    pub(super) fn new(own: &[String]) -> Keys {
        let plain = |name: &String| {
            let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
            letters.map(|b| b.to_ascii_lowercase()).collect()
        };
        Keys {
            own: own.iter().map(plain).collect(),
        }
    }

    /// Returns how to read what stands behind `name`, or `None` when it is not secret.
    pub(super) fn kind(&self, name: &[u8], in_query: bool) -> Option<Kind> {
        Some(self.judged(name, in_query)?.0)
    }

    /// Returns also whether the name is in the plural.
    pub(super) fn judged(&self, name: &[u8], in_query: bool) -> Option<(Kind, bool)> {
        if self.own.is_empty() && !may_be_secret(name, in_query) {
            return None;
        }
        let mut room = [0; LONGEST];
        let plain = Plain::of(name, &mut room)?;
        if self.own.iter().any(|known| plain.is_own(known)) {
            return Some((Kind::Own, false));
        }
        let kind = plain.kind(in_query).or_else(|| {
            // `password_confirmation`, `api_key_value`, `password2`
            let cut = plain.without_trailing()?;
            cut.kind(in_query)
                .filter(|kind| !matches!(kind, Kind::Token | Kind::Vague | Kind::Loose))
        })?;
        Some((kind, plain.many))
    }
}

impl<'r> Plain<'r> {
    /// Takes a name apart; `None` of one without letters.
    fn of(name: &[u8], room: &'r mut [u8; LONGEST]) -> Option<Plain<'r>> {
        let tail = name.get(name.len().saturating_sub(LONGEST)..)?;
        super::steps::add(tail.len());
        let (mut len, mut last, mut previous, mut before) = (0, 0, 0, b'_');
        for byte in tail {
            if byte.is_ascii_alphanumeric() {
                let first = !before.is_ascii_alphanumeric()
                    || (byte.is_ascii_uppercase() && before.is_ascii_lowercase());
                if first && len > 0 {
                    (previous, last) = (last, len);
                }
                *room.get_mut(len)? = byte.to_ascii_lowercase();
                len += 1;
            }
            before = *byte;
        }
        let all = room.get(..len)?;
        let many = len > 4 && all.ends_with(b"s") && !ends(all, &["pass", "ss", "bus"]);
        let all = if many { all.get(..len - 1)? } else { all };
        (!all.is_empty()).then_some(Plain {
            all,
            last,
            previous,
            many,
        })
    }

    fn kind(&self, in_query: bool) -> Option<Kind> {
        let last = self.all.get(self.last..).unwrap_or(self.all);
        if in_query
            && let Some((_, kind)) = IN_QUERY
                .iter()
                .find(|(known, _)| self.all == known.as_bytes())
        {
            return Some(*kind);
        }
        if self.all.ends_with(b"token") {
            return match self.owner(5) {
                b"" if !in_query => Some(Kind::Token),
                owner if TEXT_TOKENS.has(owner) => None,
                owner if ACCESS_TOKENS.has(owner) => Some(Kind::Access),
                _ if in_query => Some(Kind::Access),
                _ => Some(Kind::Token),
            };
        }
        if let Some(kind) = by_end(ANYWHERE, &ANYWHERE_ENDS, self.all, |known| {
            self.all.ends_with(known)
        }) {
            return Some(kind);
        }
        if let Some(kind) = by_end(WHOLE, &WHOLE_ENDS, last, |known| last == known) {
            let alone = last.len() == self.all.len() && last == b"pass";
            return Some(if alone { Kind::Pass } else { kind });
        }
        if self.all.ends_with(b"code") {
            return CODES.has(self.owner(4)).then_some(Kind::Code);
        }
        let head = self.all.strip_suffix(b"key")?;
        match self.owner(3) {
            b"" => Some(Kind::Vague),
            owner if SECRET_KEYS.has(owner) || ends(head, GLUED) => Some(Kind::Value),
            // The word `key`, and not `monkey`.
            owner if NOT_SECRET_KEYS.has(owner) || last != b"key" => None,
            _ => Some(Kind::Loose),
        }
    }

    /// Returns the word before the last `len` letters.
    fn owner(&self, len: usize) -> &[u8] {
        let end = self.all.len() - len.min(self.all.len());
        let start = if end == self.last {
            self.previous
        } else {
            self.last
        };
        self.all.get(start..end).unwrap_or_default()
    }

    /// Returns the name without a last word or a number that adds nothing to it.
    fn without_trailing(&self) -> Option<Plain<'r>> {
        let digits = self.all.iter().rev().take_while(|b| b.is_ascii_digit());
        let digits = digits.count();
        let all = self.all.get(..self.all.len() - digits)?;
        let trailing = TRAILING.iter().find(|word| all.ends_with(word.as_bytes()));
        let cut = trailing.map_or(0, |word| word.len());
        let all = all.get(..all.len() - cut)?;
        let last = if self.last < all.len() { self.last } else { 0 };
        (digits + cut > 0 && !all.is_empty()).then_some(Plain {
            all,
            last,
            previous: self.previous.min(last),
            many: self.many,
        })
    }

    fn is_own(&self, known: &[u8]) -> bool {
        self.all == known || (self.many && known.strip_suffix(b"s") == Some(self.all))
    }
}

/// Rules most names out by their last letters: this runs for every `name=` of a line.
fn may_be_secret(name: &[u8], in_query: bool) -> bool {
    if in_query {
        return !name.is_empty();
    }
    let (Some(last), Some(third)) = (name.last(), name.len().checked_sub(2)) else {
        return false;
    };
    let last = last.to_ascii_lowercase();
    let second = name.get(third).map_or(0, u8::to_ascii_lowercase);
    // The ends of the words in `names`, of their plurals, and of what may follow them.
    match last {
        b'd' => matches!(second, b'r' | b'w' | b'i' | b'e' | b's' | b'c'), // password, passwd, sessionid, cred
        b'e' => matches!(
            second,
            b's' | b'i' | b'd' | b'c' | b'r' | b'u' | b't' | b'v'
        ), // passphrase, cookie, code
        b't' => matches!(
            second,
            b'e' | b'w' | b'n' | b'l' | b'i' | b'x' | b'a' | b'f'
        ), // secret, jwt
        b'y' => second == b'e',
        b'l' => second == b'a', // credential
        b's' => matches!(
            second,
            b's' | b'd' | b'e' | b't' | b'y' | b'l' | b'n' | b'p' | b'k' | b'c'
        ),
        b'n' => matches!(second, b'e' | b'i' | b'o' | b's' | b'a'), // token, pin, authorization, ssn
        b'p' => matches!(second, b't' | b'o'),                      // otp
        b'h' => matches!(second, b't' | b's'),                      // auth, hash
        b'k' => second == b's',                                     // psk
        b'w' => matches!(second, b'p' | b'a' | b'e' | b'o'),        // pw
        b'c' => matches!(second, b'v' | b'a' | b'i' | b'n'),        // cvc, hmac
        b'v' => second == b'v',                                     // cvv
        b'r' => matches!(second, b'e' | b'n' | b'f'),               // number, bearer, csrf..
        b'f' => second == b'r',                                     // csrf, xsrf
        b'm' => second == b'r',                                     // confirm
        b'o' => second == b'n',
        b'g' => second == b'n',
        b'0'..=b'9' => name.first().is_some_and(u8::is_ascii_alphabetic),
        b'_' | b'-' | b'.' => true,
        _ => false,
    }
}

fn ends(name: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| name.ends_with(word.as_bytes()))
}

/// For each last byte, the rows that end so: bit n is row n.
static ANYWHERE_ENDS: [u64; 128] = ends_of(ANYWHERE);
static WHOLE_ENDS: [u64; 128] = ends_of(WHOLE);

const fn ends_of(table: &[(&'static str, Kind)]) -> [u64; 128] {
    let (mut ends, mut i) = ([0; 128], 0);
    // A const context: an index or a shift that is out of bounds would not compile.
    #[allow(clippy::indexing_slicing)]
    while i < table.len() {
        let name = table[i].0.as_bytes();
        ends[name[name.len() - 1] as usize] |= 1 << i;
        i += 1;
    }
    ends
}

/// Returns the kind of the first row that ends as `name` and that `is` takes.
fn by_end(
    table: &[(&'static str, Kind)],
    ends: &[u64; 128],
    name: &[u8],
    is: impl Fn(&[u8]) -> bool,
) -> Option<Kind> {
    let last = usize::from(*name.last()?);
    let mut rows = ends.get(last).copied().unwrap_or_default();
    while let Some((known, kind)) = table.get(rows.trailing_zeros() as usize) {
        if is(known.as_bytes()) {
            return Some(*kind);
        }
        rows &= rows - 1;
    }
    None
}
