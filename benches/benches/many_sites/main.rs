//! What 10,000 annotated functions cost a program: at start, at each first call, and once a second.
//!
//! `many_sites_1000` is the same with 1,000: how the costs grow is the difference. On a quiet machine
//! with 2 cores, before sites were indexed by their place and only those with a change published,
//! and since:
//!
//! | | 1,000 before | since | 10,000 before | since |
//! |---|---|---|---|---|
//! | install, ms | 6.0 | 4.2 | 360 | 43 |
//! | first call, ns | 1,148 | 1,484 | 31,400 | 1,194 |
//! | publishing, none called, ms a second | 1.0 | 0.2 | 7.6 | 0.1 |
//! | publishing, all called before, none since, ms a second | 2.5 | 0.4 | 26.0 | 4.0 |
//! | publishing, all called since, ms a second | 3.7 | 2.4 | 32.9 | 36.0 |
//! | first call under a test observer, ns | 5,782 | 4,830 | 38,541 | 5,550 |
//!
//! What is left where all were called before is the digest of the Prometheus exporter, which visits
//! every histogram.

#![allow(
    unsafe_code,
    reason = "so are sites put where the linker collects them"
)]

#[macro_use]
mod sites;
mod measure;

fn main() {
    let mut sites = Vec::new();
    let into = &mut sites;
    each_digit!(thousand, into);
    measure::all(&sites);
}
