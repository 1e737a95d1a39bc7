//! Tables whose names are the user's, such as `[channels.NAME]`.

use std::collections::BTreeMap;

use crate::message::quoted_key;
use crate::section::Section;
use crate::suggest::suggest;
use crate::syntax::{Key, Value};
use crate::value_error::ValueError;

/// How to read tables whose names are the user's, such as `[channels.NAME]`.
pub(crate) struct NamedTables<'r, T> {
    /// The tables that may be within one.
    pub(crate) inner: &'static [&'static str],
    /// Checks a name.
    pub(crate) check: fn(&str) -> Result<(), ValueError>,
    /// Called with each name, whether its table is valid or not.
    pub(crate) declare: &'r dyn Fn(&str),
    /// Reads one table.
    pub(crate) read: &'r dyn Fn(&Section<'_, '_>) -> Option<T>,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Reads each table within the table `key`, by its name. Returns `None` if there is no table
    /// `key`.
    pub(crate) fn tables<T>(
        &self,
        key: &'static str,
        entries: &NamedTables<'_, T>,
    ) -> Option<BTreeMap<String, T>> {
        self.table(key, |all| all.named_tables(entries, &[]))
    }

    /// Reads each table within this one, by its name. `keys` are names that stand for no table.
    pub(crate) fn named_tables<T>(
        &self,
        entries: &NamedTables<'_, T>,
        keys: &[&'static str],
    ) -> BTreeMap<String, T> {
        self.allow_unknown_keys();
        let named = self.table.iter();
        let named = named.filter(|(name, _)| !keys.contains(&name.get_ref().as_ref()));
        let read = |(name, value): (&'a Key<'i>, &'a Value<'i>)| {
            if self.is_misspelt(name, value, keys) {
                return None;
            }
            let read = self.entry(name, value, entries)?;
            Some((name.get_ref().to_string(), read))
        };
        named.filter_map(read).collect()
    }

    /// Returns whether `name` is nearly one of `keys` and no table, and reports it then.
    fn is_misspelt(&self, name: &Key<'i>, value: &Value<'_>, keys: &[&'static str]) -> bool {
        let near = suggest(name.get_ref(), keys.iter().copied());
        if near.is_none() || value.get_ref().is_table() {
            return false;
        }
        let (message, help) = self.unknown(name.get_ref(), value, keys);
        self.findings.add(name.span().start, message, Some(help));
        true
    }

    fn entry<T>(
        &self,
        name: &Key<'i>,
        value: &'a Value<'i>,
        entries: &NamedTables<'_, T>,
    ) -> Option<T> {
        let at = name.span().start;
        (entries.declare)(name.get_ref());
        if let Err(error) = (entries.check)(name.get_ref()) {
            self.add_with_key(name.get_ref(), at, error);
        }
        let mut section = self.section(name.get_ref(), at, value)?;
        let dotted = section.report_dotted(entries);
        if dotted > 0 && dotted == section.table.len() {
            return None;
        }
        section.skips_tables = true;
        section.read(entries.read)
    }

    /// Reports the tables that result from an unquoted dot in a name, and returns their number.
    fn report_dotted<T>(&self, entries: &NamedTables<'_, T>) -> usize {
        let tables = self
            .table
            .iter()
            .filter(|(_, value)| value.get_ref().is_table());
        let strange = tables.filter(|(key, _)| !entries.inner.contains(&key.get_ref().as_ref()));
        let mut count = 0;
        for (key, value) in strange {
            count += 1;
            let (message, help) = match suggest(key.get_ref(), entries.inner.iter().copied()) {
                Some(_) => self.unknown(key.get_ref(), value, entries.inner),
                None => self.dotted(key.get_ref(), entries),
            };
            self.findings.add(key.span().start, message, Some(help));
        }
        count
    }

    fn dotted<T>(&self, key: &str, entries: &NamedTables<'_, T>) -> (String, String) {
        let name = format!("{}.{key}", self.name());
        (entries.declare)(&name);
        let parent = self.path.first().map_or("", String::as_str);
        let message = format!(
            "{} needs quotes around a name with a dot",
            self.header_of(key)
        );
        (message, format!("write [{parent}.{}]", quoted_key(&name)))
    }
}
