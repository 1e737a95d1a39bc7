//! What people write, what they mistype, and what goes there and back.

use super::*;
use proptest::prelude::*;

#[test]
fn durations_as_people_write_them() {
    let ms = Duration::from_millis;
    for (text, value) in [
        ("250ms", ms(250)),
        ("2s", ms(2_000)),
        ("1.5s", ms(1_500)),
        ("1m30s", ms(90_000)),
        ("4h", ms(4 * 3_600_000)),
        ("14d", ms(14 * 86_400_000)),
        ("2w", ms(14 * 86_400_000)),
        ("100us", Duration::from_micros(100)),
        ("0s", ms(0)),
        ("36500d", MAX_DURATION),
        ("0.000000001s", Duration::from_nanos(1)),
    ] {
        assert_eq!(duration(text), Ok(value), "{text}");
    }
}

#[test]
fn wrong_durations_say_what_to_write() {
    let example = "write \"250ms\", \"2s\", \"1m30s\", \"4h\" or \"14d\"";
    for (text, message) in [
        ("2", format!("has no unit; {example}")),
        ("", format!("is not a duration; {example}")),
        ("soon", format!("is not a duration; {example}")),
        ("-2s", format!("is not a duration; {example}")),
        ("1..5s", format!("is not a duration; {example}")),
        ("1.s", format!("is not a duration; {example}")),
        (
            "2 s",
            "has an unknown unit; write `s` right after the number".into(),
        ),
        (
            "2S",
            "has an unknown unit; write `s` right after the number".into(),
        ),
        (
            "2sec",
            "has an unknown unit; write `s` right after the number".into(),
        ),
        (
            "5minutes",
            "has an unknown unit; write `m` right after the number".into(),
        ),
        (
            "5µs",
            "has an unknown unit; write `us` right after the number".into(),
        ),
        ("5parsec", format!("has an unknown unit; {example}")),
        (
            "30s1m",
            "has its units out of order; longest first, such as \"1m30s\"".into(),
        ),
        (
            "1s1s",
            "has its units out of order; longest first, such as \"1m30s\"".into(),
        ),
        (
            "0.5ns",
            "is finer than a nanosecond; write fewer digits after the point".into(),
        ),
        (
            "36501d",
            "is too large for a duration; write at most \"36500d\"".into(),
        ),
        (&"9".repeat(99), format!("has no unit; {example}")),
    ] {
        assert_eq!(duration(text).unwrap_err().to_string(), message, "{text}");
    }
    assert!(duration(&format!("{}s", "9".repeat(99))).is_err());
}

#[test]
fn sizes_as_people_write_them() {
    for (text, value) in [
        ("10MB", 10_000_000),
        ("10MiB", 10 << 20),
        ("1GB", 1_000_000_000),
        ("8KiB", 8192),
        ("1.5KB", 1500),
        ("0.5KiB", 512),
        ("17B", 17),
        ("2TB", 2_000_000_000_000),
    ] {
        assert_eq!(size(text), Ok(value), "{text}");
    }
}

#[test]
fn wrong_sizes_say_what_to_write() {
    let example = "write \"10MB\", \"64KiB\" or \"1GB\"";
    for (text, message) in [
        ("1000", format!("has no unit; {example}")),
        ("big", format!("is not a size; {example}")),
        (
            "10mb",
            "has an unknown unit; write `MB` right after the number".into(),
        ),
        (
            "10 MB",
            "has an unknown unit; write `MB` right after the number".into(),
        ),
        (
            "10M",
            "has an unknown unit; write `MB` right after the number".into(),
        ),
        (
            "1MB1KB",
            format!("is more than one number with its unit; {example}"),
        ),
        (
            "0.5B",
            "is finer than a byte; write fewer digits after the point".into(),
        ),
        (
            "9300000TB",
            "is too large for a size; write at most \"8000000TB\"".into(),
        ),
    ] {
        assert_eq!(size(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn shares_are_from_0_to_1() {
    assert_eq!(share(0.25), Ok(0.25));
    assert!(share(-0.0).is_ok_and(f64::is_sign_positive));
    for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(share(wrong).is_err());
    }
}

#[test]
fn hours_go_over_midnight() {
    assert_eq!(hours("22:00-07:00"), Ok((1320, 420)));
    assert_eq!(hours("00:00-23:59"), Ok((0, 1439)));
    for wrong in [
        "22-7",
        "24:00-07:00",
        "22:60-07:00",
        "22:00",
        "+2:00-07:00",
        "",
    ] {
        let message = hours(wrong).unwrap_err().to_string();
        assert_eq!(
            message,
            "is not a span of hours; write the start and the end, such as \"22:00-07:00\""
        );
    }
    assert!(hours("07:00-07:00").is_err());
}

proptest! {
    #[test]
    fn durations_round_trip(nanos in 0..=MAX_DURATION.as_nanos()) {
        let whole = u64::try_from(nanos / 1_000_000_000).unwrap();
        let value = Duration::new(whole, u32::try_from(nanos % 1_000_000_000).unwrap());
        prop_assert_eq!(duration(&duration_text(value)), Ok(value));
    }

    #[test]
    fn sizes_round_trip(bytes in 0..=MAX_SIZE, shift in 0_u32..63) {
        let bytes = bytes >> shift;
        prop_assert_eq!(size(&size_text(bytes)), Ok(bytes));
    }

    #[test]
    fn round_sizes_are_short(count in 1_u64..1000) {
        prop_assert_eq!(size_text(count * 1_000_000), if count.is_multiple_of(1000) {
            format!("{}GB", count / 1000)
        } else {
            format!("{count}MB")
        });
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text in "\\PC*") {
        let _ = (duration(&text), size(&text), hours(&text));
    }

    #[test]
    fn nearly_right_text_is_a_value_or_an_error(text in "[0-9.wdhmsunKMGTiB:-]{0,40}") {
        let _ = (duration(&text), size(&text), hours(&text));
    }
}
