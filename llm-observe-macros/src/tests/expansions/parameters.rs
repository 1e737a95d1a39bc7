// #[observe()]
pub fn f(
    self,
    a: String,
    __arg2: (String, String),
    c: &str,
    __arg4: String,
    unused: String,
) -> u8 {
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
        );
        &__SITE
    });
    let out = ::llm_observe::__private::call_once(move || -> u8 {
        let _ = &__arg2;
        let _ = &a;
        let _ = &self;
        let (b, _) = __arg2;
        let mut c = c;
        let __arg4 = __arg4;
        let unused = unused;
        {
            a;
            b;
            c;
            1
        }
    });
    __call.finish_ok();
    out
}
