//! The figures of HTTP requests, as the OpenTelemetry HTTP conventions name and label them
//! (semantic conventions 1.41.1, `http.server.request.duration`, `http.server.active_requests`,
//! `http.client.request.duration`, in the form that Prometheus gives their names and units).
//!
//! One [`RequestMetrics`] a site: its method, and its route or its host. What a response adds, its
//! status and the type of error, is a series of its own, of which a site has at most
//! [`MOST_ENDS`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use metrics::{Key, Label};

use super::{
    METADATA, Metrics,
    cells::{Bounds, Cells},
    publish::{Series, as_f64},
};
use crate::http::metrics_table as names;
use crate::kernel::{
    call::Ended,
    outcome::{ErrorClass, Outcome},
    site::{Kind, RequestSite},
};

/// How many different ends (status and type of error) of one site are told apart.
const MOST_ENDS: usize = 24;

/// The label of what ended otherwise than [`MOST_ENDS`] others did.
const OTHER: &str = "_other";

/// How a request ended, as its labels say it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a status, which says itself whether that is an error.
    Status(u16),
    /// Without one, or not as the status promised: panicked, cancelled, broken off.
    Failed(Option<u16>, Outcome, ErrorClass),
    Other,
}

impl End {
    fn of(status: Option<u16>, ended: &Ended) -> End {
        let class = ended.error.as_ref().map_or(ErrorClass::Other, |e| e.class);
        match (status, ended.outcome) {
            (Some(status), Outcome::Ok) => End::Status(status),
            // The error is the status: what broke off after a good one has the class besides.
            (Some(status), Outcome::Error | Outcome::Timeout) if status >= 400 => {
                End::Status(status)
            }
            (status, outcome) => End::Failed(status, outcome, class),
        }
    }

    fn status(self) -> Option<String> {
        match self {
            End::Status(status) | End::Failed(Some(status), ..) => Some(status.to_string()),
            End::Failed(None, ..) => None,
            End::Other => Some(OTHER.to_owned()),
        }
    }

    /// Returns the `error.type`: the status where that is the error, for a server's 5xx and what a
    /// client got of 4xx and 5xx; else what happened.
    fn error_type(self, kind: Kind) -> Option<String> {
        let least = if kind == Kind::Client { 400 } else { 500 };
        match self {
            End::Status(status) => (status >= least).then(|| status.to_string()),
            End::Failed(_, Outcome::Error, class) => Some(class.as_str().to_owned()),
            End::Failed(_, outcome, _) => Some(outcome.as_str().to_owned()),
            End::Other => Some(OTHER.to_owned()),
        }
    }
}

/// The requests of one site that ended alike.
struct Ends {
    end: End,
    cells: Cells,
    published: Mutex<Series>,
}

/// The figures of one site of requests.
pub(crate) struct RequestMetrics {
    site: &'static RequestSite,
    started: Cells,
    /// In the order they came up first.
    ends: [OnceLock<Ends>; MOST_ENDS],
    other: OnceLock<Ends>,
    bounds: Arc<Bounds>,
}

impl RequestMetrics {
    pub(super) fn new(site: &'static RequestSite, bounds: Arc<Bounds>) -> RequestMetrics {
        RequestMetrics {
            site,
            started: Cells::new(bounds.clone()),
            ends: [const { OnceLock::new() }; MOST_ENDS],
            other: OnceLock::new(),
            bounds,
        }
    }

    pub(super) fn is_of(&self, site: &'static RequestSite) -> bool {
        std::ptr::eq(self.site, site)
    }

    /// Counts a request that starts.
    pub(crate) fn started(&self) {
        self.started.started();
    }

    /// Counts a request that ended.
    pub(crate) fn ended(&self, status: Option<u16>, ended: &Ended) {
        let ends = self.ends(End::of(status, ended));
        ends.cells.ended(Outcome::Ok, ended.nanos);
    }

    fn ends(&self, end: End) -> &Ends {
        let known = self.ends.iter().find_map(|place| {
            let ends = place.get_or_init(|| self.new_ends(end));
            (ends.end == end).then_some(ends)
        });
        known.unwrap_or_else(|| self.other.get_or_init(|| self.new_ends(End::Other)))
    }

    #[cold]
    fn new_ends(&self, end: End) -> Ends {
        Ends {
            end,
            cells: Cells::new(self.bounds.clone()),
            published: Mutex::new(Series::new(self.bounds.buckets())),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Ends> {
        let places = self.ends.iter().chain(std::iter::once(&self.other));
        places.filter_map(OnceLock::get)
    }

    fn key(&self, ends: &Ends) -> Key {
        let name = match self.site.kind {
            Kind::Client => names::HTTP_CLIENT.name,
            _ => names::HTTP_SERVER.name,
        };
        let mut labels: Vec<Label> = labels(self.site, |_| true);
        let of_end = [
            ("http_response_status_code", ends.end.status()),
            ("error_type", ends.end.error_type(self.site.kind)),
        ];
        let of_end = of_end
            .into_iter()
            .filter_map(|(name, value)| Some(Label::new(name, value?)));
        labels.extend(of_end);
        Key::from_parts(name, labels)
    }
}

fn labels(site: &RequestSite, wanted: impl Fn(&str) -> bool) -> Vec<Label> {
    let labels = site.labels.iter().filter(|(name, _)| wanted(name));
    labels
        .map(|(name, value)| Label::new(*name, value.clone()))
        .collect()
}

/// The labels of the gauge: the others are known only at the end of a request.
const OF_ACTIVE: [&str; 2] = ["http_request_method", "url_scheme"];

impl Metrics {
    pub(super) fn publish_requests(&self) {
        let all = self
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut active = BTreeMap::<Vec<Label>, u64>::new();
        for requests in &all {
            let ended = self.publish_ends(requests);
            if requests.site.kind == Kind::Server {
                // Read after the ends: what ended meanwhile counts as running, not as -1.
                let started = requests.started.totals().started;
                let labels = labels(requests.site, |name| OF_ACTIVE.contains(&name));
                *active.entry(labels).or_default() += started.saturating_sub(ended);
            }
        }
        for (labels, running) in active {
            let key = Key::from_parts(names::HTTP_ACTIVE.name, labels);
            self.with_recorder(|r| r.register_gauge(&key, &METADATA).set(as_f64(running)));
        }
    }

    /// Records what every end gained; returns how many requests have ended.
    fn publish_ends(&self, requests: &RequestMetrics) -> u64 {
        let mut ended = 0;
        for ends in requests.all() {
            let mut series = ends
                .published
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let [sums, ..] = ends.cells.totals().timed;
            ended += sums.iter().map(|sum| sum.count).sum::<u64>();
            self.publish_durations(&requests.bounds, &sums, &mut series, || requests.key(ends));
        }
        ended
    }
}
