//! `[log]`: the file that all lines go to, its rotation and its retention.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::choice::choices;
use crate::names;
use crate::section::Section;
use crate::units::size_text;
use crate::value;
use crate::value_error::ValueError;

/// The main log file.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Whether lines are written to a file at all. Default: true.
    pub enabled: bool,
    /// The folder of all log files, relative to the working directory. Default: `logs`.
    pub dir: PathBuf,
    /// The file's name within `dir`, without a path separator. Default: `app.log`.
    pub file: String,
    /// Text or JSON lines. Default: text.
    pub format: Format,
    /// The lowest level that is written. Default: info.
    pub level: Level,
    /// The size in bytes at which the file rotates, at least 1,000. Default: 10 MB.
    pub max_bytes: u64,
    /// The period after which the file rotates. Default: never.
    pub rotate: Rotate,
    /// How many rotated files are kept, at least 1. Default: 5.
    pub backups: u32,
    /// The age beyond which a rotated file is removed. Default: none.
    pub max_age: Option<Duration>,
    /// The size in bytes of the file and its rotated files together, beyond which the oldest is
    /// removed. At least `max_bytes`. Default: none.
    pub max_total_bytes: Option<u64>,
    /// Whether rotated files are compressed with gzip. Default: false.
    pub compress: bool,
    /// The permission bits of the files on Unix, `0o600` to `0o777`. Default: `0o600`.
    pub mode: u32,
    /// Whether several processes write the same files. Default: false.
    pub shared: bool,
    /// Whether lines also go to the console. Default: on a terminal, in a container, and where there
    /// are no files.
    pub console: Console,
    /// Text or JSON lines on the console. Default: text on a terminal, else `format`.
    pub console_format: Option<Format>,
    /// Where the console is. Default: standard error.
    pub console_target: ConsoleTarget,
    /// The names of the members of JSON lines. Default: those of this crate.
    pub json_names: JsonNames,
    /// Who subscribes to events of `tracing` and records of `log`. Default: auto.
    pub subscriber: Subscriber,
    /// The time zone of text lines and of rotation; JSON lines are always UTC. Default: UTC.
    pub timezone: Timezone,
    /// The length in bytes beyond which a single value in a line is cut. Default: 8 KiB.
    pub max_value_bytes: u64,
    /// Whether a log file that is a symbolic link is followed. Default: false.
    pub follow_symlinks: bool,
    /// The memory in bytes for lines of one file that wait for the disk, 64 KiB to 1 GiB; rounded up
    /// to a power of two. Default: 8 MiB.
    pub buffer_bytes: u64,
    /// The longest wait of a call when that memory is full, up to 1 minute. After it the line is
    /// dropped and counted. Zero: calls never wait. Default: 1 second.
    pub max_wait: Duration,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: PathBuf::from("logs"),
            file: "app.log".to_owned(),
            format: Format::default(),
            level: Level::default(),
            max_bytes: 10_000_000,
            rotate: Rotate::default(),
            backups: 5,
            max_age: None,
            max_total_bytes: None,
            compress: false,
            mode: 0o600,
            shared: false,
            console: Console::default(),
            console_format: None,
            console_target: ConsoleTarget::default(),
            json_names: JsonNames::default(),
            subscriber: Subscriber::default(),
            timezone: Timezone::default(),
            max_value_bytes: 8 * 1024,
            follow_symlinks: false,
            buffer_bytes: 8 << 20,
            max_wait: Duration::from_secs(1),
        }
    }
}

