//! A program whose lines go to the console: makes calls as its steps say, prints lines of its own in
//! between, and says on standard error what was counted.

use std::{
    env,
    error::Error,
    io::{self, BufRead},
    thread,
    time::Duration,
};

use llm_observe::{Observer, observe};

#[observe(event = "outer", fields(model = "m-1", share = 0.5, cached = true))]
fn outer(n: u64) -> u64 {
    inner(n)
}

#[observe(event = "inner", items = 3)]
fn inner(n: u64) -> u64 {
    tracing::info!(n, text = "a \"quoted\" text", "inside");
    n
}

#[observe(event = "numbered", fields(number = n))]
fn numbered(n: u64) {
    let _ = n;
}

#[derive(Debug)]
struct Refused(io::Error);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody answers")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[observe(event = "failing")]
fn fails() -> Result<u64, Refused> {
    Err(Refused(io::Error::other("connection refused")))
}

#[observe(event = "dropped")]
async fn dropped() {
    std::future::pending::<()>().await;
}

fn main() -> Result<(), Box<dyn Error>> {
    let observer = llm_observe::init!()?;
    for step in env::args().skip(1) {
        match step.split_once('=').unwrap_or((&step, "")) {
            ("lines", count) => (0..count.parse()?).for_each(numbered),
            ("among_own", count) => among_own(count.parse()?),
            ("calls", _) => calls(),
            ("say", word) => eprintln!("said {word}"),
            ("wait", _) => drop(io::stdin().lock().read_line(&mut String::new())?),
            ("flush", limit) => {
                let _ = observer.flush(Duration::from_millis(limit.parse()?));
            }
            ("counts", _) => counts(&observer),
            _ => return Err(step.into()),
        }
    }
    Ok(())
}

/// One call of each kind.
fn calls() {
    outer(7);
    assert!(fails().is_err());
    let mut running = Box::pin(dropped());
    let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::future::Future::poll(running.as_mut(), &mut nobody).is_pending());
}

/// Calls, while another thread prints.
fn among_own(count: u64) {
    thread::scope(|scope| {
        scope.spawn(|| (0..count).for_each(|n| println!("own line {n}")));
        (0..count).for_each(numbered);
    });
}

fn counts(observer: &Observer) {
    let metrics = observer.metrics().unwrap_or_default();
    let of_console =
        |line: &&str| line.starts_with("llm_observe_log_lines") && line.contains("\"console\"");
    metrics
        .lines()
        .filter(of_console)
        .for_each(|line| eprintln!("{line}"));
}
