// #[observe(args)]
fn f(n: u8) -> impl Future<Output = u8> + Send {
    ::llm_observe::__private::future::<
        u8,
        _,
        _,
    >(
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
        ::llm_observe::__private::Option::None,
        move || -> _ {
            ::llm_observe::__private::start(|call| {
                call.record("n", ::llm_observe::__private::value(&n));
            });
            {
                let m = n;
                async move { m }
            }
        },
        ::llm_observe::__private::nothing,
    )
}
