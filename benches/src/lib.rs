//! A small harness for comparisons. All candidates take turns in one run, so that other work on the
//! machine affects them alike.

use std::{path::Path, time::Instant};

use llm_observe::{
    Observer,
    config::{Config, Console, Format},
};

/// A candidate: its name, and a loop of a given number of calls.
pub struct Candidate<'a> {
    name: &'static str,
    run: Box<dyn FnMut(u64) + 'a>,
}

/// Returns a candidate whose `call` is measured.
pub fn candidate<'a>(name: &'static str, mut call: impl FnMut() + 'a) -> Candidate<'a> {
    let run = Box::new(move |calls| {
        for _ in 0..calls {
            call();
        }
    });
    Candidate { name, run }
}

/// Observes the program with metrics, and with JSON lines in rotating files in `folder`. No page.
///
/// # Panics
///
/// If the folder cannot be written.
pub fn to_json_files(folder: &Path) -> Observer {
    let mut config = Config::default();
    config.log.dir = folder.to_owned();
    config.log.format = Format::Json;
    config.log.max_bytes = 100_000_000;
    config.log.backups = 2;
    config.log.console = Console::Never;
    config.server.listen = None;
    Observer::builder().config(config).install().unwrap()
}

/// Measures the candidates in turns, `rounds` times `calls` calls each. Prints nanoseconds per call
/// (minimum and median of the rounds), and each median as a multiple of the first candidate's.
///
/// `cargo bench --bench NAME -- TEXT` runs only the candidates whose name contains TEXT.
pub fn compare(title: &str, rounds: usize, calls: u64, mut candidates: Vec<Candidate<'_>>) {
    if let Some(text) = std::env::args().skip(1).find(|arg| !arg.starts_with("--")) {
        candidates.retain(|candidate| candidate.name.contains(&text));
    }
    let mut nanos = vec![Vec::with_capacity(rounds); candidates.len()];
    for round in 0..=rounds {
        for (candidate, nanos) in candidates.iter_mut().zip(&mut nanos) {
            let start = Instant::now();
            (candidate.run)(calls);
            // The first round warms up.
            if round > 0 {
                nanos.push(start.elapsed().as_secs_f64() * 1e9 / as_f64(calls));
            }
        }
    }
    println!("\n{title} ({rounds} rounds of {calls} calls)");
    println!(
        "{:<52} {:>9} {:>9} {:>8}",
        "", "min ns", "median ns", "ratio"
    );
    let mut ours = None;
    for (candidate, nanos) in candidates.iter().zip(&mut nanos) {
        nanos.sort_by(f64::total_cmp);
        let (min, median) = (nanos[0], nanos[nanos.len() / 2]);
        let ours = *ours.get_or_insert(median);
        println!(
            "{:<52} {min:>9.1} {median:>9.1} {:>7.2}x",
            candidate.name,
            median / ours
        );
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number of calls")]
fn as_f64(n: u64) -> f64 {
    n as f64
}
