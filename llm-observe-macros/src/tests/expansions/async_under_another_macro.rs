// #[observe()]
#[tokio::main]
async fn main() {
    ::llm_observe::__private::Observed::new(
            {
                enum __Here {}
                #[used]
                #[cfg_attr(
                    target_os = "linux",
                    unsafe(link_section = ::llm_observe::__private::section!())
                )]
                static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
                    "main",
                    "main",
                    ::llm_observe::__private::core::module_path!(),
                    ::llm_observe::__private::path_of::<__Here>,
                );
                &__SITE
            },
            async move {
                if false {
                    return ::llm_observe::__private::any::<()>();
                }
                {
                    g().await;
                }
            },
            ::llm_observe::__private::nothing,
        )
        .await
}
