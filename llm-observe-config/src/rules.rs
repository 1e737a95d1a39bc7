//! The rules across tables: what is named must exist, and no two logs share a file.

use std::collections::BTreeSet;

use crate::names::shown;
use crate::reader::did_you_mean;
use crate::suggest::suggest;
use crate::walk::Walk;

/// The names that a file declares and uses, with the byte offsets of the uses.
#[derive(Default)]
pub(crate) struct Names {
    /// `[channels.NAME]`, whether right or wrong.
    pub(crate) channels: BTreeSet<String>,
    /// `[events.NAME]`, whether right or wrong; `None` without `[events]`.
    pub(crate) events: Option<BTreeSet<String>>,
    /// The channels that are named elsewhere.
    pub(crate) channel_uses: Vec<Use>,
    /// The events that are named elsewhere.
    pub(crate) event_uses: Vec<Use>,
    /// The log files, each with the table that writes it.
    pub(crate) files: Vec<Use>,
}

/// A name, and where it is used.
pub(crate) struct Use {
    pub(crate) name: String,
    /// The table, such as `[loggers.errors]`.
    pub(crate) place: String,
    pub(crate) at: usize,
}

/// Checks every rule that needs more than one table.
pub(crate) fn check(walk: &Walk) {
    let names = walk.names.borrow();
    for used in &names.channel_uses {
        check_use(walk, used, "channel", &names.channels);
    }
    if let Some(events) = &names.events {
        for used in &names.event_uses {
            check_use(walk, used, "event", events);
        }
    }
    let mut files: Vec<_> = names.files.iter().collect();
    files.sort_by_key(|file| file.at);
    check_files(walk, &files);
}

fn check_use(walk: &Walk, used: &Use, what: &str, declared: &BTreeSet<String>) {
    if declared.contains(&used.name) {
        return;
    }
    let name = shown(&used.name)
        .map(|name| format!(" `{name}`"))
        .unwrap_or_default();
    let message = format!("{} names an unknown {what}{name}", used.place);
    let help = match suggest(&used.name, declared.iter().map(String::as_str)) {
        Some(near) => did_you_mean(near),
        None => format!(
            "write [{what}s.{}] for it",
            shown(&used.name).unwrap_or("NAME")
        ),
    };
    walk.add(used.at, message, Some(help));
}

fn check_files(walk: &Walk, files: &[&Use]) {
    for (index, later) in files.iter().enumerate() {
        let mut earlier = files.iter().take(index);
        if let Some(other) = earlier.find(|other| same_file(&other.name, &later.name)) {
            let message = format!("{} writes the same file as {}", later.place, other.place);
            let help = "give each its own `file`".to_owned();
            walk.add(later.at, message, Some(help));
        }
    }
    for file in files {
        if let Some(other) = files.iter().find(|other| rotated(&file.name, &other.name)) {
            let message = format!(
                "`file` in {} looks like a rotated file of {}",
                file.place, other.place
            );
            let help = "write a name that does not begin with the other and a number".to_owned();
            walk.add(file.at, message, Some(help));
        }
    }
}

/// Returns whether two names are one file, on a file system that does not tell case apart too.
fn same_file(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// Returns whether `name` could be taken for a rotated file of `base`: `app.log.1`.
fn rotated(name: &str, base: &str) -> bool {
    let rest = name
        .strip_prefix(base)
        .and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
