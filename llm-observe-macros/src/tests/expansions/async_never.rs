// #[observe()]
async fn f() -> ! {
    match ::llm_observe::__private::Observed::new(
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
                );
                &__SITE
            },
            async move {
                if false {
                    return ::llm_observe::__private::any::<
                        ::llm_observe::__private::core::convert::Infallible,
                    >();
                }
                loop {}
            },
            ::llm_observe::__private::nothing,
        )
        .await
    {}
}
