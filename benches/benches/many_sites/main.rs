//! What 10,000 annotated functions cost a program: at start, at each first call, and once a second.
//!
//! `many_sites_1000` is the same with 1,000: how the costs grow is the difference.

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
