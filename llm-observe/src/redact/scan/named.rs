//! What stands behind a telling name: `name=value`, a list of variables, an element, a tuple.

use super::{
    super::{
        MARK, URL_MARK,
        bytes::{back, before, is_alnum, is_one_of, is_space, run, run_within, skip_spaces},
        classes::is_word,
        harmless::{Style, is_new},
        key::Kind,
        names_at::{NameAt, name_before},
        nested,
        value::{self, Name},
    },
    Scan,
};

/// How far the end of an element is looked for.
const LONGEST_ELEMENT: usize = 512;

/// How many telling names are looked at in any text, and one more for so many bytes of it.
const MANY_NAMES: usize = 256;
const BYTES_A_NAME: usize = 128;

impl Scan<'_, '_, '_, '_> {
    /// `name=value` or `name: value`; the name ends before `at`.
    pub(super) fn assigned(&mut self, at: usize, value: usize) -> Option<usize> {
        let found = name_before(self.bytes, self.at, at)?;
        let text = self.bytes.get(found.start..found.end)?;
        // `/v1/token:refresh`, `/users/:token`: a route. `arn:aws:..:secret:db`: a path of colons.
        if matches!(before(self.bytes, found.start), Some(b'/' | b':'))
            && self.byte(at) == Some(b':')
            && self.byte(value).is_some_and(is_alnum)
        {
            return None;
        }
        let in_query = matches!(before(self.bytes, found.start), Some(b'?' | b'&'));
        let Some((kind, many)) = self.keys.judged(text, in_query) else {
            return self.indirect(text, value);
        };
        let equals = before(self.bytes, value) == Some(b'=');
        let spaced = self.byte(value).is_none_or(|b| b.is_ascii_whitespace());
        // `password == confirm`: code.
        if equals && before(self.bytes, value - 1) == Some(b'=') {
            let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
            let from = skip_spaces(self.bytes, value);
            let end = run_within(self.bytes, from, 64, letter);
            let ends = |b: u8| b.is_ascii_whitespace() || b == b')';
            if end > from && self.byte(end).is_none_or(ends) {
                return None;
            }
        }
        let style = match (
            equals,
            spaced && before(self.bytes, at).is_some_and(is_space),
        ) {
            (true, false) => Style::Assigned,
            (false, false) if !spaced && !found.quoted => Style::Assigned,
            _ => Style::Said,
        };
        if !self.may_look(at) {
            return self.unseen(value, kind);
        }
        let name = self.named(found, kind, many, in_query);
        match value::behind(self.bytes, value, name, style) {
            Some(range) => self.cut(range, if in_query { URL_MARK } else { MARK }),
            None => self.indirect(text, value),
        }
    }

    /// Returns whether what stands behind one more telling name may be looked at: more of them than
    /// any text has are there to take time.
    pub(super) fn may_look(&mut self, at: usize) -> bool {
        self.looked += 1;
        self.looked <= MANY_NAMES + at / BYTES_A_NAME
    }

    /// Cuts a value without looking at it, where it is likely to be secret.
    fn unseen(&mut self, value: usize, kind: Kind) -> Option<usize> {
        if !matches!(kind, Kind::Own | Kind::Value | Kind::Access | Kind::Scheme) {
            return None;
        }
        let from = skip_spaces(self.bytes, value);
        let end = run(self.bytes, from, |b| !b.is_ascii_whitespace());
        is_new(self.bytes, (from, end)).then(|| self.cut((from, end), MARK))?
    }

    fn named(&self, found: NameAt, kind: Kind, many: bool, in_query: bool) -> Name {
        let quote = before(self.bytes, found.start);
        let margin = back(
            self.bytes,
            found.start.saturating_sub(16),
            found.start,
            is_space,
        );
        let export = self
            .bytes
            .get(..margin)
            .is_some_and(|text| text.ends_with(b"export"));
        Name {
            kind,
            many,
            quoted: found.quoted,
            within: quote.filter(|b| !found.quoted && matches!(b, b'"' | b'\'' | b'`')),
            in_query,
            first: export || before(self.bytes, margin).is_none_or(|b| b == b'\n'),
            start: found.start,
        }
    }

