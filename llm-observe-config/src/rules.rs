//! The rules across tables: what is named must exist, and no two logs share a file.

use std::collections::BTreeSet;

use crate::findings::Findings;
use crate::message::did_you_mean;
use crate::message::shown;
use crate::references::Reference;
use crate::suggest::suggest;

/// Checks every rule that needs more than one table.
pub(crate) fn check(findings: &Findings) {
    let names = findings.references.borrow();
    for used in &names.channel_uses {
        check_use(findings, used, "channel", &names.channels);
    }
    if let Some(events) = &names.events {
        for used in &names.event_uses {
            check_use(findings, used, "event", events);
        }
    }
    let mut files: Vec<_> = names.files.iter().collect();
    files.sort_by_key(|file| file.at);
    check_files(findings, &files);
}

fn check_use(findings: &Findings, used: &Reference, what: &str, declared: &BTreeSet<String>) {
    if declared.contains(&used.name) {
        return;
    }
    let name = shown(&used.name)
        .map(|name| format!(" `{name}`"))
        .unwrap_or_default();
    let message = format!("{} names an unknown {what}{name}", used.location);
    let help = match suggest(&used.name, declared.iter().map(String::as_str)) {
        Some(near) => did_you_mean(near),
        None => format!(
            "write [{what}s.{}] for it",
            shown(&used.name).unwrap_or("NAME")
        ),
    };
    findings.add(used.at, message, Some(help));
}

fn check_files(findings: &Findings, files: &[&Reference]) {
    for (index, later) in files.iter().enumerate() {
        let mut earlier = files.iter().take(index);
        if let Some(other) = earlier.find(|other| same_file(&other.name, &later.name)) {
            let message = format!(
                "{} writes the same file as {}",
                later.location, other.location
            );
            let help = "give each its own `file`".to_owned();
            findings.add(later.at, message, Some(help));
        }
    }
    for file in files {
        if let Some(other) = files.iter().find(|other| rotated(&file.name, &other.name)) {
            let message = format!(
                "`file` in {} looks like a rotated file of {}",
                file.location, other.location
            );
            let help = "write a name that does not begin with the other and a number".to_owned();
            findings.add(file.at, message, Some(help));
        }
    }
}

/// Returns whether two names are the same file, on a case-insensitive file system too.
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
