// #[observe(operation = execute_tool, tool = %name)]
fn f(name: &str) {
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
            )
            .performs(&::llm_observe::__private::genai::EXECUTE_TOOL);
        &__SITE
    });
    let out = ::llm_observe::__private::call_once(move || -> () {
        ::llm_observe::__private::start(|call| {
            ::llm_observe::__private::genai::start(
                call,
                &::llm_observe::__private::genai::EXECUTE_TOOL,
            );
            ::llm_observe::__private::genai::tool(
                call,
                ::llm_observe::__private::display(&(name)),
            );
        });
        {
            g(name);
        }
    });
    __call.finish_ok();
    out
}
