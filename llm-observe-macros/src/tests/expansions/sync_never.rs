// #[observe()]
fn f() -> ! {
    let __call = ::llm_observe::__private::Call::enter({
        enum __Here {}
        static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
            "f",
            "f",
            ::llm_observe::__private::core::module_path!(),
            ::llm_observe::__private::path_of::<__Here>,
        );
        #[used]
        #[cfg_attr(target_os = "linux", unsafe(link_section = "llm_observe_sites"))]
        static __ENTRY: ::llm_observe::__private::Entry = ::llm_observe::__private::Entry(
            &__SITE,
        );
        &__SITE
    });
    loop {}
}
