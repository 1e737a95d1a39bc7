//! The arithmetic of the live page, run by Node.js.

use std::{fs, path::Path, process::Command};

use llm_observe_tests::{folder::Folder, peers, program::run};

/// Calls of 20 µs, and ten that ran into a limit of 3 s.
const SCRAPE: &str = r#"
llm_observe_call_duration_seconds_live{event="e",function="f",over="0.000015",upto="0.00002"} 90
llm_observe_call_duration_seconds_live{event="e",function="f",over="2.5",upto="5"} 10
llm_observe_call_duration_seconds_min{event="e",function="f",window="start"} 0.0000181
llm_observe_call_duration_seconds_max{event="e",function="f",window="start"} 3.0001
llm_observe_call_duration_seconds_live{event="same",function="f",over="0.0005",upto="0.001"} 7
llm_observe_call_duration_seconds_min{event="same",function="f",window="start"} 0.00075
llm_observe_call_duration_seconds_max{event="same",function="f",window="start"} 0.00075
llm_observe_call_duration_seconds_live{event="unbound",function="f",over="640",upto="+Inf"} 1
"#;

#[test]
fn no_percentile_is_beyond_the_longest_call_or_below_the_shortest() {
    let Some(node) = peers::find("node") else {
        return;
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../llm-observe/src/page/page.html");
    let page = fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("<script>").unwrap();
    // Up to where it begins to draw.
    let (script, _) = script.split_once("\nheads();").unwrap();
    let ask = format!(
        "{script}\nconst scrape = digest(parse(process.argv[2]).samples, 0);\n\
         for (const c of scrape.calls.values())\n  \
         console.log(c.event, ...[0, 0.5, 0.95, 0.99, 1].map((q) => \
         `[${{seconds(quantile(c.buckets, q, c.ranges.get(\"start\")))}}]`));\n"
    );
    let folder = Folder::new();
    let ended = run(Command::new(node)
        .arg(folder.write("page.js", &ask))
        .arg(SCRAPE));
    assert!(ended.status.success(), "{ended}");
    let shown: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        shown,
        [
            "e [≈ 18.1 µs] [≈ 19.2 µs] [≈ 2.75 s] [≈ 2.95 s] [≈ 3.00 s]",
            "same [750 µs] [750 µs] [750 µs] [750 µs] [750 µs]",
            "unbound [> 10.7 min] [> 10.7 min] [> 10.7 min] [> 10.7 min] [> 10.7 min]",
        ]
    );
}
