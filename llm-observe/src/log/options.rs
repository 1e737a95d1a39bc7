//! The keys of `[log]` as options of the log writer.

use std::{io, sync::Arc};

use llm_observe_config::{Log, Rotate, Timezone};
use llm_observe_log::{Hooks, LogOptions, LossReason, OpenError, Rotation};

use super::format::{self, Style};
use crate::warn::warn;

/// Opens the file that `log` describes. Its loss notices have that style.
pub(super) fn open(log: &Log, style: &Arc<Style>) -> Result<llm_observe_log::LogWriter, OpenError> {
    options(log).open_with(hooks(log, style.clone()))
}

/// Opens the file that `log` describes for the process with that number.
pub(super) fn open_as(
    log: &Log,
    style: &Arc<Style>,
    number: u32,
) -> Result<llm_observe_log::LogWriter, OpenError> {
    options(log)
        .numbered(number)
        .open_with(hooks(log, style.clone()))
}

/// Returns a writer for the file that `log` describes, which could not be opened because of `error`.
pub(super) fn detached(
    log: &Log,
    style: &Arc<Style>,
    error: &OpenError,
) -> io::Result<llm_observe_log::LogWriter> {
    options(log).detached(hooks(log, style.clone()), error)
}

pub(super) fn options(log: &Log) -> LogOptions {
    LogOptions::new(&log.dir, &log.file)
        .max_bytes(log.max_bytes)
        .rotation(match log.rotate {
            Rotate::Never => Rotation::Never,
            Rotate::Hourly => Rotation::Hourly,
            Rotate::Daily => Rotation::Daily,
        })
        .timezone(match log.timezone {
            Timezone::Utc => llm_observe_log::Timezone::Utc,
            Timezone::Local => llm_observe_log::Timezone::Local,
        })
        .backups(log.backups)
        .max_age(log.max_age)
        .max_total_bytes(log.max_total_bytes)
        .compress(log.compress)
        .mode(log.mode)
        .shared(log.shared)
        .follow_symlinks(log.follow_symlinks)
        .buffer_bytes(log.buffer_bytes)
        .max_wait(log.max_wait)
}

/// Returns hooks that write loss notices in the file's own format.
fn hooks(log: &Log, style: Arc<Style>) -> Hooks {
    let format = log.format;
    Hooks::new()
        .loss_notice(move |out, count, reason: LossReason| {
            format::notice(out, format, &style, count, reason.as_str());
        })
        .warn(warn)
}
