//! The cost to the caller of a line of 180 bytes in a size-rotated file, for this writer and others.
//! Also counts the lines in the files, and prints the cost of each of those: a dropped line is cheap.
//!
//! `cargo bench -p llm-observe-benches --bench log_writer [-- TEXT]` runs the writers whose name
//! contains TEXT. The files are in `BENCH_DIR`, by default in the folder for temporary files.

mod peers;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use peers::{ALL, Entrant, Peer};

const ROUNDS: usize = 7;

/// How threads write lines.
#[derive(Clone, Copy)]
struct Load {
    name: &'static str,
    threads: u32,
    /// Lines of each burst, the number of bursts, and the pause between them, for each thread.
    burst: u32,
    bursts: u32,
    rest: Duration,
}

const LOADS: [Load; 4] = [
    burst("1 thread, 300,000 lines at once", 1),
    burst("2 threads, 150,000 lines each at once", 2),
    burst("4 threads, 75,000 lines each at once", 4),
    Load {
        name: "1 thread, 1,000 lines every 10 ms",
        threads: 1,
        burst: 1_000,
        bursts: 40,
        rest: Duration::from_millis(10),
    },
];

const fn burst(name: &'static str, threads: u32) -> Load {
    Load {
        name,
        threads,
        burst: 300_000 / threads,
        bursts: 1,
        rest: Duration::ZERO,
    }
}

impl Load {
    fn lines(&self) -> u64 {
        u64::from(self.threads) * u64::from(self.burst) * u64::from(self.bursts)
    }
}

fn main() {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let entrants: Vec<Entrant> = ALL
        .into_iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|text| name.contains(text)))
        .collect();
    for load in LOADS {
        compare(load, &entrants);
    }
}

#[derive(Default)]
struct Seen {
    nanos: Vec<f64>,
    all_nanos: Vec<f64>,
    kept: u64,
    background: Option<Background>,
}

/// Rounds. The writers take turns, so that other work affects them alike; the first round warms up.
fn compare(load: Load, entrants: &[Entrant]) {
    let mut seen: Vec<Seen> = entrants.iter().map(|_| Seen::default()).collect();
    for round in 0..=ROUNDS {
        for ((_, open), seen) in entrants.iter().zip(&mut seen) {
            let dir = folder();
            run(load, open, &dir, seen);
            if round == 0 {
                *seen = Seen::default();
            }
            fs::remove_dir_all(dir).unwrap();
        }
    }
    report(load, entrants, &mut seen);
}

fn run(load: Load, open: &fn(&Path) -> Box<dyn Peer>, dir: &Path, seen: &mut Seen) {
    let text = "x".repeat(179) + "\n";
    let peer = open(dir);
    let before = Background::now();
    let begin = Instant::now();
    let spent = callers(load, &*peer, &text);
    drop(peer);
    let all = begin.elapsed();
    let lines = as_f64(load.lines());
    seen.nanos.push(spent.as_secs_f64() * 1e9 / lines);
    seen.all_nanos.push(all.as_secs_f64() * 1e9 / lines);
    seen.kept += kept(dir);
    if let (Some(before), Some(after)) = (before, Background::now()) {
        seen.background = Some(after.since(&before, lines));
    }
}

/// The time that all callers spent in their calls, in total.
fn callers(load: Load, peer: &dyn Peer, text: &str) -> Duration {
    let start = Barrier::new(load.threads as usize);
    let caller = || {
        start.wait();
        let mut spent = Duration::ZERO;
        for _ in 0..load.bursts {
            let begin = Instant::now();
            (0..load.burst).for_each(|_| peer.line(text));
            spent += begin.elapsed();
            thread::sleep(load.rest);
        }
        spent
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..load.threads).map(|_| scope.spawn(caller)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

fn folder() -> PathBuf {
    let root = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let name = format!("llm-observe-bench-{}", std::process::id());
    let dir = root.join(name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

fn kept(dir: &Path) -> u64 {
    let files = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let lines = |path: PathBuf| {
        let bytes = fs::read(path).unwrap();
        bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
    };
    files.map(lines).sum()
}

fn report(load: Load, entrants: &[Entrant], seen: &mut [Seen]) {
    println!("\n{} ({ROUNDS} rounds)", load.name);
    println!(
        "{:<42} {:>7} {:>9} {:>7} {:>10} {:>12} {:>7} {:>13}",
        "a line costs its caller",
        "min ns",
        "median ns",
        "ratio",
        "lines kept",
        "ns each kept",
        "ratio",
        "ns until kept"
    );
    let mut ours = None;
    let handed_over = as_f64(load.lines() * ROUNDS as u64);
    for ((name, _), seen) in entrants.iter().zip(seen.iter_mut()) {
        seen.nanos.sort_by(f64::total_cmp);
        seen.all_nanos.sort_by(f64::total_cmp);
        let median = seen.nanos[ROUNDS / 2];
        let share = as_f64(seen.kept) / handed_over;
        let each_kept = median / share;
        let (ours, ours_kept) = *ours.get_or_insert((median, each_kept));
        println!(
            "{name:<42} {:>7.0} {median:>9.0} {:>6.2}x {:>8.2} % {each_kept:>12.0} {:>6.2}x {:>13.0}",
            seen.nanos[0],
            median / ours,
            100.0 * share,
            each_kept / ours_kept,
            seen.all_nanos[ROUNDS / 2],
        );
    }
    if let Some(background) = seen.first().and_then(|seen| seen.background.as_ref()) {
        println!(
            "  in the background of {}: {:.0} ns of CPU and {:.5} write calls a line",
            entrants[0].0, background.nanos, background.writes
        );
    }
}

/// The CPU time of our writer's thread, and the write calls of the process. Linux only.
struct Background {
    nanos: f64,
    writes: f64,
}

impl Background {
    fn now() -> Option<Self> {
        let io = fs::read_to_string("/proc/self/io").ok()?;
        let writes = io.lines().find_map(|line| line.strip_prefix("syscw: "))?;
        let writer = fs::read_dir("/proc/self/task").ok()?.find_map(|task| {
            let task = task.ok()?.path();
            let name = fs::read_to_string(task.join("comm")).ok()?;
            let times = fs::read_to_string(task.join("schedstat")).ok()?;
            (name.trim_end() == "llm-observe-log").then_some(times)
        })?;
        Some(Self {
            nanos: writer.split(' ').next()?.parse().ok()?,
            writes: writes.parse().ok()?,
        })
    }

    fn since(&self, before: &Self, lines: f64) -> Self {
        Self {
            nanos: (self.nanos - before.nanos) / lines,
            writes: (self.writes - before.writes) / lines,
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number of lines")]
fn as_f64(n: u64) -> f64 {
    n as f64
}
