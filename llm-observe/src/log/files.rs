//! Opens the files of all loggers, under one number, and those that cannot be opened yet later.
//!
//! A second process of the same program writes `app.2.log`, a third one `app.3.log`: the number of a
//! process is the first whose files nobody has. Lines for a file that cannot be opened wait in memory.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use llm_observe_config::{Config, Log};
use llm_observe_log::{LogWriter, OpenError};

use super::{format::Style, lines::Route, options, select::Select};
use crate::{error::Error, warn::warn};

/// The highest number of a process.
const MOST: u32 = 99;

/// How long a start waits for what a dead process left in the buffer of another number's file.
const RECOVERY_LIMIT: Duration = Duration::from_secs(1);

/// One logger of the configuration.
pub(super) struct Logger {
    pub(super) name: String,
    pub(super) log: Log,
    pub(super) select: Option<Select>,
}

/// Returns the loggers of a configuration, the main one last: by then it is known whether an exclusive
/// logger has taken the line.
///
/// # Errors
///
/// When two have the same file.
pub(super) fn loggers(config: &Config) -> Result<Vec<Logger>, Error> {
    let own = config.loggers.iter().map(|(name, logger)| Logger {
        name: name.clone(),
        log: logger.resolve(&config.log),
        select: Some(Select::of(logger)),
    });
    let all: Vec<_> = own
        .chain(std::iter::once_with(|| Logger {
            name: "app".to_owned(),
            log: config.log.clone(),
            select: None,
        }))
        .collect();
    let mut files = BTreeMap::new();
    for logger in &all {
        if let Some(other) = files.insert(&logger.log.file, &logger.name) {
            return Err(Error::new(format!(
                "the loggers `{other}` and `{}` have the same file: give each its own `file`",
                logger.name
            )));
        }
    }
    Ok(all)
}

/// The files of all loggers, in the order of these.
pub(super) struct Opened {
    pub(super) writers: Vec<LogWriter>,
    pub(super) waiting: Waiting,
    /// Why some of them are not open.
    pub(super) fault: Option<Error>,
}

/// Opens the files. Those that cannot be opened are detached, unless `strict` makes that an error.
///
/// # Errors
///
/// When the name of a file is none, or there is no memory; with `strict`, when a file cannot be opened or
/// another process has it.
pub(super) fn open(loggers: &[Logger], style: &Arc<Style>, strict: bool) -> Result<Opened, Error> {
    let shared = loggers.iter().any(|logger| logger.log.shared);
    let most = if strict || shared { 1 } else { MOST };
    let mut number = 1;
    let mut results = open_as(loggers, style, number, number < most);
    while number < most && results.iter().any(is_busy) {
        // Those that this number has already are closed first.
        drop(results);
        number += 1;
        results = open_as(loggers, style, number, number < most);
    }
    let mut opened = Opened {
        writers: Vec::new(),
        waiting: Waiting::new(most, style.clone()),
        fault: None,
    };
    for (index, (logger, result)) in loggers.iter().zip(results).enumerate() {
        let writer = match result {
            Ok(writer) => {
                opened.waiting.number.store(number, Ordering::Relaxed);
                writer
            }
            Err(error) if strict || error.kind() == ErrorKind::InvalidInput => {
                return Err(cannot_write(&logger.name, &logger.log, error));
            }
            Err(error) => opened.detach(index, logger, style, error)?,
        };
        opened.writers.push(writer);
    }
    if let Err(error) = start_thread(&opened.writers) {
        if strict {
            return Err(error);
        }
        opened.fault.get_or_insert(error);
    }
    if opened.waiting.number().is_some() {
        if number > 1 {
            show_number(loggers, &opened.writers);
        }
        loggers
            .iter()
            .for_each(|logger| recover(&logger.log, style, number));
    }
    Ok(opened)
}

/// Opens the files of that number: all, or those up to the first that another process has.
fn open_as(
    loggers: &[Logger],
    style: &Arc<Style>,
    number: u32,
    ends_at_busy: bool,
) -> Vec<Result<LogWriter, OpenError>> {
    let mut results = Vec::new();
    for logger in loggers {
        results.push(options::open_as(&logger.log, style, number));
        if ends_at_busy && results.last().is_some_and(is_busy) {
            break;
        }
    }
    results
}

