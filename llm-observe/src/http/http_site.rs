//! The site of a route or a host: what its exchanges have in common.

use super::{
    exchange::{ATTRIBUTES, are_plain},
    metrics_table,
};
use crate::kernel::{
    operation::{Instruments, OperationSite, SpanKind},
    site::Site,
};

/// The module that requests are said to be in, which `[log]` and loggers select them by.
const MODULE: &str = "llm_observe::http";

/// `http.server.request.duration` and `http.server.active_requests`, in Prometheus form.
static SERVER: Instruments = Instruments {
    duration: metrics_table::HTTP_SERVER.name,
    active: Some((
        metrics_table::HTTP_ACTIVE.name,
        metrics_table::HTTP_ACTIVE.labels,
    )),
};

/// `http.client.request.duration`, in Prometheus form.
static CLIENT: Instruments = Instruments {
    duration: metrics_table::HTTP_CLIENT.name,
    active: None,
};

/// Whether requests come in or are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
}

/// The site of a method and a route, or of a method and a host. As bounded in number as those are.
#[derive(Debug)]
pub(crate) struct HttpSite {
    pub(crate) site: Site,
    pub(crate) direction: Direction,
    /// The method; `_OTHER` for one that is not known.
    pub(crate) method: &'static str,
    /// The template of the route, where there is one.
    pub(crate) route: Option<&'static str>,
    /// Whether method, route and name need no escape in a line.
    pub(crate) plain: bool,
}

impl HttpSite {
    /// Returns the site of a route, or of none; its name is such as `GET /ask`.
    pub(crate) fn incoming(
        event: &'static str,
        name: &'static str,
        method: &'static str,
        route: Option<&'static str>,
        labels: Vec<(&'static str, String)>,
    ) -> HttpSite {
        let operation = with_labels(OperationSite::new(SpanKind::Server, &SERVER), labels);
        HttpSite {
            plain: are_plain(route, name),
            site: Site::for_operation(event, name, MODULE, operation).fields(ATTRIBUTES),
            direction: Direction::Incoming,
            method,
            route,
        }
    }

    /// Returns the site of a host; its name is such as `POST api.openai.com`.
    pub(crate) fn outgoing(
        event: &'static str,
        name: &'static str,
        method: &'static str,
        labels: Vec<(&'static str, String)>,
    ) -> HttpSite {
        let operation = with_labels(OperationSite::new(SpanKind::Client, &CLIENT), labels);
        HttpSite {
            plain: are_plain(None, name),
            site: Site::for_operation(event, name, MODULE, operation).fields(ATTRIBUTES),
            direction: Direction::Outgoing,
            method,
            route: None,
        }
    }

    /// Returns the labels that all its metrics have.
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
