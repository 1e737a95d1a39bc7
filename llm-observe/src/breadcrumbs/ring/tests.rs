use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn a_ring_never_grows(lines in prop::collection::vec((("[a\u{e9}\u{1f600}]{0,6}", 0..120_usize).prop_map(|(part, times)| part.repeat(times)), 0..4_u64), 0..700)) {
        let mut ring = BreadcrumbRing::new();
        let room = |ring: &BreadcrumbRing| (ring.entries.capacity(), ring.traces.capacity(), ring.texts.capacity(), ring.scratch.capacity());
        let before = room(&ring);
        let mut kept = Vec::new();
        let mut text = String::new();
        for (n, (message, trace)) in lines.iter().enumerate() {
            let target_len = put_line(&mut text, "rag::db", message, &[]);
            prop_assert!(text.len() <= 7 + MOST_LINE && message.starts_with(&text[target_len..]));
            let trace = TraceId([1, *trace]);
            ring.push(n as u64, trace, Level::INFO, EntrySource::Line(target_len), &text);
            kept.push((n as u64, trace, text[target_len..].to_owned()));
            prop_assert!(ring.entries.len() <= MOST_KEPT && ring.texts.len() <= MOST_TEXT);
            prop_assert_eq!(ring.traces.len(), ring.entries.len());
        }
        let held: usize = ring.entries.iter().map(|entry| entry.text).sum();
        prop_assert_eq!(ring.texts.len(), held);
        prop_assert_eq!(room(&ring), before, "nothing has grown");
        let first = kept.len() - ring.entries.len();
        for wanted in 0..4 {
            let wanted = TraceId([1, wanted]);
            let mut found = Vec::new();
            ring.find(&[wanted], &mut found);
            let of_trace = kept[first..].iter().filter(|(_, trace, _)| *trace == wanted);
            let texts: Vec<_> = of_trace.map(|(time, _, text)| (*time, text.clone())).collect();
            let latest = &texts[texts.len().saturating_sub(MOST_REPORTED)..];
            let found: Vec<_> = found.into_iter().map(|breadcrumb| (breadcrumb.time, breadcrumb.message)).collect();
            prop_assert_eq!(found.as_slice(), latest);
        }
    }
}
