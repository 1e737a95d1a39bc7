// #[observe(args)]
fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(
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
                    .fields(&["n"]);
                &__SITE
            },
            async move {
                ::llm_observe::__private::start(|call| {
                    call.record("n", ::llm_observe::__private::value(&n));
                });
                if false {
                    return ::llm_observe::__private::any::<u8>();
                }
                {
                    let n = n;
                    g(n).await
                }
            },
            ::llm_observe::__private::nothing,
        ),
    )
}
