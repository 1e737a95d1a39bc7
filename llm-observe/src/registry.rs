//! Every annotated function that is linked into the program, known before any was called.
//!
//! On Linux the attribute puts an [`Entry`] for each function into a section of its own, which the
//! linker joins to one array; nothing runs before `main`, and a function costs the compiler one
//! static. Elsewhere a function is known from its first call on, which [`all`] then has to do
//! without. What is particular to the platform is here and in that one attribute.

use crate::site::Site;

/// A place in the array: what the attribute puts there.
#[derive(Debug)]
#[repr(transparent)]
pub struct Entry(pub &'static Site);

/// Returns every annotated function that is linked into the program; none where the platform
/// cannot tell.
pub(crate) fn all() -> impl Iterator<Item = &'static Site> {
    section::entries()
        .iter()
        .map(|entry| entry.0)
        .filter(|site| !std::ptr::eq(*site, &section::NOBODY))
}

#[cfg(target_os = "linux")]
mod section {
    #![allow(
        unsafe_code,
        reason = "the bounds of a section are known to the linker alone"
    )]

    use super::{Entry, Site};

    /// The function of [`FIRST`], which is none.
    pub(super) static NOBODY: Site = Site::new("none", "none", "", "", 0, || "none");

    /// Makes the section exist in a program without annotated functions, whose linker would not
    /// know its bounds otherwise.
    #[used]
    #[unsafe(link_section = "llm_observe_sites")]
    static FIRST: Entry = Entry(&NOBODY);

    unsafe extern "C" {
        // The linker defines both for a section whose name is a C identifier (GNU ld, gold, lld
        // and mold alike).
        #[link_name = "__start_llm_observe_sites"]
        static START: usize;
        #[link_name = "__stop_llm_observe_sites"]
        static STOP: usize;
    }

    /// Returns the array that the linker made.
    pub(super) fn entries() -> &'static [Entry] {
        let (start, stop) = (&raw const START, &raw const STOP);
        let length = (stop.addr() - start.addr()) / size_of::<Entry>();
        let start = start.cast::<Entry>();
        // SAFETY: the section holds nothing but `Entry`s: `FIRST` and those of the attribute, each
        // a static of that type, initialised when the program is loaded and never changed. They
        // are of one size, which is also their alignment, so the linker leaves no gap between.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

#[cfg(not(target_os = "linux"))]
mod section {
    use super::{Entry, Site};

    pub(super) static NOBODY: Site = Site::new("none", "none", "", "", 0, || "none");

    pub(super) fn entries() -> &'static [Entry] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_is_not_among_them() {
        assert!(super::all().all(|site| site.event != "none"));
    }
}
