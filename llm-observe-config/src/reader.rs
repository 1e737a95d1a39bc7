//! The walk over a parsed file: every key that is asked for is read or complained about, and every
//! key that nobody asked for is a mistake. It knows no table of `llm-observe.toml` in particular.
//!
//! Nothing stops at a mistake: a value that is wrong leaves its default in place and its problem,
//! with its own position, in the [`Walk`].

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Display;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use crate::choice::listed;
use crate::names::{quoted_key, shown};
use crate::rules::{Names, Use};
use crate::suggest::suggest;
use crate::value::Fault;
use crate::walk::Walk;

/// A value and where it stands.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// A key and where it stands.
pub(crate) type Key<'i> = Spanned<DeString<'i>>;

/// One table while it is read; keys that were not asked for are reported when it has been.
pub(crate) struct Section<'a, 'i> {
    pub(crate) walk: &'a Walk,
    pub(crate) path: Vec<String>,
    pub(crate) table: &'a DeTable<'i>,
    at: usize,
    known: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<(&'static str, String)>>,
    lenient: Cell<bool>,
    pub(crate) skips_tables: bool,
    problems_before: usize,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Reads the whole file with `read`, then reports the tables it did not ask for.
    pub(crate) fn root<T>(
        walk: &'a Walk,
        table: &'a DeTable<'i>,
        read: impl FnOnce(&Section<'a, 'i>) -> T,
    ) -> T {
        Self::new(walk, Vec::new(), table, 0).read(read)
    }

    fn new(walk: &'a Walk, path: Vec<String>, table: &'a DeTable<'i>, at: usize) -> Self {
        Self {
            walk,
            path,
            table,
            at,
            known: RefCell::default(),
            missing: RefCell::default(),
            lenient: Cell::new(false),
            skips_tables: false,
            problems_before: walk.count(),
        }
    }

    pub(crate) fn read<T>(self, read: impl FnOnce(&Self) -> T) -> T {
        let value = read(&self);
        if !self.lenient.get() {
            self.report_unknown();
        }
        self.report_missing();
        value
    }

    /// Returns what the last name of the path stands for: `ops` in `[channels.ops]`.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Returns the names that are declared and used, for the rules across tables.
    pub(crate) fn names(&self) -> &'a RefCell<Names> {
        &self.walk.names
    }

    /// Notes that this table writes the log file `name`.
    pub(crate) fn use_file(&self, name: &str) {
        self.names().borrow_mut().files.push(Use {
            name: name.to_owned(),
            place: self.place(),
            // A file that is not written is the default's: whoever repeats it is at fault.
            at: if self.has("file") {
                self.at_key("file")
            } else {
                0
            },
        });
    }

    /// Returns how messages call this table, such as `[channels.ops]`.
    pub(crate) fn place(&self) -> String {
        bracketed(self.path.iter().map(String::as_str))
    }

    pub(crate) fn place_of(&self, key: &str) -> String {
        bracketed(self.path.iter().map(String::as_str).chain([key]))
    }

    /// Stops keys that nobody asks for from being reported: it is not known what belongs here.
    pub(crate) fn forgive(&self) {
        self.lenient.set(true);
    }

    /// Returns whether nothing is wrong in this table so far.
    pub(crate) fn clean(&self) -> bool {
        self.walk.count() == self.problems_before
    }

