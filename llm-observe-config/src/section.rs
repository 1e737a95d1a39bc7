//! Reads one table of a parsed file. Each key that is asked for is read or reported as wrong; each
//! key that nobody asked for is reported as unknown. It knows no table of `llm-observe.toml` in
//! particular.
//!
//! Reading never stops at a mistake: a wrong value keeps its default, and adds a problem with its
//! own position to the [`Findings`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable};

use crate::findings::Findings;
use crate::message::{bracketed, did_you_mean, listed, shown};
use crate::references::{Reference, References};
use crate::suggest::suggest;
use crate::syntax::Value;
use crate::value_error::ValueError;

/// One table while it is read. Its unknown keys are reported at the end.
pub(crate) struct Section<'a, 'i> {
    pub(crate) findings: &'a Findings,
    pub(crate) path: Vec<String>,
    pub(crate) table: &'a DeTable<'i>,
    at: usize,
    known: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<(&'static str, String)>>,
    allows_unknown_keys: Cell<bool>,
    pub(crate) skips_tables: bool,
    problems_before: usize,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Reads the whole file with `read`, then reports the tables it did not ask for.
    pub(crate) fn root<T>(
        findings: &'a Findings,
        table: &'a DeTable<'i>,
        read: impl FnOnce(&Section<'a, 'i>) -> T,
    ) -> T {
        Self::new(findings, Vec::new(), table, 0).read(read)
    }

    fn new(findings: &'a Findings, path: Vec<String>, table: &'a DeTable<'i>, at: usize) -> Self {
        Self {
            findings,
            path,
            table,
            at,
            known: RefCell::default(),
            missing: RefCell::default(),
            allows_unknown_keys: Cell::new(false),
            skips_tables: false,
            problems_before: findings.count(),
        }
    }

    pub(crate) fn read<T>(self, read: impl FnOnce(&Self) -> T) -> T {
        let value = read(&self);
        if !self.allows_unknown_keys.get() {
            self.report_unknown();
        }
        self.report_missing();
        value
    }

    /// Returns the last name of the path: `ops` in `[channels.ops]`.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Returns the names that are declared and used, for the rules across tables.
    pub(crate) fn references(&self) -> &'a RefCell<References> {
        &self.findings.references
    }

    /// Notes that this table writes the log file `name`.
    pub(crate) fn note_log_file(&self, name: &str) {
        self.references().borrow_mut().files.push(Reference {
            name: name.to_owned(),
            location: self.header(),
            // A default name has no position in the file: the table that repeats it gets the problem.
            at: if self.has("file") {
                self.at_key("file")
            } else {
                0
            },
        });
    }

    /// Returns this table's header for messages, such as `[channels.ops]`.
    pub(crate) fn header(&self) -> String {
        bracketed(self.path.iter().map(String::as_str))
    }

    pub(crate) fn header_of(&self, key: &str) -> String {
        bracketed(self.path.iter().map(String::as_str).chain([key]))
    }

    /// Turns off the report of unknown keys, for tables whose keys are not known.
    pub(crate) fn allow_unknown_keys(&self) {
        self.allows_unknown_keys.set(true);
    }

