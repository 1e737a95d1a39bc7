//! Calls that are still running after their `stalled` limit.

use std::{collections::HashMap, time::Duration};

use crate::{
    kernel::{
        clock,
        context::{self, Ambient},
        extra::CallIds,
        fork_mutex::ForkMutex,
        ids::SpanId,
        sink::{RunningCall, Sink},
        site::Site,
        stats::Gauge,
        value::Fields,
    },
    redact::{Redacted, Redactor},
};

/// The running calls of sites that have a limit.
#[derive(Default)]
pub(super) struct Stalls {
    calls: ForkMutex<HashMap<SpanId, Watched>>,
}

struct Watched {
    site: &'static Site,
    ids: CallIds,
    /// Reading of the clock at the start.
    start: u64,
    limit: Duration,
    gauge: Gauge,
    ambient: Ambient,
    /// Whether a rule asks for an alert.
    alerts: bool,
    is_stalled: bool,
}

impl Watched {
    fn running(&self, now: u64) -> RunningCall {
        let mut fields = Fields::EMPTY;
        if let Some(carried) = &self.ambient.carried {
            carried.add_to(&mut fields);
        }
        RunningCall {
            site: self.site,
            trace_id: self.ids.trace,
            span_id: self.ids.span,
            trace_flags: self.ambient.trace_flags(),
            duration: Duration::from_nanos(clock::nanos(self.start, now)),
            fields,
            request: self.ambient.request.clone(),
            alerts: self.alerts,
        }
    }
}

impl Stalls {
    /// Watches a call that starts.
    pub(super) fn started(
        &self,
        site: &'static Site,
        ids: CallIds,
        limit: Duration,
        gauge: &Gauge,
        alerts: bool,
    ) {
        let watched = Watched {
            site,
            ids,
            start: clock::ticks(),
            limit,
            gauge: gauge.clone(),
            ambient: context::ambient(),
            alerts,
            is_stalled: false,
        };
        // A fork has no thread that would look at it.
        if let Some(mut calls) = self.calls.lock() {
            calls.insert(ids.span, watched);
        }
    }

    /// Stops watching a call that ended. If it had stalled, the sinks get it once more.
    pub(super) fn ended<'a>(
        &self,
        span: SpanId,
        redactor: &Redactor,
        sinks: impl Iterator<Item = &'a dyn Sink>,
    ) {
        let watched = self.calls.lock().and_then(|mut calls| calls.remove(&span));
        let Some(watched) = watched else {
            return;
        };
        if watched.is_stalled {
            watched.gauge.add(-1);
            let call = redactor.redacted(watched.running(clock::ticks()));
            sinks.for_each(|sink| sink.unstalled(&call));
        }
    }

    /// Hands calls that are newly over their limit to the sinks.
    pub(super) fn look<'a>(
        &self,
        redactor: &Redactor,
        sinks: impl Iterator<Item = &'a dyn Sink> + Clone,
    ) {
        let now = clock::ticks();
        // Handed over only after the lock is released: a sink may take its time.
        let Some(mut calls) = self.calls.lock() else {
            return;
        };
        let newly: Vec<Redacted<RunningCall>> = calls
            .values_mut()
            .filter(|call| !call.is_stalled)
            .filter_map(|call| {
                let running = call.running(now);
                call.is_stalled = running.duration >= call.limit;
                call.is_stalled.then(|| {
                    call.gauge.add(1);
                    redactor.redacted(running)
                })
            })
            .collect();
        drop(calls);
        for call in &newly {
            sinks.clone().for_each(|sink| sink.stalled(call));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::kernel::{call_context::context, ids::TraceId, record::Record};

    static SITE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");

    #[derive(Default)]
    struct Seen(Mutex<Vec<&'static str>>);

    fn assert_has_its_context(call: &RunningCall) {
        let user = call.fields.get("user.id").map(ToString::to_string);
        assert_eq!(user.as_deref(), Some("u-1"));
    }

    impl Sink for Seen {
        fn record(&self, _: &Redacted<Record<'_>>) {}

        fn stalled(&self, call: &Redacted<RunningCall>) {
            assert_has_its_context(call);
            self.0.lock().unwrap().push("stalled");
        }

        fn unstalled(&self, call: &Redacted<RunningCall>) {
            assert_has_its_context(call);
            self.0.lock().unwrap().push("unstalled");
        }
    }

    fn ids(span: u64) -> CallIds {
        CallIds {
            trace: TraceId([1, 1]),
            span: SpanId(span),
            parent: SpanId(0),
        }
    }

    #[test]
    fn a_call_over_its_limit_is_handed_over_once_and_again_when_it_ends() {
        let (stalls, seen, gauge) = (Stalls::default(), Seen::default(), Gauge::default());
        let redactor = Redactor::default();
        let sinks = || std::iter::once(&seen as &dyn Sink);
        context().user("u-1").in_scope(|| {
            stalls.started(&SITE, ids(1), Duration::ZERO, &gauge, true);
        });
        stalls.started(&SITE, ids(2), Duration::from_secs(3600), &gauge, true);
        stalls.look(&redactor, sinks());
        stalls.look(&redactor, sinks());
        assert_eq!(
            (seen.0.lock().unwrap().as_slice(), gauge.get()),
            (&["stalled"][..], 1)
        );
        stalls.ended(SpanId(1), &redactor, sinks());
        stalls.ended(SpanId(2), &redactor, sinks());
        assert_eq!(*seen.0.lock().unwrap(), ["stalled", "unstalled"]);
        assert_eq!(gauge.get(), 0);
    }
}
