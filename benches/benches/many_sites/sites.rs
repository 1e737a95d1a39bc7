//! Sites as the attribute writes them down, one static each in the section of the linker, without
//! the functions around them: those would be most of the build.

pub(crate) use llm_observe::__private::Site;

/// Calls `$next!` with the digits so far and each of the ten that may follow.
macro_rules! each_digit {
    ($next:ident, $into:ident $(, $digit:literal)*) => {
        $next!($into $(, $digit)*, 0);
        $next!($into $(, $digit)*, 1);
        $next!($into $(, $digit)*, 2);
        $next!($into $(, $digit)*, 3);
        $next!($into $(, $digit)*, 4);
        $next!($into $(, $digit)*, 5);
        $next!($into $(, $digit)*, 6);
        $next!($into $(, $digit)*, 7);
        $next!($into $(, $digit)*, 8);
        $next!($into $(, $digit)*, 9);
    };
}

macro_rules! thousand {
    ($into:ident, $($digit:literal),+) => {{
        each_digit!(hundred, $into, $($digit),+);
    }};
}

macro_rules! hundred {
    ($into:ident, $($digit:literal),+) => {{
        // A function for each hundred: one for all would take the compiler long.
        fn hundred($into: &mut Vec<&'static $crate::sites::Site>) {
            each_digit!(ten, $into, $($digit),+);
        }
        hundred($into);
    }};
}

macro_rules! ten {
    ($into:ident, $($digit:literal),+) => {
        each_digit!(site, $into, $($digit),+);
    };
}

macro_rules! site {
    ($into:ident, $($digit:literal),+) => {
        $into.push({
            #[used]
            #[cfg_attr(target_os = "linux", unsafe(link_section = "llm_observe_sites"))]
            static SITE: $crate::sites::Site = $crate::sites::Site::here(
                "bench",
                concat!("f_", $($digit),+),
                module_path!(),
                || concat!(module_path!(), "::f_", $($digit),+),
            );
            &SITE
        });
    };
}
