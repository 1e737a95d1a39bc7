//! Opens the files of all loggers, under one number, and those that cannot be opened yet later.
//!
//! A second process of the same program writes `app.2.log`, a third one `app.3.log`: the number of a
//! process is the first whose files nobody has. Lines for a file that cannot be opened wait in memory.

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use llm_observe_config::{Config, Log};
use llm_observe_log::{LogWriter, OpenError};

use super::{lines::Route, options, select::Select};
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
pub(super) fn open(loggers: &[Logger], strict: bool) -> Result<Opened, Error> {
    let shared = loggers.iter().any(|logger| logger.log.shared);
    let most = if strict || shared { 1 } else { MOST };
    let mut number = 1;
    let mut results = open_as(loggers, number);
    while number < most && results.iter().any(is_busy) {
        // Those that this number has already are closed first.
        drop(results);
        number += 1;
        results = open_as(loggers, number);
    }
    let mut opened = Opened {
        writers: Vec::new(),
        waiting: Waiting::default(),
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
            Err(error) => opened.detach(index, logger, error)?,
        };
        opened.writers.push(writer);
    }
    if number > 1 && !opened.writers.is_empty() {
        say_number(&opened.writers, &loggers[..]);
    }
    recover(loggers, number);
    Ok(opened)
}

/// Opens the files of that number, up to the first that another process has.
fn open_as(loggers: &[Logger], number: u32) -> Vec<Result<LogWriter, OpenError>> {
    let mut results = Vec::new();
    for logger in loggers {
        let result = options::open_as(&logger.log, number);
        let busy = is_busy(&result);
        results.push(result);
        if busy && number < MOST && !logger.log.shared {
            break;
        }
    }
    results
}

fn is_busy(result: &Result<LogWriter, OpenError>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::ResourceBusy)
}

impl Opened {
    fn detach(
        &mut self,
        index: usize,
        logger: &Logger,
        error: OpenError,
    ) -> Result<LogWriter, Error> {
        let writer = options::detached(&logger.log, &error);
        let error = cannot_write(&logger.name, &logger.log, error);
        let writer = writer.map_err(|_| Error::new("no memory for lines that wait"))?;
        self.fault.get_or_insert(error);
        self.waiting
            .files
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .push((index, logger.log.clone()));
        Ok(writer)
    }
}

fn cannot_write(name: &str, log: &Log, source: OpenError) -> Error {
    let context = format!(
        "logger `{name}` cannot write to `dir` of [log], {:?}",
        log.dir
    );
    Error::with(context, source)
}
