//! Recorded values, and the fields of a call.

use std::{borrow::Cow, fmt};

use super::pool;
use crate::redact::{MARK, Redactor};

/// A recorded value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    Str(String),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// A truth value.
    Bool(bool),
}

impl Value {
    /// Takes secrets out, by the value's name too: of a number that is secret, nothing is left.
    pub(crate) fn redact(&mut self, name: &str, redactor: &Redactor) {
        let clean = match self {
            Value::Str(text) => match redactor.redact_field(name, text) {
                Cow::Borrowed(_) => return,
                Cow::Owned(clean) => clean,
            },
            Value::I64(_) | Value::U64(_) if redactor.hides_number(name) => MARK.to_owned(),
            _ => return,
        };
        *self = Value::Str(clean);
    }

    /// Leaves the memory of a text to a later one.
    pub(crate) fn recycle(self) {
        if let Value::Str(text) = self {
            pool::recycle(text);
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(v) => f.write_str(v),
            Value::I64(v) => v.fmt(f),
            Value::U64(v) => v.fmt(f),
            Value::F64(v) => v.fmt(f),
            Value::Bool(v) => v.fmt(f),
        }
    }
}

/// The fields of a call, in the order they were recorded; a later value replaces an earlier one
/// of the same name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// The fields of a call that recorded none.
    pub const EMPTY: Fields = Fields(Vec::new());

    /// Records `value` under `name`.
    pub fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Returns the value recorded under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(n, v)| (*n, v))
    }

    /// Iterates over names and values, which may be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Value)> {
        self.0.iter_mut().map(|(n, v)| (*n, v))
    }

    /// Removes all of them, and leaves their memory to later ones.
    pub(crate) fn clear(&mut self) {
        self.0.drain(..).for_each(|(_, value)| value.recycle());
    }

    /// Returns whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
