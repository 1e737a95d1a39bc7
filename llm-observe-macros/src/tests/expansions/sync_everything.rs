// #[observe(event = "embedding", level = "debug", name = "x", target = "t", parent = &p,
           fields(user = %user.id, later, hits = |v| v.len()), args, items = text.len(), ret, err,
           alert_on_error, alert(on(slow, error), channel = "ops", after = 3, within = "1m", severity = "critical"),
           expected(E::A | E::B(_)), error_if = |v| v.is_err(), report = false, slow = "2s", stalled = "10s",
           sample = 0.5, quality = |v| v.score, min_quality = 0.5, crate = my::facade)]
fn f(text: &str, all: Vec<u8>) -> Result<Answer, E> {
    let __call = my::facade::__private::Call::enter_linked(
        {
            enum __Here {}
            #[used]
            #[cfg_attr(
                target_os = "linux",
                unsafe(link_section = my::facade::__private::section!())
            )]
            static __SITE: my::facade::__private::Site = my::facade::__private::Site::here(
                    "embedding",
                    "f",
                    my::facade::__private::core::module_path!(),
                    my::facade::__private::path_of::<__Here>,
                )
                .name("x")
                .target("t")
                .level(my::facade::__private::Level::DEBUG)
                .fields(&["text", "all", "user", "later", "hits", "return"])
                .alerts(
                    &[
                        my::facade::__private::AlertRule::new(
                            my::facade::__private::TriggerSet::FAILURE,
                        ),
                        my::facade::__private::AlertRule::new(
                                my::facade::__private::TriggerSet::SLOW
                                    .or(my::facade::__private::TriggerSet::ERROR),
                            )
                            .channel("ops")
                            .after(3u32)
                            .within(my::facade::__private::nanos(60000000000u64))
                            .severity(my::facade::__private::Severity::Critical),
                    ],
                )
                .slow(my::facade::__private::nanos(2000000000u64))
                .stalled(my::facade::__private::nanos(10000000000u64))
                .sample(0.5f64)
                .min_quality(0.5f64)
                .has_items()
                .has_quality()
                .report(false);
            &__SITE
        },
        my::facade::__private::Links::new().parent(&p),
    );
    let out = my::facade::__private::call_once(move || -> Result<Answer, E> {
        let _ = &all;
        my::facade::__private::start(|call| {
            call.record("text", my::facade::__private::value(&text));
            call.record("all", my::facade::__private::debug(&all));
            call.record("user", my::facade::__private::display(&(user.id)));
            call.items(my::facade::__private::items(text.len()));
        });
        g(text, all)
    });
    __call
        .finish(|call| {
            let out = &out;
            call.verdict(my::facade::__private::verdict!(out));
            call.read(|call| {
                match out {
                    my::facade::__private::Result::Err(E::A | E::B(_)) => call.expected(),
                    _ => {}
                }
                call.error_if(my::facade::__private::check(out, |v| v.is_err()));
                if let my::facade::__private::Option::Some(value) = my::facade::__private::ok_value!(
                    out
                ) {
                    call.record("return", my::facade::__private::debug(value));
                    call.quality(my::facade::__private::score(value, |v| v.score));
                    call.record(
                        "hits",
                        my::facade::__private::value(
                            &my::facade::__private::see(value, |v| v.len()),
                        ),
                    );
                }
            });
        });
    out
}
