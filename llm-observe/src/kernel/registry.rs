//! Every annotated function that is linked into the program, known before any was called.
//!
//! On Linux the attribute puts each function's [`Site`] into a section of its own, which the linker
//! joins to one array; nothing runs before `main`, and a function costs the compiler one
//! static. Elsewhere a function is known from its first call on, which [`all`] then has to do
//! without. What is particular to the platform is here and in that one attribute.
//!
//! A program may have several versions of this crate, whose sites differ in layout. Each version has a
//! section of its own, and of two copies of one version each takes its own sites.

use super::site::Site;

/// The event of the site that stands in where there is none; no attribute can name it.
const PLACEHOLDER: &str = "";

/// The name of the section: this crate's version, and the number of the layout of [`Site`] in it. Generated
/// code takes the name from here, so that both always agree. A name that is a C identifier has its bounds
/// named by the linker.
#[macro_export]
#[doc(hidden)]
macro_rules! __section {
    () => {
        "llm_observe_sites_0_1_0_3"
    };
}

/// Returns every annotated function that is linked into the program; none where the platform
/// cannot tell.
pub(crate) fn all() -> impl Iterator<Item = &'static Site> {
    section::sites()
        .iter()
        .filter(|site| site.is_own() && site.event != PLACEHOLDER)
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
    #[unsafe(link_section = crate::__section!())]
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
        #[link_name = concat!("__start_", crate::__section!())]
        static START: usize;
        #[link_name = concat!("__stop_", crate::__section!())]
        static STOP: usize;
    }

    /// Returns the array that the linker made.
    pub(super) fn sites() -> &'static [Site] {
        let (start, stop) = (&raw const START, &raw const STOP);
        let length = (stop.addr() - start.addr()) / size_of::<Site>();
        let start = start.cast::<Site>();
        // SAFETY: the section holds nothing but `Site`s of this layout, which its name has the number of:
        // `FIRST` and those of the attribute, each a
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

    /// The size of the layout of that number on a platform of 64 bits.
    const SIZE: usize = 360;

    #[test]
    fn a_site_of_the_section_has_its_place_and_no_other_has_one() {
        for (at, site) in super::section::sites().iter().enumerate() {
            assert_eq!(place(site), Some(at));
        }
        static OUTSIDE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");
        assert_eq!(place(&OUTSIDE), None);
    }

    /// What changes here changes the name of the section: of two layouts under one name, one would be read
    /// as the other.
    #[test]
    fn the_section_is_named_by_the_version_and_the_layout() {
        let version = env!("CARGO_PKG_VERSION").replace(['.', '-', '+'], "_");
        let section = crate::__section!();
        let layout = section.strip_prefix(&format!("llm_observe_sites_{version}_"));
        assert_eq!((layout, size_of::<Site>()), (Some("3"), SIZE));
    }

    #[test]
    fn the_placeholder_is_not_among_them() {
        assert!(super::all().all(|site| site.event != super::PLACEHOLDER));
    }
}
