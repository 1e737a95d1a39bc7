//! Events of `tracing` in a rotating file: `cargo run -p llm-observe-log --features
//! tracing-subscriber --example tracing_subscriber`.
//!
//! Reads its own files back. Ends with an error when a line is missing.

use std::{error::Error, fs, thread, time::Duration};

use llm_observe_log::LogOptions;

const THREADS: usize = 4;
const EVENTS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("llm-observe-log-events-{}", std::process::id()));
    let writer = LogOptions::new(&dir, "app.log")
        .max_bytes(100_000)
        .backups(100)
        .open()?;

    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer.clone())
        .init();

    thread::scope(|scope| {
        for worker in 0..THREADS {
            scope.spawn(move || {
                for number in 0..EVENTS {
                    tracing::info!(worker, number, "request served");
                }
                tracing::error!(worker, "worker ends");
            });
        }
    });
    // The global subscriber keeps its writer until the process ends, so the file has to be closed.
    writer.close(Duration::from_secs(5));

    let (mut text, mut files) = (String::new(), 0);
    for entry in fs::read_dir(&dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("app.log") {
            text += &fs::read_to_string(entry.path())?;
            files += 1;
        }
    }
    fs::remove_dir_all(&dir)?;

    let served = text.matches("request served").count();
    let ended = text.matches("ERROR").count();
    println!("{served} events and {ended} errors in {files} files");
    if (served, ended) != (THREADS * EVENTS, THREADS) || files < 2 {
        return Err("events are missing, or the file was not rotated".into());
    }
    Ok(())
}
