//! What a probe or a scrape of the program is answered: whether it is ready, and its metrics. One for each
//! program, as its observer. Knows no protocol.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// The media type of the Prometheus text format, version 0.0.4.
pub(crate) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer to a probe when all is well.
pub(crate) const OK: &str = "ok\n";

/// What this program answers.
pub(crate) static PROGRAM: Probes = Probes::new();

/// Renders the metrics; `None` without the feature `metrics`.
type Render = dyn Fn() -> Option<String> + Send + Sync;

/// What the probes of a program are answered from.
pub(crate) struct Probes {
    stopping: AtomicBool,
    held_back: AtomicBool,
    metrics: Mutex<Option<Arc<Render>>>,
}

/// Why a program is not ready for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unready {
    /// It is about to end.
    Stopping,
    /// It says so.
    HeldBack,
}

/// Why there are no metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMetrics {
    /// No observer runs.
    NoObserver,
    /// The feature is off.
    NoFeature,
}

impl Probes {
    const fn new() -> Probes {
        Probes {
            stopping: AtomicBool::new(false),
            held_back: AtomicBool::new(false),
            metrics: Mutex::new(None),
        }
    }

    /// Returns why the program is not ready, if it is not. What the observer itself cannot do is no
    /// reason: a service without its logs still serves.
    pub(crate) fn readiness(&self) -> Result<(), Unready> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(Unready::Stopping);
        }
        match self.held_back.load(Ordering::Relaxed) {
            true => Err(Unready::HeldBack),
            false => Ok(()),
        }
    }

    /// Notes that the program is about to end: it is not ready from now on.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Notes what the program says of itself.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.held_back.store(!ready, Ordering::Relaxed);
    }

    /// Notes how the metrics are rendered, until [`Probes::end_metrics`].
    pub(crate) fn set_metrics(&self, render: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.replace_metrics(Some(Arc::new(render)));
    }

    /// Notes that no observer runs any more.
    pub(crate) fn end_metrics(&self) {
        self.replace_metrics(None);
    }

    fn replace_metrics(&self, render: Option<Arc<Render>>) {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        *metrics = render;
    }

    /// Returns the metrics as Prometheus text.
    pub(crate) fn metrics(&self) -> Result<String, NoMetrics> {
        let metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        let render = metrics.clone().ok_or(NoMetrics::NoObserver)?;
        // Other scrapes need not wait for this one.
        drop(metrics);
        render().ok_or(NoMetrics::NoFeature)
    }
}

impl Unready {
    /// Returns the text of the answer.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Unready::Stopping => "shutting down\n",
            Unready::HeldBack => "not ready: the program says so\n",
        }
    }
}

impl NoMetrics {
    /// Returns the text of the answer.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            NoMetrics::NoObserver => "no observer runs: `llm_observe::init!()` starts it\n",
            NoMetrics::NoFeature => {
                "the program was built without the feature `metrics` of llm-observe\n"
            }
        }
    }
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes")
            .field("readiness", &self.readiness())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ready_unless_it_says_no_or_stops() {
        let probes = Probes::new();
        assert_eq!(probes.readiness(), Ok(()));
        probes.set_ready(false);
        assert_eq!(probes.readiness(), Err(Unready::HeldBack));
        probes.set_ready(true);
        assert_eq!(probes.readiness(), Ok(()));
        probes.stop();
        probes.set_ready(true);
        assert_eq!(probes.readiness(), Err(Unready::Stopping));
    }

    #[test]
    fn metrics_are_there_while_an_observer_runs() {
        let probes = Probes::new();
        assert_eq!(probes.metrics(), Err(NoMetrics::NoObserver));
        probes.set_metrics(|| Some("a 1\n".to_owned()));
        assert_eq!(probes.metrics().as_deref(), Ok("a 1\n"));
        probes.set_metrics(|| None);
        assert_eq!(probes.metrics(), Err(NoMetrics::NoFeature));
        probes.end_metrics();
        assert_eq!(probes.metrics(), Err(NoMetrics::NoObserver));
    }
}
