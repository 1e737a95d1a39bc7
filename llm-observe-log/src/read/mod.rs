//! Reads the whole history of a log file: rotated and compressed files and the live one, in order,
//! filtered. What cannot be read is reported as an item, and reading goes on after it.
//!
//! Lines have to be in one of the two formats of `llm-observe`; a line of any other format is reported
//! as [`Item::Damaged`].
//!
//! ```no_run
//! use llm_observe_log::read::{Filter, Item, history};
//!
//! let filter = Filter { event: Some("embedding".into()), ..Filter::default() };
//! for item in history("logs".as_ref(), "app.log", filter)? {
//!     match item {
//!         Item::Line(line) => println!("{}", line.text),
//!         Item::Damaged { file, line, why } => eprintln!("{}:{line}: {why}", file.display()),
//!         Item::Waiting { lines } => eprintln!("{lines} lines are not in the files yet"),
//!         _ => {}
//!     }
//! }
//! # std::io::Result::Ok(())
//! ```

mod line;
mod parse;

use std::{
    collections::VecDeque,
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use crate::{disk, rotation::parse_backup, spool};

pub use line::Line;

use line::rank;

/// The longest line that is read whole, in bytes. The rest of a longer one is skipped.
const LONGEST: u64 = 4 << 20;

/// What reading a history yields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// A line that passed the filter.
    Line(Line),
    /// The last item: how many lines are not in the files yet. They wait for a disk that takes them,
    /// or for the next start of the program that wrote them. A running program writes its lines a
    /// moment later. Lines of this process itself are not counted.
    Waiting {
        /// How many.
        lines: u64,
    },
    /// A line, or the rest of a file, that cannot be read.
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Which line of it, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
}

/// Which lines to yield: those that match every criterion that is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The event's name.
    pub event: Option<String>,
    /// The outcome's name.
    pub outcome: Option<String>,
    /// The lowest level, `trace` to `error`, in any case.
    pub level: Option<String>,
    /// The trace's id.
    pub trace_id: Option<String>,
    /// The earliest time, in microseconds since the Unix epoch, inclusive.
    pub since: Option<i64>,
    /// The latest time, exclusive.
    pub until: Option<i64>,
}

impl Filter {
    fn passes(&self, line: &Line) -> bool {
        let same = |want: &Option<String>, have: &Option<String>| want.is_none() || want == have;
        same(&self.event, &line.event)
            && same(&self.outcome, &line.outcome)
            && same(&self.trace_id, &line.trace_id)
            && self
                .level
                .as_deref()
                .is_none_or(|lowest| rank(&line.level) >= rank(lowest))
            && self.since.is_none_or(|since| line.micros >= since)
            && self.until.is_none_or(|until| line.micros < until)
    }
}

/// Reads the history of the log file `file` in `dir`, oldest line first.
///
/// # Errors
/// When the folder cannot be listed. A file that cannot be read is an [`Item::Damaged`].
pub fn history(dir: &Path, file: &str, filter: Filter) -> io::Result<History> {
    Ok(History {
        files: files(dir, file)?.into(),
        log: Some((dir.to_path_buf(), file.to_owned())),
        open: None,
        filter,
    })
}

/// Returns the rotated files in the order of their numbers, then the live one. A file that exists both
/// plain and compressed (compression was interrupted) counts once.
fn files(dir: &Path, file: &str) -> io::Result<Vec<PathBuf>> {
    let names = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut backups: Vec<_> = names
        .filter_map(|name| parse_backup(file, &name, 0))
        .collect();
    backups.sort_by_key(|backup| (backup.sequence, backup.at, backup.compressed));
    backups.dedup_by_key(|backup| (backup.sequence, backup.at));
    let live = Some(dir.join(file)).filter(|live| live.exists());
    Ok(backups
        .into_iter()
        .map(|backup| dir.join(backup.name))
        .chain(live)
        .collect())
}

/// An iterator over the lines of a log, made by [`history`].
pub struct History {
    files: VecDeque<PathBuf>,
    /// The log whose waiting lines are counted at the end.
    log: Option<(PathBuf, String)>,
    open: Option<OpenReader>,
    filter: Filter,
}

impl History {
    fn waiting(&mut self) -> Option<Item> {
        let (dir, file) = self.log.take()?;
        let lines = spool::waiting_lines(&dir, &file);
        (lines > 0).then_some(Item::Waiting { lines })
    }
}

struct OpenReader {
    path: PathBuf,
    line: u64,
    reader: Box<dyn BufRead + Send>,
}

impl Iterator for History {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(path) = self.files.pop_front() else {
                    return self.waiting();
                };
                match OpenReader::new(path.clone()) {
                    Ok(open) => self.open = Some(open),
                    Err(error) => {
                        return Some(Item::Damaged {
                            file: path,
                            line: 0,
                            why: error.to_string(),
                        });
                    }
                }
                continue;
            };
            match open.next_line() {
                Ok(None) => self.open = None,
                Ok(Some(Item::Line(line))) if !self.filter.passes(&line) => {}
                Ok(Some(item)) => return Some(item),
                Err(error) => {
                    let item = open.damaged(error.to_string());
                    self.open = None;
                    return Some(item);
                }
            }
        }
    }
}

impl OpenReader {
    fn new(path: PathBuf) -> io::Result<Self> {
        let file = disk::open_to_read(&path)?;
        let reader: Box<dyn BufRead + Send> = match path.extension().is_some_and(|end| end == "gz")
        {
            true => Box::new(BufReader::new(MultiGzDecoder::new(BufReader::new(file)))),
            false => Box::new(BufReader::new(file)),
        };
        Ok(Self {
            path,
            line: 0,
            reader,
        })
    }

    fn next_line(&mut self) -> io::Result<Option<Item>> {
        let mut bytes = Vec::new();
        if (&mut self.reader)
            .take(LONGEST)
            .read_until(b'\n', &mut bytes)?
            == 0
        {
            return Ok(None);
        }
        self.line += 1;
        if bytes.pop_if(|last| *last == b'\n').is_none() {
            let rest = self.reader.skip_until(b'\n')?;
            let why = if rest > 0 {
                "the line is too long"
            } else {
                "the line has no end"
            };
            return Ok(Some(self.damaged(why.to_owned())));
        }
        let parsed = String::from_utf8(bytes)
            .map_err(|_| "the line is not UTF-8")
            .and_then(parse::line);
        Ok(Some(parsed.map_or_else(
            |why| self.damaged(why.to_owned()),
            Item::Line,
        )))
    }

    fn damaged(&self, why: String) -> Item {
        Item::Damaged {
            file: self.path.clone(),
            line: self.line,
            why,
        }
    }
}

#[cfg(test)]
mod tests;
