//! The compared writers, each set up as its documentation shows: the same text in files of ten million
//! bytes, with more backups than the run needs.

use std::{
    io::Write,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex},
};

use log4rs::append::Append as _;
use logforth::{Append as _, record};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

const MAX_BYTES: u64 = 10_000_000;
const BACKUPS: usize = 100;

/// An open writer. Dropping it waits for its background work.
pub(crate) trait Peer: Sync {
    /// Writes a line; `text` ends in `\n`.
    fn line(&self, text: &str);
}

/// A name, and how to open the writer in a folder.
pub(crate) type Entrant = (&'static str, fn(&Path) -> Box<dyn Peer>);

/// All writers, ours first.
pub(crate) const ALL: [Entrant; 11] = [
    ("llm-observe", ours),
    ("rolling-file", rolling_file),
    ("spdlog-rs", spdlog),
    ("tracing-appender, lossy, no rotation", appender_lossy),
    ("tracing-appender, lossless, no rotation", appender_lossless),
    ("file-rotate", file_rotate),
    ("flexi_logger, buffered", flexi_buffered),
    ("flexi_logger, direct", flexi_direct),
    ("logroller", logroller_sized),
    ("logforth", logforth_sized),
    ("log4rs", log4rs_sized),
];

struct Ours(llm_observe_log::LogWriter);

impl Peer for Ours {
    fn line(&self, text: &str) {
        self.0.line(llm_observe_log::Level::Info, text.as_bytes());
    }
}

fn ours(dir: &Path) -> Box<dyn Peer> {
    let options = llm_observe_log::LogOptions::new(dir, "app.log")
        .max_bytes(MAX_BYTES)
        .backups(100);
    Box::new(Ours(options.open().unwrap()))
}

/// A plain `io::Write` behind a lock.
struct Locked<W>(Mutex<W>);

impl<W: Write + Send> Peer for Locked<W> {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().write_all(text.as_bytes()).unwrap();
    }
}

impl<W> Locked<W> {
    fn boxed(writer: W) -> Box<dyn Peer>
    where
        W: Write + Send + 'static,
    {
        Box::new(Self(Mutex::new(writer)))
    }
}

fn rolling_file(dir: &Path) -> Box<dyn Peer> {
    use rolling_file::{RollingConditionBasic, RollingFileAppender};
    let size = RollingConditionBasic::new().max_size(MAX_BYTES);
    Locked::boxed(RollingFileAppender::new(dir.join("app.log"), size, BACKUPS).unwrap())
}

fn file_rotate(dir: &Path) -> Box<dyn Peer> {
    use file_rotate::{ContentLimit, FileRotate, compression::Compression, suffix::AppendCount};
    let limit = ContentLimit::BytesSurpassed(10_000_000);
    let suffix = AppendCount::new(BACKUPS);
    Locked::boxed(FileRotate::new(
        dir.join("app.log"),
        suffix,
        limit,
        Compression::None,
        None,
    ))
}

fn logroller_sized(dir: &Path) -> Box<dyn Peer> {
    use logroller::{LogRollerBuilder, Rotation, RotationSize};
    let builder = LogRollerBuilder::new(dir, Path::new("app.log")).max_keep_files(100);
    let size = Rotation::SizeBased(RotationSize::Bytes(MAX_BYTES));
    Locked::boxed(builder.rotation(size).build().unwrap())
}

/// In real use each thread clones the handle. The cost of the clone is not counted.
struct Appender {
    handle: tracing_appender::non_blocking::NonBlocking,
    _guard: WorkerGuard,
}

impl Peer for Appender {
    fn line(&self, text: &str) {
        let mut handle = self.handle.clone();
        handle.write_all(text.as_bytes()).unwrap();
    }
}

fn appender(dir: &Path, lossy: bool) -> Box<dyn Peer> {
    let file = tracing_appender::rolling::never(dir, "app.log");
    let (handle, guard) = NonBlockingBuilder::default().lossy(lossy).finish(file);
    Box::new(Appender {
        handle,
        _guard: guard,
    })
}

fn appender_lossy(dir: &Path) -> Box<dyn Peer> {
    appender(dir, true)
}

fn appender_lossless(dir: &Path) -> Box<dyn Peer> {
    appender(dir, false)
}

/// A logger for records of `log`.
struct Records<L>(L);

