//! The log files as a part of an observer.

use std::{path::PathBuf, time::Duration};

use super::{FlushReport, Part};
use crate::log::Loggers;

impl Part for Loggers {
    fn flush(&self, limit: Duration, report: &mut FlushReport) {
        // By path: `Part::flush` has the same name.
        report.pending_bytes += Loggers::flush(self, limit);
    }

    fn stop(&self, limit: Duration, report: &mut FlushReport) {
        report.pending_bytes += self.close(limit);
    }

    fn works_in_fork(&self) -> bool {
        true
    }

    fn files(&self) -> Vec<PathBuf> {
        Loggers::files(self)
    }
}
