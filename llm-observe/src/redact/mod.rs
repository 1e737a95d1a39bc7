//! Takes secrets out of text before it leaves the process: lines, reports, alerts, traces.
//!
//! Always compiled and pure: one pass over the words of a text, linear in its length, that
//! borrows the text when it holds nothing secret. It must not know where the text goes.
//!
//! What counts as secret: keys and tokens of known shapes (`sk-...`, `ghp_...`, a JWT), what
//! stands behind a telling name (`password=`, `"api_key": `, `--token `), bearer and basic
//! credentials, user and password in a URL, keys and signatures in its query, webhook URLs
//! whose path is the credential, private keys, card numbers, and what the configuration adds.
//! Numbers behind `tokens`, `token_count` and the like are no secrets.

mod bytes;
mod card;
mod classes;
mod credentials;
mod disguise;
mod field;
mod formats;
mod harmless;
mod issuers;
mod key;
#[cfg(any(test, feature = "delivery"))]
pub(crate) mod known;
mod names;
mod names_at;
mod nested;
pub(crate) mod neutral;
mod phrases;
mod redacted;
mod said;
mod scan;
mod set;
mod shape;
mod steps;
mod url;
mod value;
mod whole;
mod words;

use std::{
    borrow::Cow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use llm_observe_config as config;
use regex_automata::meta::Regex;

use crate::error::Error;
use scan::Scan;

pub use redacted::{Redact, Redacted};

/// What stands in place of a secret in text.
pub(crate) const MARK: &str = "[redacted]";

/// What stands in place of a secret within a URL, as the OpenTelemetry HTTP conventions have it.
pub(crate) const URL_MARK: &str = "REDACTED";

/// A longer text is not looked at again once something was cut from it.
const LONGEST_SETTLED: usize = 64 * 1024;

/// A user's own redaction: returns the text to use instead, or `None` where it changes nothing.
pub(crate) type Custom = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Takes secrets out of text. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    keys: key::Keys,
    patterns: Option<Regex>,
    custom: Option<Arc<Custom>>,
}

impl Redactor {
    /// Returns a redactor with the names and patterns of `[redact]` besides its own.
    ///
    /// # Errors
    ///
    /// When a pattern is no regular expression, or is too large.
    pub fn new(config: &config::Redact) -> Result<Redactor, Error> {
        let keys = key::Keys::new(&config.keys);
        Ok(Redactor {
            keys,
            patterns: compiled(&config.patterns)?,
            custom: None,
        })
    }