    /// Returns the value of `key`, which becomes a known key.
    pub(crate) fn get(&self, key: &'static str) -> Option<&'a Value<'i>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Puts the value of `key` into `slot`, when there is one and it is right.
    pub(crate) fn set<T>(
        &self,
        key: &'static str,
        slot: &mut T,
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
    ) {
        if let Some(value) = self
            .get(key)
            .and_then(|value| self.parsed(key, value, parse))
        {
            *slot = value;
        }
    }

    /// As [`Section::set`], for what is nothing by default.
    pub(crate) fn some<T>(
        &self,
        key: &'static str,
        slot: &mut Option<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
    ) {
        self.set(key, slot, |value| parse(value).map(Some));
    }

    /// As [`Section::set`], for a list: each element is checked by itself.
    pub(crate) fn list<T>(
        &self,
        key: &'static str,
        slot: &mut Vec<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
    ) {
        let read = |item| self.parsed(key, item, &parse);
        if let Some(list) = self.get(key).and_then(|value| self.array(key, value)) {
            *slot = list.iter().filter_map(read).collect();
        }
    }

    /// As [`Section::list`], and hands each right element with its position to `with`.
    pub(crate) fn list_with<T>(
        &self,
        key: &'static str,
        slot: &mut Vec<T>,
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
        with: impl Fn(&T, usize),
    ) {
        self.list(key, slot, |item| {
            let value = parse(item)?;
            with(&value, item.span().start);
            Ok(value)
        });
    }

    /// Returns the value of `key`, which must be there; `example` is a value to write.
    pub(crate) fn needed<T>(
        &self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
    ) -> Option<T> {
        let value = self.get(key);
        if value.is_none() {
            self.missing(key, example);
        }
        self.parsed(key, value?, parse)
    }

    /// Says that `key` must be there, once the table has been read.
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
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
        valid: impl Fn(&str) -> Result<(), Fault>,
    ) -> BTreeMap<String, T> {
        self.forgive();
        let entries = self.table.iter().filter_map(|(name, value)| {
            if let Err(fault) = valid(name.get_ref()) {
                self.fault(name.get_ref(), name.span().start, fault);
            }
            let value = self.parsed(name.get_ref(), value, &parse)?;
            Some((name.get_ref().to_string(), value))
        });
        entries.collect()
    }

    /// Adds a problem with this table as a whole.
    pub(crate) fn add(&self, message: &str, help: Option<String>) {
        self.walk.add(self.at, message, help);
    }

    /// Adds a problem with the value of `key`, which is in this table.
    pub(crate) fn add_at(&self, key: &str, fault: Fault) {
        self.fault(key, self.at_key(key), fault);
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
        parse: impl Fn(&Value<'_>) -> Result<T, Fault>,
    ) -> Option<T> {
        let result = parse(value);
        result
            .map_err(|fault| self.fault(key, value.span().start, fault))
            .ok()
    }

    fn array(&self, key: &str, value: &'a Value<'i>) -> Option<&'a DeArray<'i>> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            let fault = Fault::not(
                "a list",
                value,
                "write it in brackets, such as [\"a\", \"b\"]",
            );
            self.fault(key, value.span().start, fault);
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
            let help = format!("write {} and its keys below", self.place_of(key));
            let fault = Fault::not("a table", value, &help);
            self.fault(key, at, fault);
            return None;
        };
        Some(Section::new(self.walk, path, table, at))
    }

    pub(crate) fn fault(&self, key: &str, at: usize, fault: Fault) {
        let subject = match self.path.is_empty() {
            true => format!("`{key}`"),
            false => format!("`{key}` in {}", self.place()),
        };
        self.walk
            .add(at, format!("{subject} {}", fault.message), fault.help);
    }

    fn report_unknown(&self) {
        let known = self.known.borrow();
        for (key, value) in self.table {
            let skipped = self.skips_tables && value.get_ref().is_table();
            if !skipped && !known.contains(&key.get_ref().as_ref()) {
                let (message, help) = self.unknown(key.get_ref(), value, &known);
                self.walk.add(key.span().start, message, Some(help));
                self.take_as_misspelt(key.get_ref(), &known);
            }
        }
    }

    /// Forgets that the key is missing which `key` was meant to be: one mistake is one problem.
    fn take_as_misspelt(&self, key: &str, known: &[&'static str]) {
        let meant = suggest(key, known.iter().copied());
        self.missing
            .borrow_mut()
            .retain(|(missing, _)| Some(*missing) != meant);
    }

    fn report_missing(&self) {
        for (key, example) in self.missing.borrow().iter() {
            let message = format!("{} has no `{key}`", self.place());
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
            false => format!(" in {}", self.place()),
        };
        let near = suggest(key, known.iter().copied());
        let help = match near {
            Some(near) => did_you_mean(near),
            None => format!("known here: {}", listed(known)),
        };
        (format!("unknown {noun}{name}{place}"), help)
    }
}

fn bracketed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.map(quoted_key).collect();
    format!("[{}]", names.join("."))
}

/// Returns the suggestion of `word`.
pub(crate) fn did_you_mean(word: impl Display) -> String {
    format!("did you mean `{word}`?")
}