impl<L: Fn(&log::Record<'_>) + Sync> Peer for Records<L> {
    fn line(&self, text: &str) {
        let record = |text| log::Record::builder().args(text).build();
        (self.0)(&record(format_args!("{}", text.trim_end())));
    }
}

fn flexi(dir: &Path, mode: flexi_logger::WriteMode) -> Box<dyn Peer> {
    use flexi_logger::{
        Cleanup, Criterion, DeferredNow, FileSpec, Naming,
        writers::{FileLogWriter, LogWriter as _},
    };
    let spec = FileSpec::default().directory(dir).basename("app");
    let writer = FileLogWriter::builder(spec)
        .rotate(
            Criterion::Size(MAX_BYTES),
            Naming::Numbers,
            Cleanup::KeepLogFiles(BACKUPS),
        )
        .format(|out, _, record| write!(out, "{}", record.args()))
        .write_mode(mode)
        .try_build()
        .unwrap();
    Box::new(Records(move |record: &log::Record<'_>| {
        writer.write(&mut DeferredNow::new(), record).unwrap();
    }))
}

fn flexi_buffered(dir: &Path) -> Box<dyn Peer> {
    flexi(dir, flexi_logger::WriteMode::BufferDontFlush)
}

fn flexi_direct(dir: &Path) -> Box<dyn Peer> {
    flexi(dir, flexi_logger::WriteMode::Direct)
}

fn log4rs_sized(dir: &Path) -> Box<dyn Peer> {
    use log4rs::{
        append::rolling_file::{
            RollingFileAppender,
            policy::compound::{
                CompoundPolicy, roll::fixed_window::FixedWindowRoller, trigger::size::SizeTrigger,
            },
        },
        encode::pattern::PatternEncoder,
    };
    let pattern = dir.join("app.log.{}");
    let roller = FixedWindowRoller::builder()
        .build(pattern.to_str().unwrap(), 100)
        .unwrap();
    let policy = CompoundPolicy::new(Box::new(SizeTrigger::new(MAX_BYTES)), Box::new(roller));
    let appender = RollingFileAppender::builder()
        .encoder(Box::new(PatternEncoder::new("{m}{n}")))
        .build(dir.join("app.log"), Box::new(policy))
        .unwrap();
    Box::new(Records(move |record: &log::Record<'_>| {
        appender.append(record).unwrap();
    }))
}

struct Spdlog(Arc<spdlog::Logger>);

impl Peer for Spdlog {
    fn line(&self, text: &str) {
        spdlog::info!(logger: self.0, "{}", text.trim_end());
    }
}

impl Drop for Spdlog {
    fn drop(&mut self) {
        self.0.flush();
    }
}

fn spdlog(dir: &Path) -> Box<dyn Peer> {
    use spdlog::{
        Logger,
        formatter::{PatternFormatter, pattern},
        sink::{RotatingFileSink, RotationPolicy},
    };
    let sink = RotatingFileSink::builder()
        .base_path(dir.join("app.log"))
        .rotation_policy(RotationPolicy::FileSize(MAX_BYTES))
        .max_files(BACKUPS)
        .formatter(PatternFormatter::new(pattern!("{payload}{eol}")))
        .build_arc()
        .unwrap();
    Box::new(Spdlog(Logger::builder().sink(sink).build_arc().unwrap()))
}

#[derive(Debug)]
struct Bare;

impl logforth::Layout for Bare {
    fn format(
        &self,
        record: &record::Record<'_>,
        _: &[Box<dyn logforth::Diagnostic>],
    ) -> Result<Vec<u8>, logforth::Error> {
        Ok(record.payload().to_string().into_bytes())
    }
}

struct Logforth(logforth::append::File);

impl Peer for Logforth {
    fn line(&self, text: &str) {
        let record = |text| record::Record::builder().payload(text).build();
        self.0
            .append(&record(format_args!("{}", text.trim_end())), &[])
            .unwrap();
    }
}

impl Drop for Logforth {
    fn drop(&mut self) {
        self.0.flush().unwrap();
    }
}

fn logforth_sized(dir: &Path) -> Box<dyn Peer> {
    let file = logforth::append::file::FileBuilder::new(dir, "app")
        .layout(Bare)
        .rollover_size(NonZeroUsize::new(10_000_000).unwrap())
        .max_log_files(NonZeroUsize::new(BACKUPS).unwrap())
        .build()
        .unwrap();
    Box::new(Logforth(file))
}
