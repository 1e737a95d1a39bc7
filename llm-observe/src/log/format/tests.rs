use tracing::Level;

use super::*;
use crate::kernel::{
    ids::TraceId,
    operation::AttributeValue,
    request_context::{RequestContext, RequestId},
    value::Value,
};

fn duration(nanos: u128) -> String {
    let mut out = Vec::new();
    put::put_duration(&mut out, nanos);
    String::from_utf8(out).unwrap()
}

#[test]
fn durations_have_three_digits_and_a_unit() {
    for (nanos, text) in [
        (0, "0ns"),
        (850, "850ns"),
        (1_000, "1.00us"),
        (12_345, "12.3us"),
        (1_050_000, "1.05ms"),
        (999_999_999, "999ms"),
        (75_250_000_000, "75.2s"),
        (754_000_000_000, "754s"),
    ] {
        assert_eq!(duration(nanos), text);
    }
}

#[test]
fn milliseconds_have_the_digits_they_need() {
    for (nanos, text) in [
        (0, "0"),
        (1, "0.000001"),
        (12_345_000, "12.345"),
        (7_000_000, "7"),
        (100_000, "0.1"),
        (3_600_000_000_010, "3600000.00001"),
    ] {
        let mut out = Vec::new();
        put::put_millis(&mut out, std::time::Duration::from_nanos(nanos));
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

#[test]
fn a_forged_value_stays_one_value() {
    let mut log = Log::default();
    log.max_value_bytes = 100;
    let evil = "x\n2026-11-23 07:17:09.123 - INFO - forged a=\"1\"";
    let fields = [("user", Value::Str(evil.to_owned()))];
    let line = LogEvent {
        time: 1_795_418_229_123_456,
        level: Level::INFO,
        target: "t",
        message: evil,
        fields: &fields,
        trace_id: TraceId::default(),
        span_id: crate::SpanId::default(),
        trace_flags: 1,
        request: None,
    };
    for (format, names) in [
        (Format::Text, JsonNames::Default),
        (Format::Json, JsonNames::Default),
        (Format::Json, JsonNames::Otel),
        (Format::Json, JsonNames::Ecs),
    ] {
        log.json_names = names;
        let service = Service {
            name: evil.to_owned(),
            ..Service::default()
        };
        let mut out = Vec::new();
        event(&mut out, format, &Style::new(&log, &service), &line);
        assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 1);
        assert!(out.ends_with(b"\n"));
    }
}

/// Returns the JSON line of an event in a request, without its end.
fn line_in_request(names: JsonNames, flags: u8) -> String {
    let mut log = Log::default();
    log.json_names = names;
    let id = RequestId::accept(b"r-1").unwrap();
    let request = RequestContext::new(id, "GET");
    let fields = [
        ("db.rows", Value::U64(7)),
        ("ratio", Value::F64(f64::NAN)),
        ("name", Value::Str("a".to_owned())),
        ("user.id", Value::Str("u-1".to_owned())),
    ];
    let line = LogEvent {
        time: 1_795_418_229_123_456,
        level: Level::WARN,
        target: "t",
        message: "m",
        fields: &fields,
        trace_id: TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        span_id: crate::SpanId::from_hex("b7ad6b7169203331").unwrap(),
        trace_flags: flags,
        request: Some(&request),
    };
    let mut out = Vec::new();
    let style = Style::new(&log, &Service::default());
    event(&mut out, Format::Json, &style, &line);
    let out = String::from_utf8(out).unwrap();
    out.strip_suffix(&style.end).unwrap().to_owned()
}

#[test]
fn a_line_in_a_request_has_its_id_and_flags_by_each_set_of_names() {
    assert_eq!(
        line_in_request(JsonNames::Default, 0),
        "{\"time\":\"2026-11-23T07:17:09.123456Z\",\"level\":\"WARN\",\"message\":\"m\",\"target\":\"t\",\
         \"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"span_id\":\"b7ad6b7169203331\",\
         \"trace_flags\":\"00\",\"request_id\":\"r-1\",\
         \"fields\":{\"db.rows\":7,\"ratio\":null,\"name\":\"a\",\"user.id\":\"u-1\"}"
    );
    assert_eq!(
        line_in_request(JsonNames::Otel, 1),
        "{\"Timestamp\":\"1795418229123456000\",\"SeverityText\":\"WARN\",\"SeverityNumber\":13,\
         \"Body\":\"m\",\"TraceId\":\"0af7651916cd43dd8448eb211c80319c\",\
         \"SpanId\":\"b7ad6b7169203331\",\"TraceFlags\":\"01\",\
         \"InstrumentationScope\":{\"Name\":\"t\"},\"Attributes\":{\"db.rows\":7,\"ratio\":null,\
         \"name\":\"a\",\"user.id\":\"u-1\",\"llm_observe.request_id\":\"r-1\"}"
    );
    assert_eq!(
        line_in_request(JsonNames::Ecs, 0xa3),
        "{\"@timestamp\":\"2026-11-23T07:17:09.123456Z\",\"log.level\":\"WARN\",\"message\":\"m\",\
         \"log.logger\":\"t\",\"trace.id\":\"0af7651916cd43dd8448eb211c80319c\",\
         \"span.id\":\"b7ad6b7169203331\",\"llm_observe.trace_flags\":\"a3\",\
         \"http.request.id\":\"r-1\",\"user.id\":\"u-1\",\"labels\":{\"name\":\"a\"},\
         \"numeric_labels\":{\"db_rows\":7,\"ratio\":null}"
    );
}

#[test]
fn the_end_of_a_line_leaves_out_what_is_not_known() {
    let mut log = Log::default();
    let mut service = Service {
        name: "rag".to_owned(),
        host: "unknown".to_owned(),
        ..Service::default()
    };
    for (names, end) in [
        (JsonNames::Default, ",\"service\":\"rag\"}\n"),
        (
            JsonNames::Otel,
            ",\"Resource\":{\"service.name\":\"rag\"}}\n",
        ),
        (
            JsonNames::Ecs,
            ",\"ecs.version\":\"8.11.0\",\"service.name\":\"rag\",\"event.dataset\":\"rag.log\"}\n",
        ),
    ] {
        log.json_names = names;
        assert_eq!(Style::new(&log, &service).end, end);
    }
    service.name = "x".repeat(400);
    let mut out = Vec::new();
    let style = Style::new(&log, &service);
    notice(&mut out, Format::Json, &style, u64::MAX, "overflow");
    assert!(out.len() <= 512, "a notice is short");
    assert!(out.ends_with(b"\"}\n"));
}

#[test]
fn the_time_to_the_first_byte_is_told_to_the_microsecond() {
    let mut out = Vec::new();
    let time = std::time::Duration::from_nanos(3_313_498_959);
    operation::number(&mut out, AttributeValue::Millis(time));
    assert_eq!(out, b"3313.498");
}

proptest::proptest! {
    #[test]
    fn an_id_is_written_as_sixteen_digits(n: u64) {
        let mut out = Vec::new();
        put::put_hex64(&mut out, n);
        proptest::prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{n:016x}"));
    }
}
