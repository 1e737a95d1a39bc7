// #[observe(operation = chat, stream, usage = |chunk| chunk.usage, output = |chunk| chunk.text())]
fn f() -> impl Stream<Item = Chunk> {
    let mut __call = ::llm_observe::__private::StreamCall::enter({
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
            .has_stream()
            .performs(&::llm_observe::__private::genai::CHAT);
        &__SITE
    });
    let out = __call
        .in_scope(move || -> _ {
            ::llm_observe::__private::start(|call| {
                ::llm_observe::__private::genai::start(
                    call,
                    &::llm_observe::__private::genai::CHAT,
                );
            });
            g()
        });
    __call.verdict(::llm_observe::__private::verdict!(& out));
    ::llm_observe::__private::stream!(
        observe, __call, out, move | scope, item | { scope
        .verdict(::llm_observe::__private::verdict!(item)); scope.read(| scope | {
        ::llm_observe::__private::genai::response(scope,
        ::llm_observe::__private::response!(item)); if let
        ::llm_observe::__private::Option::Some(value) =
        ::llm_observe::__private::ok_value!(item) {
        ::llm_observe::__private::genai::usage(scope,
        ::llm_observe::__private::tokens(value, | chunk | chunk.usage));
        ::llm_observe::__private::genai::output_chunk(scope, ||
        ::llm_observe::__private::content!(::llm_observe::__private::said(value, | chunk
        | chunk.text()))); } }); }
    )
}
