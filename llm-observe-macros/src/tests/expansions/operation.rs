// #[observe(operation = chat, provider = "openai", model = &request.model, usage = |answer| answer.usage, input = &request.messages, output = |answer| &answer.text)]
fn f(
    request: Request,
) -> impl ::llm_observe::__private::core::future::Future<Output = Result<Answer, E>> {
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
                .performs(&::llm_observe::__private::genai::CHAT);
            &__SITE
        },
        async move {
            let _ = &request;
            ::llm_observe::__private::start(|call| {
                ::llm_observe::__private::genai::start(
                    call,
                    &::llm_observe::__private::genai::CHAT,
                );
                ::llm_observe::__private::genai::provider(
                    call,
                    ::llm_observe::__private::value(&("openai")),
                );
                ::llm_observe::__private::genai::model(
                    call,
                    ::llm_observe::__private::value(&(&request.model)),
                );
                ::llm_observe::__private::genai::input(
                    call,
                    || ::llm_observe::__private::content!(& request.messages),
                );
            });
            if false {
                return ::llm_observe::__private::any::<Result<Answer, E>>();
            }
            g(request).await
        },
        move |call, out| {
            call.verdict(::llm_observe::__private::verdict!(out));
            call.read(|call| {
                ::llm_observe::__private::genai::response(
                    call,
                    ::llm_observe::__private::response!(out),
                );
                if let ::llm_observe::__private::Option::Some(value) = ::llm_observe::__private::ok_value!(
                    out
                ) {
                    ::llm_observe::__private::genai::usage(
                        call,
                        ::llm_observe::__private::tokens(value, |answer| answer.usage),
                    );
                    ::llm_observe::__private::genai::output(
                        call,
                        || {
                            ::llm_observe::__private::content!(
                                ::llm_observe::__private::said(value, | answer | & answer
                                .text)
                            )
                        },
                    );
                }
            });
        },
    )
}
