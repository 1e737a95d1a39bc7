//! What 1,000 annotated functions cost a program, for `many_sites` to be compared with.

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
    thousand!(into, 0);
    measure::all(&sites);
}
