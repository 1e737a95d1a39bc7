//! Every annotated function that is linked into the program, known before any was called.
//!
//! On Linux the attribute puts each function's [`Site`] into a section of its own, which the linker
//! joins to one array; nothing runs before `main`, and a function costs the compiler one
//! static. Elsewhere a function is known from its first call on, which [`all`] then has to do
//! without. What is particular to the platform is here and in that one attribute.

use super::site::Site;

/// The event of the site that stands in where there is none; no attribute can name it.
const PLACEHOLDER: &str = "";

/// Returns every annotated function that is linked into the program; none where the platform
/// cannot tell.
pub(crate) fn all() -> impl Iterator<Item = &'static Site> {
    section::sites()
        .iter()
        .filter(|site| site.event != PLACEHOLDER)
}

/// Returns the number of places: each result of [`place`] is below it.
pub(crate) fn places() -> usize {
    section::sites().len()
}

/// Returns the place of `site` among those that are linked into the program. `None` for one that
/// was made at run time, and where the platform cannot tell.
pub(crate) fn place(site: &'static Site) -> Option<usize> {
    let start = section::sites().as_ptr().addr();
    let offset = std::ptr::from_ref(site).addr().checked_sub(start)?;
    let place = offset / size_of::<Site>();
    (place < places()).then_some(place)
}

#[cfg(target_os = "linux")]
mod section {
    #![allow(
        unsafe_code,
        reason = "the bounds of a section are known to the linker alone"
    )]

    use super::{PLACEHOLDER, Site};

    /// Makes the section exist in a program without annotated functions, whose linker would not
    /// know its bounds otherwise.
    #[used]
    #[unsafe(link_section = "llm_observe_sites")]
    static FIRST: Site = Site::new(
        PLACEHOLDER,
        PLACEHOLDER,
        PLACEHOLDER,
        PLACEHOLDER,
        0,
        || PLACEHOLDER,
    );

    unsafe extern "C" {
        // The linker defines both for a section whose name is a C identifier (GNU ld, gold, lld
        // and mold alike).
        #[link_name = "__start_llm_observe_sites"]
        static START: usize;
        #[link_name = "__stop_llm_observe_sites"]
        static STOP: usize;
    }

    /// Returns the array that the linker made.
    pub(super) fn sites() -> &'static [Site] {
        let (start, stop) = (&raw const START, &raw const STOP);
        let length = (stop.addr() - start.addr()) / size_of::<Site>();
        let start = start.cast::<Site>();
        // SAFETY: the section holds nothing but `Site`s: `FIRST` and those of the attribute, each a
        // static of that type, initialised when the program is loaded and changed only through its
        // own cells. A type's size is a multiple of its alignment, so the linker leaves no gap.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

#[cfg(not(target_os = "linux"))]
mod section {
    use super::Site;

    pub(super) fn sites() -> &'static [Site] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::{Site, place};

    #[test]
    fn a_site_of_the_section_has_its_place_and_no_other_has_one() {
        for (at, site) in super::section::sites().iter().enumerate() {
            assert_eq!(place(site), Some(at));
        }
        static OUTSIDE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");
        assert_eq!(place(&OUTSIDE), None);
    }

    #[test]
    fn the_placeholder_is_not_among_them() {
        assert!(super::all().all(|site| site.event != super::PLACEHOLDER));
    }
}
