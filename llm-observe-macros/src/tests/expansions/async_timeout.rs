// #[observe(timeout = "1m30s")]
fn f(
    n: u8,
) -> impl ::llm_observe::__private::core::future::Future<Output = Result<u8, E>> {
    ::llm_observe::__private::Observed::new(
        {
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
                .timeout(::llm_observe::__private::nanos(90000000000u64));
            &__SITE
        },
        ::llm_observe::__private::Limited::new(
            ::llm_observe::__private::nanos(90000000000u64),
            async move {
                if false {
                    return ::llm_observe::__private::any::<Result<u8, E>>();
                }
                g(n).await
            },
            |__elapsed| ::llm_observe::__private::From::from(__elapsed),
        ),
        move |call, out| {
            call.verdict(::llm_observe::__private::verdict!(out));
        },
    )
}
