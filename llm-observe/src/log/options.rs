//! The keys of `[log]` as options of the log writer.

use std::io;

use llm_observe_config::{Format, Log, Rotate, Timezone};
use llm_observe_log::{Hooks, LogOptions, LossReason, OpenError, Rotation};

use super::format;
use crate::warn::warn;

/// Opens the file that `log` describes.
pub(super) fn open(log: &Log) -> Result<llm_observe_log::LogWriter, OpenError> {
    options(log).open_with(hooks(log))
}

/// Opens the file that `log` describes for the process with that number.
pub(super) fn open_as(log: &Log, number: u32) -> Result<llm_observe_log::LogWriter, OpenError> {
    options(log).numbered(number).open_with(hooks(log))
}

/// Returns a writer for the file that `log` describes, which could not be opened because of `error`.
pub(super) fn detached(log: &Log, error: &OpenError) -> io::Result<llm_observe_log::LogWriter> {
    options(log).detached(hooks(log), error)
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
fn hooks(log: &Log) -> Hooks {
    let notice = match (log.format, log.timezone) {
        (Format::Json, _) => format::lost_json,
        (Format::Text, Timezone::Utc) => format::lost_text,
        (Format::Text, Timezone::Local) => format::lost_text_local,
    };
    Hooks::new()
        .loss_notice(move |out, count, reason: LossReason| notice(out, count, reason.as_str()))
        .warn(warn)
}
