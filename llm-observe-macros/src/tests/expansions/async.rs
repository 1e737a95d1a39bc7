// #[observe()]
pub fn f<T: A>(
    &self,
    x: &T,
) -> impl ::llm_observe::__private::core::future::Future<Output = Result<impl B, E>> {
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
            );
            &__SITE
        },
        async move {
            if false {
                return ::llm_observe::__private::any::<Result<_, E>>();
            }
            {
                g(x).await;
                h()
            }
        },
        move |call, out| {
            call.verdict(::llm_observe::__private::verdict!(out));
        },
    )
}