    /// Adds a function that is asked last, with the text as redacted so far. Of a text on which it
    /// panics, nothing leaves.
    #[must_use]
    pub fn custom(
        mut self,
        f: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Redactor {
        self.custom = Some(Arc::new(f));
        self
    }

    /// Returns `text` without its secrets; borrowed where it holds none.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.once(text) {
            Cow::Borrowed(text) => self.configured(Cow::Borrowed(text)),
            Cow::Owned(clean) => self.configured(Cow::Owned(self.settled(clean))),
        }
    }

    /// Looks at a text once: as it is, then as it is shown.
    fn once<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let (out, odd) = Scan::new(text, &self.keys, Out::new(text, None)).run();
        match out.finish() {
            clean if !odd => clean,
            Cow::Borrowed(text) => self.shown(text),
            Cow::Owned(clean) => match self.shown(&clean) {
                Cow::Borrowed(_) => Cow::Owned(clean),
                Cow::Owned(cleaner) => Cow::Owned(cleaner),
            },
        }
    }

    /// Cuts what is only seen once the text is shown to somebody.
    fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match disguise::view(text) {
            Some(view) => {
                let out = Out::new(text, Some(&view.origin));
                let (out, _) = Scan::new(&view.text, &self.keys, out).run();
                out.finish()
            }
            None => Cow::Borrowed(text),
        }
    }

    /// Looks again at what had secrets: what stands in their place may bring others to light.
    fn settled(&self, mut text: String) -> String {
        let rounds = if text.len() > LONGEST_SETTLED { 0 } else { 2 };
        for _ in 0..rounds {
            match self.once(&text) {
                Cow::Borrowed(_) => break,
                Cow::Owned(clean) => text = clean,
            }
        }
        text
    }

    /// Returns a URL without the credentials in it: user and password, and the values of its
    /// query that are keys, tokens or signatures, encoded or not.
    #[must_use]
    pub fn redact_url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        // A relative URL has no scheme to be known by, but its query has the same `?` and `&`.
        match self.parts(url) {
            Cow::Borrowed(url) => self.redact(url),
            Cow::Owned(clean) => Cow::Owned(self.redact(&clean).into_owned()),
        }
    }

    /// Applies the user's patterns, then the user's function.
    fn configured<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let text = match &self.patterns {
            Some(regex) => replaced(regex, text),
            None => text,
        };
        let Some(custom) = &self.custom else {
            return text;
        };
        // A panic in it is not to end the call that is observed, nor to let the text out.
        match catch_unwind(AssertUnwindSafe(|| custom(&text))) {
            Ok(Some(other)) => Cow::Owned(other),
            Ok(None) => text,
            Err(_) => Cow::Borrowed(MARK),
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Compiles all patterns into one automaton; one by one only to name the one at fault.
fn compiled(patterns: &[String]) -> Result<Option<Regex>, Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    for pattern in patterns {
        Regex::new(pattern).map_err(|e| {
            Error::with(
                format!("redact.patterns: `{pattern}` is no regular expression"),
                e,
            )
        })?;
    }
    let all = Regex::new_many(patterns)
        .map_err(|e| Error::with("redact.patterns: too large together, use fewer", e))?;
    Ok(Some(all))
}

/// Replaces each match that is not empty.
fn replaced<'a>(regex: &Regex, text: Cow<'a, str>) -> Cow<'a, str> {
    let mut out = Out::new(&text, None);
    for found in regex.find_iter(&*text) {
        if !found.is_empty() {
            out.cut(found.start(), found.end(), MARK);
        }
    }
    match out.finish() {
        Cow::Owned(changed) => Cow::Owned(changed),
        Cow::Borrowed(_) => text,
    }
}

/// A text with some ranges replaced; nothing is copied until the first of them.
struct Out<'a, 'o> {
    text: &'a str,
    /// Where each byte of what is looked at comes from, when that is not `text` itself.
    origin: Option<&'o [u32]>,
    /// How much of `text` is dealt with.
    done: usize,
    /// The result up to there, once it differs.
    new: Option<String>,
}

impl<'a, 'o> Out<'a, 'o> {
    fn new(text: &'a str, origin: Option<&'o [u32]>) -> Out<'a, 'o> {
        Out {
            text,
            origin,
            done: 0,
            new: None,
        }
    }

    /// Replaces `start..end`. Ranges come in order; one that overlaps what is done is cut short.
    fn cut(&mut self, start: usize, end: usize, with: &str) {
        let (start, end) = (self.origin(start).max(self.done), self.origin(end));
        if end <= start {
            return;
        }
        let new = self
            .new
            .get_or_insert_with(|| String::with_capacity(self.text.len()));
        new.push_str(self.text.get(self.done..start).unwrap_or_default());
        new.push_str(with);
        self.done = end;
    }

    fn origin(&self, at: usize) -> usize {
        match self.origin {
            None => at,
            Some(origin) => origin.get(at).map_or(self.text.len(), |at| {
                usize::try_from(*at).unwrap_or(usize::MAX)
            }),
        }
    }

    fn finish(self) -> Cow<'a, str> {
        match self.new {
            None => Cow::Borrowed(self.text),
            Some(mut new) => {
                new.push_str(self.text.get(self.done..).unwrap_or_default());
                Cow::Owned(new)
            }
        }
    }
}

#[cfg(test)]
mod linear_tests;
#[cfg(test)]
mod tests;