    /// Returns whether this table has no problem so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.count() == self.problems_before
    }

    /// Returns the value of `key`, which becomes a known key.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Value<'i>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Stores the value of `key` in `slot`, if there is a valid one.
    pub(crate) fn set<T>(
        &self,
        key: &'static str,
        slot: &mut T,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
    ) {
        if let Some(value) = self
            .get(key)
            .and_then(|value| self.parsed(key, value, parse))
        {
            *slot = value;
        }
    }

    /// As [`Section::set`], for a key without a default.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        slot: &mut Option<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
    ) {
        self.set(key, slot, |value| parse(value).map(Some));
    }

    /// As [`Section::set`], for a list: each element is checked by itself.
    pub(crate) fn list<T>(
        &self,
        key: &'static str,
        slot: &mut Vec<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
    ) {
        let read = |item| self.parsed(key, item, &parse);
        if let Some(list) = self.get(key).and_then(|value| self.array(key, value)) {
            *slot = list.iter().filter_map(read).collect();
        }
    }

    /// As [`Section::list`], and calls `with` for each valid element and its position.
    pub(crate) fn list_with<T>(
        &self,
        key: &'static str,
        slot: &mut Vec<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
        with: impl Fn(&T, usize),
    ) {
        self.list(key, slot, |item| {
            let value = parse(item)?;
            with(&value, item.span().start);
            Ok(value)
        });
    }

    /// Returns the value of `key`. A missing key is a problem, whose message shows `example`.
    pub(crate) fn required<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
    ) -> Option<T> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(key, example);
        }
        self.parsed(key, value?, parse)
    }

    /// Reports `key` as missing once the table has been read.
    pub(crate) fn missing(&self, key: &'static str, example: &str) {
        self.missing.borrow_mut().push((key, example.to_owned()));
    }

    /// Reads the table `key` with `read`, when there is one.
    pub(crate) fn table<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Section<'a, 'i>) -> T,
    ) -> Option<T> {
        let value = self.get(key)?;
        let name = self.table.get_key_value(key).map(|(name, _)| name);
        let at = name.map_or(self.at, |name| name.span().start);
        let section = self.section(key, at, value)?;
        Some(section.read(read))
    }

    /// Reads every key of this table, whatever its name.
    pub(crate) fn entries<T>(
        &self,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
        valid: impl Fn(&str) -> Result<(), ValueError>,
    ) -> BTreeMap<String, T> {
        self.allow_unknown_keys();
        let entries = self.table.iter().filter_map(|(name, value)| {
            if let Err(error) = valid(name.get_ref()) {
                self.add_with_key(name.get_ref(), name.span().start, error);
            }
            let value = self.parsed(name.get_ref(), value, &parse)?;
            Some((name.get_ref().to_string(), value))
        });
        entries.collect()
    }

    /// Adds a problem with this table as a whole.
    pub(crate) fn add(&self, message: &str, help: Option<String>) {
        self.findings.add(self.at, message, help);
    }

    /// Adds a problem with the value of `key`, which is in this table.
    pub(crate) fn add_at(&self, key: &str, error: ValueError) {
        self.add_with_key(key, self.at_key(key), error);
    }

    /// Returns whether `key` is in this table.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Returns the byte offset of the value of `key`, or of the table when it is not there.
    fn at_key(&self, key: &str) -> usize {
        self.table
            .get(key)
            .map_or(self.at, |value| value.span().start)
    }

    fn parsed<T>(
        &self,
        key: &str,
        value: &Value<'_>,
        parse: impl Fn(&Value<'_>) -> Result<T, ValueError>,
    ) -> Option<T> {
        let result = parse(value);
        result
            .map_err(|error| self.add_with_key(key, value.span().start, error))
            .ok()
    }

    fn array(&self, key: &str, value: &'a Value<'i>) -> Option<&'a DeArray<'i>> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            let error = ValueError::wrong_type(
                "a list",
                value,
                "write it in brackets, such as [\"a\", \"b\"]",
            );
            self.add_with_key(key, value.span().start, error);
        }
        list
    }

    pub(crate) fn section(
        &self,
        key: &str,
        at: usize,
        value: &'a Value<'i>,
    ) -> Option<Section<'a, 'i>> {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        let Some(table) = value.get_ref().as_table() else {
            let help = format!("write {} and its keys below", self.header_of(key));
            let error = ValueError::wrong_type("a table", value, &help);
            self.add_with_key(key, at, error);
            return None;
        };
        Some(Section::new(self.findings, path, table, at))
    }

    pub(crate) fn add_with_key(&self, key: &str, at: usize, error: ValueError) {
        let subject = match self.path.is_empty() {
            true => format!("`{key}`"),
            false => format!("`{key}` in {}", self.header()),
        };
        self.findings
            .add(at, format!("{subject} {}", error.message), error.help);
    }

    fn report_unknown(&self) {
        let known = self.known.borrow();
        for (key, value) in self.table {
            let skipped = self.skips_tables && value.get_ref().is_table();
            if !skipped && !known.contains(&key.get_ref().as_ref()) {
                let (message, help) = self.unknown(key.get_ref(), value, &known);
                self.findings.add(key.span().start, message, Some(help));
                self.take_as_misspelt(key.get_ref(), &known);
            }
        }
    }

    /// If `key` is a misspelt required key, does not report that one as missing: one mistake is one
    /// problem.
    fn take_as_misspelt(&self, key: &str, known: &[&'static str]) {
        let meant = suggest(key, known.iter().copied());
        self.missing
            .borrow_mut()
            .retain(|(missing, _)| Some(*missing) != meant);
    }

    fn report_missing(&self) {
        for (key, example) in self.missing.borrow().iter() {
            let message = format!("{} has no `{key}`", self.header());
            self.add(&message, Some(format!("write `{key} = {example}`")));
        }
    }

    pub(crate) fn unknown(
        &self,
        key: &str,
        value: &Value<'_>,
        known: &[&'static str],
    ) -> (String, String) {
        let noun = if value.get_ref().is_table() {
            "table"
        } else {
            "key"
        };
        let name = shown(key)
            .map(|name| format!(" `{name}`"))
            .unwrap_or_default();
        let place = match self.path.is_empty() {
            true if noun == "table" => String::new(),
            true => " outside of any table".to_owned(),
            false => format!(" in {}", self.header()),
        };
        let near = suggest(key, known.iter().copied());
        let help = match near {
            Some(near) => did_you_mean(near),
            None => format!("known here: {}", listed(known)),
        };
        (format!("unknown {noun}{name}{place}"), help)
    }
}
