// #[observe()]
#[track_caller]
fn f(n: usize) -> Result<u8, E> {
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
    #[allow(clippy::diverging_sub_expression)]
    let out: Result<u8, E> = {
        assert!(n > 0);
        g(n)
    };
    #[allow(unreachable_code)]
    let out = {
        __call
            .finish(|call| {
                let out = &out;
                call.verdict(::llm_observe::__private::verdict!(out));
            });
        out
    };
    out
}
