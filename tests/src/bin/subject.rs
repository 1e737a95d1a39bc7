//! An annotated program for the tests: does the steps that its arguments name, in order, and says
//! on standard output what came of each.

use std::{
    env,
    error::Error,
    fmt::Debug,
    io,
    panic::catch_unwind,
    time::{Duration, Instant},
};

use llm_observe::{Observer, genai::Usage, observe};

/// A burst: enough for an alert a call to be noticed.
const BURST: usize = 50;

#[observe(event = "work", items = words.len())]
fn work(words: &[&str]) -> io::Result<usize> {
    Ok(words.iter().map(|word| word.len()).sum())
}

#[observe(event = "failing", alert_on_error)]
fn fail(question: &str) -> io::Result<usize> {
    let why = format!("no model answers {question:?}");
    Err(io::Error::new(io::ErrorKind::ConnectionRefused, why))
}

#[observe(
    event = "chatting", operation = chat, provider = "openai", model = "gpt-4o",
    usage = |(input, output)| Usage::new(*input, *output).with_cache_read(100),
)]
fn chat(input: u64, output: u64) -> (u64, u64) {
    (input, output)
}

#[observe(event = "panicking")]
fn panics() -> usize {
    panic!("the model is gone")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut observer = None;
    for step in env::args().skip(1) {
        take(&step, &mut observer)?;
    }
    Ok(())
}

fn take(step: &str, observer: &mut Option<Observer>) -> Result<(), Box<dyn Error>> {
    match step {
        "init" => *observer = Some(llm_observe::init!()?),
        "try_init" => try_init(observer),
        "work" => timed(step, || work(&["two", "words"])),
        "chat" => timed(step, || chat(812, 203)),
        "fail" => timed(step, || fail("why")),
        "panic" => timed(step, || catch_unwind(panics).is_err()),
        "burst" => burst(),
        "drop" => *observer = None,
        "hold" => drop(io::read_to_string(io::stdin())?),
        "await" => drop(io::stdin().read_line(&mut String::new())?),
        _ => ask(step, observer.as_ref().ok_or("not initialised")?)?,
    }
    Ok(())
}

fn ask(step: &str, observer: &Observer) -> Result<(), Box<dyn Error>> {
    match step {
        "flush" => say(step, observer.flush(Duration::from_secs(10))),
        "test" => say(step, observer.send_test(Duration::from_secs(10))),
        "listening" => {
            let address = observer.listening().ok_or("no server")?;
            println!("listening {address}");
        }
        "files" => say(step, observer.log_files()),
        "metrics" => print!("{}", observer.metrics().ok_or("no metrics")?),
        _ => return Err(format!("no such step: {step}").into()),
    }
    Ok(())
}

/// Initialises, and goes on without where that fails: as a service would that can do without.
fn try_init(observer: &mut Option<Observer>) {
    match llm_observe::init!() {
        Ok(new) => *observer = Some(new),
        Err(error) => println!("try_init {error}"),
    }
}

/// Says what a step gave.
fn say(step: &str, gave: impl Debug) {
    println!("{step} {gave:?}");
}

/// Says what a call gave, and on a line of its own how long it took, in microseconds.
fn timed<T: Debug>(step: &str, call: impl FnOnce() -> T) {
    let start = Instant::now();
    let gave = call();
    let took = start.elapsed().as_micros();
    say(step, gave);
    println!("took {took}");
}

/// Fails often and says how many of the calls returned their error, and how long the longest took.
fn burst() {
    let mut longest = Duration::ZERO;
    let mut failed = 0;
    for _ in 0..BURST {
        let start = Instant::now();
        failed += usize::from(fail("why").is_err());
        longest = longest.max(start.elapsed());
    }
    say("burst", failed);
    println!("took {}", longest.as_micros());
}
