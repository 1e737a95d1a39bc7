//! The site of a route or a host: what all its requests have in common.

use super::{attributes::SPAN_ATTRIBUTES, metrics_table};
use crate::kernel::{
    operation::{Instruments, OperationSite, SpanKind, is_plain},
    site::Site,
};

/// The module path of requests, by which `[log]` and loggers select their lines.
const MODULE: &str = "llm_observe::http";

/// `http.server.request.duration` and `http.server.active_requests`, in Prometheus form.
static SERVER: Instruments = Instruments {
    duration: metrics_table::HTTP_SERVER,
    active: Some(metrics_table::HTTP_ACTIVE),
};

/// `http.client.request.duration`, in Prometheus form.
static CLIENT: Instruments = Instruments {
    duration: metrics_table::HTTP_CLIENT,
    active: None,
};

/// Whether requests are received or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
}

/// The site of a method and a route, or of a method and a host. Their number is bounded by
/// [`SiteTable`](super::sites::SiteTable).
#[derive(Debug)]
pub(crate) struct HttpSite {
    pub(crate) site: Site,
    pub(crate) direction: Direction,
    /// The method; `_OTHER` for an unknown one.
    pub(crate) method: &'static str,
    /// The template of the route, where one is known.
    pub(crate) route: Option<&'static str>,
    /// Whether method, route and name need no escape in a line.
    pub(crate) plain: bool,
}

impl HttpSite {
    /// Returns the site of a route, or of requests without one. `name` is such as `GET /ask`.
    pub(crate) fn incoming(
        event: &'static str,
        name: &'static str,
        method: &'static str,
        route: Option<&'static str>,
        labels: Vec<(&'static str, String)>,
    ) -> HttpSite {
        let operation = with_labels(OperationSite::new(SpanKind::Server, &SERVER), labels);
        HttpSite {
            plain: is_plain(route.unwrap_or_default()) && is_plain(name),
            site: Site::for_operation(event, name, MODULE, operation).fields(SPAN_ATTRIBUTES),
            direction: Direction::Incoming,
            method,
            route,
        }
    }

    /// Returns the site of a host. `name` is such as `POST api.openai.com`.
    pub(crate) fn outgoing(
        event: &'static str,
        name: &'static str,
        method: &'static str,
        labels: Vec<(&'static str, String)>,
    ) -> HttpSite {
        let operation = with_labels(OperationSite::new(SpanKind::Client, &CLIENT), labels);
        HttpSite {
            plain: is_plain(name),
            site: Site::for_operation(event, name, MODULE, operation).fields(SPAN_ATTRIBUTES),
            direction: Direction::Outgoing,
            method,
            route: None,
        }
    }

    /// Returns the labels that all metrics of the site have.
    pub(crate) fn labels(&self) -> &[(&'static str, String)] {
        self.site
            .operation()
            .map(OperationSite::labels)
            .unwrap_or_default()
    }
}

fn with_labels(site: OperationSite, labels: Vec<(&'static str, String)>) -> OperationSite {
    labels
        .into_iter()
        .fold(site, |site, (name, value)| site.with_label(name, value))
}
