//! Traces and baggage from other processes.

use axum::{Router, routing::get};
use llm_observe::{context, continue_trace, current, http, observe, testing};

use super::{work, work_now};

#[test]
fn the_other_side_gets_the_flags_and_the_state_of_the_trace() {
    #[observe]
    fn forward() -> (Option<String>, Option<String>) {
        (current().traceparent(), current().tracestate())
    }
    let observer = testing::observe();
    let received = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let context = continue_trace(received).tracestate("vendor=1");
    let (traceparent, tracestate) = context.in_scope(forward);
    let call = &observer.calls()[0];
    assert_eq!(
        traceparent.unwrap(),
        format!("00-{}-{}-00", call.trace_id, call.span_id)
    );
    assert_eq!(tracestate.unwrap(), "vendor=1");
    // Outside of all calls the trace is passed on as it is.
    assert_eq!(
        context.in_scope(|| current().traceparent()).unwrap(),
        received
    );
    assert_eq!(
        context
            .tracestate("v".repeat(513))
            .in_scope(|| current().tracestate()),
        None
    );
    assert_eq!(current().traceparent(), None);
}

#[test]
fn an_invalid_traceparent_starts_a_new_trace() {
    #[observe]
    fn outer(traceparent: &[u8]) {
        continue_trace(traceparent)
            .tracestate("vendor=1")
            .in_scope(|| {
                assert_eq!(current().tracestate(), None);
                work_now("below");
            });
    }
    let observer = testing::observe();
    for traceparent in [
        "",
        "00",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
        "00-ä",
    ] {
        outer(traceparent.as_bytes());
    }
    outer(&[0xff; 100]);
    let calls = observer.calls();
    assert_eq!(calls.len(), 18);
    for pair in calls.chunks(2) {
        assert!(pair[0].parent_id.is_none(), "{:?}", pair[0]);
        assert_ne!(pair[0].trace_id, pair[1].trace_id);
    }
}

#[tokio::test]
async fn baggage_never_breaks_a_request_and_only_named_keys_are_read() {
    let config = "[http]\nbaggage = [\"tenant\", \"user.id\"]\n";
    let observer = testing::observe_with(config).unwrap();
    let long = format!("tenant={}", "v".repeat(9_000));
    let late = "a=1,".repeat(64) + "tenant=late";
    let tests: [(&[&[u8]], _, _); 8] = [
        (&[b"tenant=acme,session=7"], Some("acme"), None),
        (&[b"tenant=a%20b", b"user.id=u-1"], Some("a b"), Some("u-1")),
        (
            &[b"tenant = acme;ttl=1 ,=,;,==,user.id"],
            Some("acme"),
            None,
        ),
        (
            &[b"tenant=%0a2026-11-23%20forged"],
            Some("\n2026-11-23 forged"),
            None,
        ),
        (&[b"\xff\xfe=\xff,tenant=\xff"], None, None),
        (&[b"Tenant=acme"], None, None),
        (&[long.as_bytes(), b"user.id=u-1"], None, None),
        (&[late.as_bytes()], None, None),
    ];
    for (headers, tenant, user) in tests {
        let app = Router::new()
            .route("/", get(async || work("http").await))
            .layer(http::layer());
        let mut request = ::http::Request::get("/");
        for header in headers {
            request = request.header("baggage", *header);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(app, request).await.unwrap();
        assert_eq!(response.status(), 200);
        let call = observer.calls_of("work").pop().unwrap();
        let text = |name| call.fields.get(name).map(ToString::to_string);
        assert_eq!(text("tenant").as_deref(), tenant, "{headers:?}");
        assert_eq!(text("user.id").as_deref(), user, "{headers:?}");
        assert_eq!(text("session"), None);
    }
}

#[test]
fn without_an_observer_of_its_keys_no_baggage_is_carried() {
    let _observer = testing::observe();
    let received = continue_trace("").baggage("tenant=acme");
    assert_eq!(received.get("tenant"), None);
    assert_eq!(
        context().tenant("acme").in_scope(|| current().baggage()),
        None
    );
}
