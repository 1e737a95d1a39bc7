//! `[server]`, `[metrics]` and `[traces]`: what others read or receive.

use crate::endpoint::Endpoint;

/// The server of `/metrics`, the live page and `/healthz`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// The socket address to listen on; `None` (written `"off"`): no server. Default:
    /// `127.0.0.1:9464`.
    pub listen: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        let listen = Some("127.0.0.1:9464".to_owned());
        Self { listen }
    }
}

/// The bounds and buckets of metrics.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// The most values of a label that come from outside; beyond it they become `_other`.
    /// Default: 100.
    pub max_label_values: u32,
    /// Upper bounds, in seconds, added to those of the duration histograms.
    pub extra_buckets: Vec<f64>,
    /// Upper bounds, in seconds, instead of those of the duration histograms.
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
    /// The OTLP endpoint; `OTEL_EXPORTER_OTLP_ENDPOINT` wins over it. Default: none.
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
