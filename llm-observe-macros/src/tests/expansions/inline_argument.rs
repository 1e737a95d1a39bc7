// #[observe(ret)]
fn f(n: usize) -> impl Fn(&str) -> usize {
    let mut __call = ::llm_observe::__private::InlineCall::enter({
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
            )
            .fields(&["return"]);
        &__SITE
    });
    __call
        .end(
            { move |s| s.len() + n },
            move |call, out| {
                call.read(|call| {
                    call.record("return", ::llm_observe::__private::debug(out));
                });
            },
        )
}
