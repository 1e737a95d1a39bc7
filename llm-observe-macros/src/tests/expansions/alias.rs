// #[observe()]
fn f(n: u8) -> Answer {
    let __call = ::llm_observe::__private::Call::enter({
        enum __Here {}
        #[used]
        #[cfg_attr(
            target_os = "linux",
            unsafe(link_section = ::llm_observe::__private::section!())
        )]
        static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
            "f",
            "f",
            ::llm_observe::__private::core::module_path!(),
            ::llm_observe::__private::path_of::<__Here>,
        );
        &__SITE
    });
    let out = ::llm_observe::__private::call_once(move || -> Answer { g(n) });
    ::llm_observe::__private::end!(
        __call, out, move | call, out | { call
        .verdict(::llm_observe::__private::verdict!(out)); }
    )
}
