//! Bucket bounds of the metrics of requests to models, by the OpenTelemetry GenAI conventions
//! (semantic conventions 1.41.1).

/// Upper bounds of the histogram of tokens.
pub(super) const TOKEN_BUCKETS: &[f64] = &[
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Upper bounds of the histograms of durations, in seconds: the conventions', and beyond them what
/// long answers take.
pub(super) const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
    327.68, 655.36,
];