choices! {
    /// How a line is written.
    pub enum Format {
        /// `time - level - message`, for people.
        #[default]
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choices! {
    /// A line's level, from the most detailed to the most severe.
    pub enum Level {
        /// Every detail.
        Trace = "trace",
        /// Details for developers.
        Debug = "debug",
        /// Normal operation.
        #[default]
        Info = "info",
        /// Unexpected, but handled.
        Warn = "warn",
        /// A failure.
        Error = "error",
    }
}

choices! {
    /// The period after which a file rotates, beside its size.
    pub enum Rotate {
        /// By size only.
        #[default]
        Never = "never",
        /// At each full hour.
        Hourly = "hourly",
        /// At midnight.
        Daily = "daily",
    }
}

choices! {
    /// Whether lines also go to the console.
    pub enum Console {
        /// When it is a terminal, when the process runs in a container, and when there are no files.
        #[default]
        Auto = "auto",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}

choices! {
    /// Where the console is.
    pub enum ConsoleTarget {
        /// Standard error.
        #[default]
        Stderr = "stderr",
        /// Standard output.
        Stdout = "stdout",
    }
}

choices! {
    /// The names of the members of JSON lines.
    pub enum JsonNames {
        /// `time`, `level`, `message`, and so on.
        #[default]
        Default = "default",
        /// Those of the log data model of OpenTelemetry.
        Otel = "otel",
        /// Those of the Elastic Common Schema.
        Ecs = "ecs",
    }
}

choices! {
    /// Who subscribes to events of `tracing` and records of `log`: a process has one subscriber.
    pub enum Subscriber {
        /// As `own`; where the package that calls `init!()` depends on a crate that installs one, such as
        /// `tracing-subscriber`, with the first event instead, unless the program has installed its own by
        /// then.
        #[default]
        Auto = "auto",
        /// The observer, when it starts.
        Own = "own",
        /// The program: its events are written through `Observer::layer()`.
        Program = "program",
    }
}

choices! {
    /// The time zone of text lines and of rotation.
    pub enum Timezone {
        /// Coordinated universal time.
        #[default]
        Utc = "utc",
        /// The machine's time zone.
        Local = "local",
    }
}

/// The smallest size at which a file rotates. With less, one or two lines would fill it.
pub(crate) const LEAST_BYTES: u64 = 1_000;

/// The least and the most memory for lines that wait.
pub(crate) const BUFFER_BYTES: RangeInclusive<u64> = 64 << 10..=1 << 30;

/// The longest that a call may wait for room.
const MOST_WAIT: Duration = Duration::from_secs(60);

/// The most rotated files that are kept.
pub(crate) const MOST_BACKUPS: u64 = 10_000;

impl Log {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut log = Self::default();
        section.set("enabled", &mut log.enabled, value::boolean);
        section.set("dir", &mut log.dir, value::path);
        section.set("file", &mut log.file, names::file);
        section.set("format", &mut log.format, value::choice);
        section.set("level", &mut log.level, value::choice);
        section.set("max_bytes", &mut log.max_bytes, value::size(LEAST_BYTES));
        section.set("rotate", &mut log.rotate, value::choice);
        section.set("backups", &mut log.backups, value::whole(1, MOST_BACKUPS));
        section.optional("max_age", &mut log.max_age, value::some_duration);
        section.optional(
            "max_total_bytes",
            &mut log.max_total_bytes,
            value::size(LEAST_BYTES),
        );
        section.set("compress", &mut log.compress, value::boolean);
        section.set("mode", &mut log.mode, value::mode);
        section.set("shared", &mut log.shared, value::boolean);
        section.set("console", &mut log.console, value::choice);
        section.optional("console_format", &mut log.console_format, value::choice);
        section.set("console_target", &mut log.console_target, value::choice);
        section.set("json_names", &mut log.json_names, value::choice);
        section.set("subscriber", &mut log.subscriber, value::choice);
        section.set("timezone", &mut log.timezone, value::choice);
        section.set("max_value_bytes", &mut log.max_value_bytes, value::size(16));
        section.set("follow_symlinks", &mut log.follow_symlinks, value::boolean);
        let buffer = value::size_within(BUFFER_BYTES);
        section.set("buffer_bytes", &mut log.buffer_bytes, buffer);
        section.set(
            "max_wait",
            &mut log.max_wait,
            value::duration_up_to(MOST_WAIT),
        );
        log.check_total(section);
        log
    }

    /// Checks that the total size allows one file, if this table sets either of the two.
    pub(crate) fn check_total(&self, section: &Section<'_, '_>) {
        let keys = ["max_total_bytes", "max_bytes"];
        let Some(key) = keys.into_iter().find(|key| section.has(key)) else {
            return;
        };
        if section.is_clean()
            && self
                .max_total_bytes
                .is_some_and(|total| total < self.max_bytes)
        {
            let message = match key {
                "max_bytes" => "must be at most `max_total_bytes`",
                _ => "must be at least `max_bytes`",
            };
            let size = size_text(self.max_bytes);
            section.add_at(
                key,
                ValueError::new(message, format!("`max_bytes` is \"{size}\" here")),
            );
        }
    }
}