    /// `name: DB_PASSWORD` and then `value: x`, as in a list of variables; or a part of a form.
    fn indirect(&mut self, name: &[u8], value: usize) -> Option<usize> {
        const NAMES: &[&str] = &[
            "name",
            "key",
            "field",
            "header",
            "parameter",
            "param",
            "variable",
            "env",
        ];
        let last = name.rsplit(|b| *b == b' ').next().unwrap_or_default();
        if !is_one_of(last, NAMES) || !self.may_look(value) {
            return None;
        }
        let from = skip_spaces(self.bytes, value);
        let bare = |b: u8| is_alnum(b) || matches!(b, b'_' | b'-' | b'.');
        let near = self.bytes.get(from..self.bytes.len().min(from + 80))?;
        let (start, end) = match value::quoted(near, 0) {
            Some((start, end)) => (from + start, from + end),
            None => (from, run_within(self.bytes, from, 64, bare)),
        };
        let (kind, many) = self.keys.judged(self.bytes.get(start..end)?, false)?;
        let gap = run_within(self.bytes, end, 24, |b| !is_alnum(b) && b != b'-');
        let word = run_within(self.bytes, gap, 12, is_alnum);
        let found = NameAt {
            start,
            end,
            quoted: true,
        };
        let named = self.named(found, kind, many, false);
        let text = self.bytes.get(gap..word)?;
        let line = self
            .bytes
            .get(end..gap)
            .is_some_and(|gap| gap.ends_with(b"\n\n") || gap.ends_with(b"\r\n\r\n"));
        if line {
            let stop = run(self.bytes, gap, |b| !matches!(b, b'\r' | b'\n'));
            let range = value::judged(self.bytes, gap, stop, named, Style::Quoted)?;
            return self.cut(range, MARK);
        }
        if !is_one_of(text, &["value", "val", "default", "data", "content"]) {
            return None;
        }
        let separator = run_within(self.bytes, word, 6, |b| {
            matches!(b, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=')
        });
        let quote = back(self.bytes, word, separator, |b| {
            matches!(b, b'"' | b'\'' | b'\\')
        });
        let range = value::behind(self.bytes, quote, named, Style::Quoted)?;
        self.cut(range, MARK)
    }

    /// `<password>x</password>`, `<entry key="password">x</entry>`
    pub(super) fn element(&mut self, at: usize) -> Option<usize> {
        let attribute = matches!(before(self.bytes, at), Some(b'"' | b'\''));
        let found = name_before(self.bytes, self.at, at)?;
        if !attribute && !matches!(before(self.bytes, found.start), Some(b'<' | b':')) {
            return None;
        }
        let judged = |found: NameAt| {
            let name = self.bytes.get(found.start..found.end)?;
            Some((found, self.keys.judged(name, false)?))
        };
        let named = judged(found);
        if named.is_none() && !attribute {
            return None;
        }
        let near = run_within(self.bytes, at + 1, LONGEST_ELEMENT, |b| b != b'<');
        (self.byte(near)? == b'<').then_some(())?;
        // `<apiKey type="string">x</apiKey>`: what closes it says its name.
        let (found, (kind, many)) = named.or_else(|| {
            let start = near + 2;
            let end = run_within(self.bytes, start, 64, is_word);
            judged(NameAt {
                start,
                end,
                quoted: false,
            })
        })?;
        let name = self.named(found, kind, many, false);
        let range = value::judged(self.bytes, at + 1, near, name, Style::Quoted)?;
        self.cut(range, MARK)
    }

    /// `ApiKey("x")`, `Password { value: "x" }`
    pub(super) fn newtype(&mut self, at: usize) -> Option<usize> {
        let found = name_before(self.bytes, self.at, at)?;
        let text = self.bytes.get(found.start..found.end)?;
        let brace = self.byte(at)? == b'{';
        if brace && !text.first()?.is_ascii_uppercase() || !brace && found.end != at {
            return None;
        }
        let (kind, many) = self.keys.judged(text, false)?;
        let known = matches!(kind, Kind::Value | Kind::Access);
        let inside = run_within(self.bytes, at + 1, 16, |b| b.is_ascii_whitespace());
        let quote = value::quoted(
            self.bytes.get(inside..self.bytes.len().min(inside + 64))?,
            0,
        );
        if !known || (!brace && quote.is_none()) {
            return None;
        }
        let name = self.named(found, kind, many, false);
        let range = nested::group(self.bytes, at)?.secret_in(self.bytes, name)?;
        self.cut(range, MARK)
    }

    /// `("password", "x")`
    pub(super) fn tuple(&mut self, at: usize) -> Option<usize> {
        if !matches!(before(self.bytes, at), Some(b'"' | b'\'')) {
            return None;
        }
        let found = name_before(self.bytes, self.at, at)?;
        let open = back(
            self.bytes,
            found.start.saturating_sub(6),
            found.start,
            |b| matches!(b, b'"' | b'\'' | b'\\' | b'b'),
        );
        if open == found.start || !matches!(before(self.bytes, open), Some(b'(' | b'[')) {
            return None;
        }
        let (kind, many) = self
            .keys
            .judged(self.bytes.get(found.start..found.end)?, false)?;
        let from = skip_spaces(self.bytes, at + 1);
        value::quoted(self.bytes.get(from..self.bytes.len().min(from + 4))?, 0)?;
        // A list of names: `["password", "token", "secret"]`.
        let name = self.named(found, kind, many, false);
        let range = value::behind(self.bytes, from, name, Style::Quoted)?;
        let value = self.bytes.get(range.0..range.1)?;
        let listed = self.keys.kind(value, false).is_some();
        (!listed).then(|| self.cut(range, MARK))?
    }
}
