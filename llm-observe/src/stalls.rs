//! Calls that are still running after their `stalled` limit. Knows sinks only as [`Sink`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::kernel::{
    call::Ids,
    clock, context,
    ids::SpanId,
    request::Request,
    sink::{Running, Sink},
    site::Site,
    stats::Gauge,
};

/// The running calls of sites that have a limit.
#[derive(Default)]
pub(crate) struct Stalls {
    calls: Mutex<HashMap<SpanId, Watched>>,
}

struct Watched {
    site: &'static Site,
    ids: Ids,
    /// Reading of the clock at the start.
    start: u64,
    limit: Duration,
    stalled: Gauge,
    request: Option<Arc<Request>>,
    told: bool,
}

impl Watched {
    fn running(&self, now: u64) -> Running {
        Running {
            site: self.site,
            trace_id: self.ids.trace,
            span_id: self.ids.span,
            duration: Duration::from_nanos(clock::nanos(self.start, now)),
            request: self.request.clone(),
        }
    }
}

impl Stalls {
    fn lock(&self) -> MutexGuard<'_, HashMap<SpanId, Watched>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a call that starts.
    pub(crate) fn started(&self, site: &'static Site, ids: Ids, limit: Duration, stalled: &Gauge) {
        let watched = Watched {
            site,
            ids,
            start: clock::ticks(),
            limit,
            stalled: stalled.clone(),
            request: context::request(),
            told: false,
        };
        self.lock().insert(ids.span, watched);
    }

    /// Lets go of a call that ended, and says so where it had been told of.
    pub(crate) fn ended<'a>(&self, span: SpanId, sinks: impl Iterator<Item = &'a dyn Sink>) {
        let Some(watched) = self.lock().remove(&span) else {
            return;
        };
        if watched.told {
            watched.stalled.add(-1);
            let running = watched.running(clock::ticks());
            sinks.for_each(|sink| sink.unstalled(&running));
        }
    }

    /// Tells the sinks of calls that are newly over their limit.
    pub(crate) fn look<'a>(&self, sinks: impl Iterator<Item = &'a dyn Sink> + Clone) {
        let now = clock::ticks();
        // Told only after the lock is gone: a sink may take its time.
        let newly: Vec<Running> = self
            .lock()
            .values_mut()
            .filter(|call| !call.told)
            .filter_map(|call| {
                let running = call.running(now);
                call.told = running.duration >= call.limit;
                call.told.then(|| call.stalled.add(1)).map(|()| running)
            })
            .collect();
        for running in &newly {
            sinks.clone().for_each(|sink| sink.stalled(running));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{ids::TraceId, record::Record};

    static SITE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");

    #[derive(Default)]
    struct Told(Mutex<Vec<&'static str>>);

    impl Sink for Told {
        fn record(&self, _: &Record<'_>) {}

        fn stalled(&self, _: &Running) {
            self.0.lock().unwrap().push("stalled");
        }

        fn unstalled(&self, _: &Running) {
            self.0.lock().unwrap().push("unstalled");
        }
    }

    fn ids(span: u64) -> Ids {
        Ids {
            trace: TraceId([1, 1]),
            span: SpanId(span),
            parent: SpanId(0),
        }
    }

    #[test]
    fn a_call_over_its_limit_is_told_once_and_once_more_when_it_ends() {
        let (stalls, told, gauge) = (Stalls::default(), Told::default(), Gauge::default());
        let sinks = || std::iter::once(&told as &dyn Sink);
        stalls.started(&SITE, ids(1), Duration::ZERO, &gauge);
        stalls.started(&SITE, ids(2), Duration::from_secs(3600), &gauge);
        stalls.look(sinks());
        stalls.look(sinks());
        assert_eq!(
            (told.0.lock().unwrap().as_slice(), gauge.get()),
            (&["stalled"][..], 1)
        );
        stalls.ended(SpanId(1), sinks());
        stalls.ended(SpanId(2), sinks());
        assert_eq!(*told.0.lock().unwrap(), ["stalled", "unstalled"]);
        assert_eq!(gauge.get(), 0);
    }
}
