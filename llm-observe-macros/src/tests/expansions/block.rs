// #[observe(event = "store", slow = "1s")]
impl Store {
    const N: u8 = { 1 };
    fn a(&self) {
        let __call = ::llm_observe::__private::Call::enter({
            enum __Here {}
            #[used]
            #[cfg_attr(
                target_os = "linux",
                unsafe(link_section = ::llm_observe::__private::section!())
            )]
            static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
                    "store",
                    "a",
                    ::llm_observe::__private::core::module_path!(),
                    ::llm_observe::__private::path_of::<__Here>,
                )
                .slow(::llm_observe::__private::nanos(1000000000u64));
            &__SITE
        });
        #[allow(clippy::diverging_sub_expression)]
        let out: () = {};
        #[allow(unreachable_code)]
        let out = {
            __call.finish_ok();
            out
        };
        out
    }
    fn b(&self) {
        let __call = ::llm_observe::__private::Call::enter({
            enum __Here {}
            #[used]
            #[cfg_attr(
                target_os = "linux",
                unsafe(link_section = ::llm_observe::__private::section!())
            )]
            static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
                    "store",
                    "b",
                    ::llm_observe::__private::core::module_path!(),
                    ::llm_observe::__private::path_of::<__Here>,
                )
                .slow(::llm_observe::__private::nanos(2000000000u64));
            &__SITE
        });
        #[allow(clippy::diverging_sub_expression)]
        let out: () = {};
        #[allow(unreachable_code)]
        let out = {
            __call.finish_ok();
            out
        };
        out
    }
    fn c(&self) {}
}
