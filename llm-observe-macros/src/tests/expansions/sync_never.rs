// #[observe()]
fn f() -> ! {
    let __call = ::llm_observe::__private::Call::enter({
        enum __Here {}
        static __SITE: ::llm_observe::__private::Site = ::llm_observe::__private::Site::here(
            "f",
            "f",
            ::llm_observe::__private::core::module_path!(),
            ::llm_observe::__private::path_of::<__Here>,
        );
        ::llm_observe::__private::submit!(& __SITE);
        &__SITE
    });
    loop {}
}
