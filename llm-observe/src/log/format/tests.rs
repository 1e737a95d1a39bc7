use tracing::Level;

use super::*;
use crate::kernel::{ids::TraceId, operation::AttributeValue, value::Value};

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
