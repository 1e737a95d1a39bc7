//! Events within Sentry's limits.

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;

/// A report with texts of any kind and length.
fn any_report() -> impl Strategy<Value = Report> {
    let text = || {
        prop_oneof![
            4 => "[ -~]{0,60}",
            1 => any::<String>(),
            1 => "[a-z\u{1}\u{e9}\u{1f600}\n]{0,40}".prop_map(|part| part.repeat(600)),
            1 => Just("x".repeat(30_000)),
            1 => Just("\u{1f600}".repeat(9_000)),
        ]
    };
    let value = text().prop_map(crate::Value::Str);
    let fields = prop::collection::vec(("[a-z_.]{1,300}", value), 0..150);
    let frame = (text(), text(), any::<u32>()).prop_map(|(function, file, line)| Frame {
        function,
        file,
        line: line.into(),
        column: 1,
    });
    let breadcrumb = (text(), text()).prop_map(|(category, message)| Breadcrumb {
        time: 1_795_418_646_500_000,
        level: tracing::Level::INFO,
        category,
        message,
    });
    let texts = (text(), text(), text(), prop::collection::vec(text(), 0..40));
    let frames = prop::collection::vec(frame, 0..120);
    let breadcrumbs = prop::collection::vec(breadcrumb, 0..40);
    (texts, fields, frames, breadcrumbs).prop_map(|(texts, fields, frames, breadcrumbs)| {
        let (type_name, message, function, chain) = texts;
        let request = RequestInfo {
            method: type_name.clone(),
            route: message.clone(),
            id: function.clone(),
            session_url: None,
        };
        Report {
            type_name,
            message,
            function,
            chain,
            fields,
            frames,
            breadcrumbs,
            request: Some(request),
            ..Report::test()
        }
    })
}

/// The limits that Sentry's documentation gives: develop.sentry.dev, "Size Limits"; docs.sentry.io,
/// "Variable Size".
fn is_within_the_limits(event: &Value) {
    let chars = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    for (name, value) in event["tags"].as_object().unwrap() {
        assert!(name.len() <= 200 && chars(value) <= 200, "{name}");
        assert!(!value.as_str().unwrap().contains('\n'), "{name}");
    }
    let exceptions = event["exception"]["values"].as_array().unwrap();
    assert!(!exceptions.is_empty() && exceptions.len() <= 50);
    for exception in exceptions {
        assert!(chars(&exception["value"]) <= 8_192 && chars(&exception["type"]) <= 256);
        let frames = exception["stacktrace"]["frames"].as_array();
        assert!(frames.is_none_or(|frames| frames.len() <= 250));
    }
    let breadcrumbs = event["breadcrumbs"]["values"].as_array();
    assert!(breadcrumbs.is_none_or(|breadcrumbs| breadcrumbs.len() <= 100));
    for value in event["extra"].as_object().unwrap().values() {
        assert!(value.to_string().len() <= 16_384);
    }
    assert!(chars(&event["environment"]) <= 64 && chars(&event["release"]) <= 250);
}

/// Reports of all kinds, the same in each run.
pub(super) fn all_kinds() -> Vec<Report> {
    let mut runner = TestRunner::deterministic();
    let mut report = || any_report().new_tree(&mut runner).unwrap().current();
    (0..40).map(|_| report()).collect()
}

#[test]
fn a_huge_report_is_cut_and_not_refused() {
    for report in all_kinds() {
        let bytes = encode(&report, &origin());
        assert!(bytes.len() <= MOST_BYTES, "{}", bytes.len());
        let (_, event) = envelope(&bytes);
        is_within_the_limits(&event);
        let last = event["exception"]["values"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        let start: String = report.message.chars().take(90).collect();
        assert!(last["value"].as_str().unwrap().starts_with(&start));
    }
}
