//! Events against a listener in Sentry's place.

use std::collections::HashSet;

use super::*;

#[test]
fn a_thousand_different_errors_all_arrive_also_over_429_and_a_server_that_is_down() {
    let listener = Listener::start(Answers::status(200, "{}")).script([
        Answers::status(500, ""),
        Answers::Close,
        Answers::Status(
            429,
            vec![("X-Sentry-Rate-Limits", "1:error:key".into())],
            String::new(),
        ),
    ]);
    let (outbox, tracker) = open(&listener);
    for n in 0..1000 {
        outbox.put(
            Parcel::new(
                "sentry",
                tracker.encode(&Redacted::for_test(report(&format!("error {n}")))),
            )
            .category("error"),
        );
    }
    assert_eq!(outbox.flush(LONG).delivered(), 1000);
    let arrived: HashSet<String> = listener.requests()[3..]
        .iter()
        .map(|request| {
            envelope(&request.body).1["exception"]["values"][2]["value"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(arrived.len(), 1000);
}

#[test]
fn rate_limits_apply_also_when_they_come_with_a_200() {
    let header = |limit: &str| vec![("X-Sentry-Rate-Limits", limit.to_owned())];
    let listener = Listener::start(Answers::status(200, "{}")).script([
        Answers::Status(200, header("60:transaction:key"), "{}".into()),
        Answers::Status(200, header("1:default;error:organization"), "{}".into()),
    ]);
    let (outbox, tracker) = open(&listener);
    for _ in 0..3 {
        put(&outbox, &*tracker, report("x"));
        outbox.flush(LONG);
    }
    let requests = listener.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests[1].at - requests[0].at < Duration::from_millis(900),
        "transactions are not ours"
    );
    assert!(requests[2].at - requests[1].at >= Duration::from_millis(950));
}

#[test]
fn an_invalid_dsn_is_an_error_that_does_not_show_it() {
    for bad in [
        "",
        "secretkey",
        "https://sentry.io/1",
        "https://secretkey@sentry.io/",
    ] {
        let error = with_dsn(bad, 1.0, origin()).err().unwrap().to_string();
        assert!(
            error.starts_with("trackers.sentry.dsn must be like") && !error.contains("secretkey"),
            "{error}"
        );
    }
}
