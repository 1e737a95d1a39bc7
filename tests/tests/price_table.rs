//! `[prices]` of a program: the table that it uses, in its metrics, and a file that cannot be used.

use std::time::{Duration, Instant};

use llm_observe::Observer;
use llm_observe_tests::folder::Folder;

#[test]
fn a_broken_file_does_not_keep_a_program_from_starting() {
    let folder = Folder::new();
    let prices = folder.write("prices.json", "[{\"id\": 1}]");
    let text = format!(
        "[log]\nenabled = false\n[server]\nlisten = \"off\"\n[prices]\nfile = {prices:?}\n"
    );
    let config = folder.write("config.toml", &text);
    let observer = Observer::builder().config_file(config).install().unwrap();
    // It is decoded in the background.
    let row = "llm_observe_price_table_info{date=\"2026-10-30\",source=\"bundled\"} 1";
    let until = Instant::now() + Duration::from_secs(60);
    while !observer.metrics().unwrap().contains(row) {
        assert!(Instant::now() < until, "{}", observer.metrics().unwrap());
        std::thread::yield_now();
    }
}
