//! `[server]`, `[metrics]` and `[traces]`: what other systems read or receive.

use crate::endpoint::Endpoint;
use crate::names;
use crate::secret::Secret;
use crate::section::Section;
use crate::value;
use crate::value_error::ValueError;

/// The server of `/metrics`, the live page, `/healthz` and `/readyz`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// The socket address to listen on; `None` (written `"off"`): no server. Default:
    /// `127.0.0.1:9464`.
    pub listen: Option<String>,
    /// The token that every request but a probe needs, as `Authorization: Bearer`. Needed for an
    /// address that other machines can reach. Default: none.
    pub token: Option<Secret>,
}

impl Default for Server {
    fn default() -> Self {
        let listen = Some("127.0.0.1:9464".to_owned());
        Self {
            listen,
            token: None,
        }
    }
}

/// The bounds and buckets of metrics.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// The most values of a label from outside; further values become `_other`.
    /// Default: 100.
    pub max_label_values: u32,
    /// Upper bounds, in seconds, added to those of the duration histograms.
    pub extra_buckets: Vec<f64>,
    /// Upper bounds, in seconds, that replace those of the duration histograms.
    pub duration_buckets: Option<Vec<f64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            max_label_values: 100,
            extra_buckets: Vec::new(),
            duration_buckets: None,
        }
    }
}

/// The export of traces.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// The OTLP endpoint: checked, and not used yet. Default: none.
    pub otlp: Option<Endpoint>,
    /// The share of traces that are exported, 0 to 1. Default: 1.
    pub sample: f64,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            otlp: None,
            sample: 1.0,
        }
    }
}

impl Server {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut server = Self::default();
        section.set("listen", &mut server.listen, names::listen);
        section.optional("token", &mut server.token, value::secret);
        server.check(section);
        server
    }

    fn check(&self, section: &Section<'_, '_>) {
        let public = self.listen.as_deref().is_some_and(names::is_public);
        if public && !section.has("token") {
            let help = "add `token = \"env:LLM_OBSERVE_TOKEN\"`, or listen on 127.0.0.1";
            let message = "can be reached from other machines, so a token is needed";
            section.add_at("listen", ValueError::new(message, help));
        }
    }
}

impl Metrics {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut metrics = Self::default();
        let bounds = value::whole(1, 10_000);
        section.set("max_label_values", &mut metrics.max_label_values, bounds);
        section.list("extra_buckets", &mut metrics.extra_buckets, value::bucket);
        let mut buckets = Vec::new();
        section.list("duration_buckets", &mut buckets, value::bucket);
        metrics.duration_buckets = section.has("duration_buckets").then_some(buckets);
        metrics.check(section);
        metrics
    }

    fn check(&self, section: &Section<'_, '_>) {
        check_rising(section, "extra_buckets", &self.extra_buckets);
        let Some(buckets) = &self.duration_buckets else {
            return;
        };
        check_rising(section, "duration_buckets", buckets);
        if buckets.is_empty() && section.is_clean() {
            let help = "write bounds in seconds, such as [0.1, 1, 10], or leave the key out";
            section.add_at("duration_buckets", ValueError::new("is empty", help));
        }
    }
}

fn check_rising(section: &Section<'_, '_>, key: &str, bounds: &[f64]) {
    if !bounds.is_sorted_by(|a, b| a < b) {
        let help = "write each bound once, the smallest first";
        section.add_at(key, ValueError::new("must be in rising order", help));
    }
}

impl Traces {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut traces = Self::default();
        section.optional("otlp", &mut traces.otlp, value::endpoint);
        section.set("sample", &mut traces.sample, value::share);
        traces
    }
}