fn is_busy(result: &Result<LogWriter, OpenError>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::ResourceBusy)
}

/// Starts the thread that writes the files, if that was not possible before.
fn start_thread<'w>(writers: impl IntoIterator<Item = &'w LogWriter>) -> Result<(), Error> {
    let started = writers.into_iter().try_for_each(LogWriter::start_thread);
    started.map_err(|source| Error::with("cannot start the thread that writes log files", source))
}

fn cannot_write(name: &str, log: &Log, source: OpenError) -> Error {
    let context = format!(
        "logger `{name}` cannot write to `dir` of [log], {:?}",
        log.dir
    );
    Error::with(context, source)
}

/// Says which files this process writes when they are not those that the configuration names.
fn show_number(loggers: &[Logger], writers: &[LogWriter]) {
    let files = loggers.iter().zip(writers);
    let files = files.map(|(logger, writer)| logger.log.dir.join(writer.file_name()));
    let files: Vec<_> = files.map(|file| file.display().to_string()).collect();
    warn(&format!(
        "another process has the log files open: this one writes {}; set `shared = true` in [log] for \
         one file of both",
        files.join(", ")
    ));
}

/// Writes what dead processes of other numbers left in the buffers of their files: nobody may ever have
/// that number again.
fn recover(log: &Log, style: &Arc<Style>, own: u32) {
    let numbers = options::options(log).numbers_in_use(MOST);
    for number in numbers.into_iter().filter(|number| *number != own) {
        // One that a running process has is its own.
        if let Ok(left) = options::open_as(log, style, number) {
            left.close(RECOVERY_LIMIT);
        }
    }
}

impl Opened {
    /// Returns a writer that has no file yet.
    fn detach(
        &mut self,
        index: usize,
        logger: &Logger,
        style: &Arc<Style>,
        error: OpenError,
    ) -> Result<LogWriter, Error> {
        let writer = options::detached(&logger.log, style, &error)
            .map_err(|source| Error::with("no memory for lines that wait", source))?;
        let fault = cannot_write(&logger.name, &logger.log, error);
        self.fault.get_or_insert(fault);
        let files = self.waiting.files.get_mut();
        let files = files.unwrap_or_else(PoisonError::into_inner);
        files.push((index, logger.log.clone()));
        Ok(writer)
    }
}

/// The files that are not open yet.
pub(super) struct Waiting {
    /// Each with the place of its logger.
    files: Mutex<Vec<(usize, Log)>>,
    /// The number of this process; 0 while no file is open.
    number: AtomicU32,
    most: u32,
    style: Arc<Style>,
}

impl Waiting {
    fn new(most: u32, style: Arc<Style>) -> Waiting {
        Waiting {
            files: Mutex::default(),
            number: AtomicU32::new(0),
            most,
            style,
        }
    }

    fn number(&self) -> Option<u32> {
        let number = self.number.load(Ordering::Relaxed);
        (number > 0).then_some(number)
    }

    /// Opens the files that are not open, and writes the lines that wait for them.
    ///
    /// # Errors
    ///
    /// When a file cannot be opened.
    pub(super) fn attach(&self, routes: &[Route]) -> Result<(), Error> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failed = None;
        files.retain(|(index, log)| {
            let Some(route) = routes.get(*index) else {
                return false;
            };
            let result = self.attach_one(&route.file, log);
            let error = result.map_err(|error| cannot_write(&route.name, log, error));
            error.map_err(|error| failed.get_or_insert(error)).is_err()
        });
        drop(files);
        failed.map_or_else(|| start_thread(routes.iter().map(|route| &route.file)), Err)
    }

    fn attach_one(&self, file: &LogWriter, log: &Log) -> Result<(), OpenError> {
        if let Some(number) = self.number() {
            return file.attach(options::options(log).numbered(number));
        }
        let mut number = 1;
        loop {
            match file.attach(options::options(log).numbered(number)) {
                Err(busy) if number < self.most && busy.kind() == ErrorKind::ResourceBusy => {
                    number += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    self.number.store(number, Ordering::Relaxed);
                    recover(log, &self.style, number);
                    return Ok(());
                }
            }
        }
    }
}
