//! Programs run by a test: with no variable of this machine's services, in the test's own folder,
//! never longer than the test.

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

#[cfg(unix)]
pub use rustix::process::Signal;
#[cfg(unix)]
use rustix::process::{Pid, kill_process};

use crate::{folder::Folder, wait};

/// How long a program may take to say or to end what a test waits for.
pub const LIMIT: Duration = Duration::from_secs(30);

/// What could lead a program to services outside the test, or change what it logs.
const FOREIGN: [&str; 15] = [
    "LLM_OBSERVE_CONFIG",
    "SLACK_WEBHOOK_URL",
    "SENTRY_DSN",
    "SENTRY_ENVIRONMENT",
    "SENTRY_RELEASE",
    "OTEL_SERVICE_NAME",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_RESOURCE_ATTRIBUTES",
    "RUST_LOG",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Returns a command in `folder`, with nothing of this machine's services.
pub fn command(program: &str, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.path());
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
}

/// Returns a command as [`command`] does, observed by this configuration.
pub fn observed(program: &str, folder: &Folder, config: &str) -> Command {
    let mut command = command(program, folder);
    command.env("LLM_OBSERVE_CONFIG", folder.write("config.toml", config));
    command
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it said on standard output.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Ended {
    /// Returns the lines on standard error with that word in them, without the name of the toolkit.
    pub fn said(&self, word: &str) -> Vec<&str> {
        let lines = self.stderr.lines().filter(|line| line.contains(word));
        let bare = |line: &'_ str| line.find(": ").map_or(0, |at| at + 2);
        lines.map(|line| &line[bare(line)..]).collect()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ended {
            status,
            stdout,
            stderr,
            took,
        } = self;
        write!(
            f,
            "{status} after {took:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// A running program: its standard input stays open until it is to end, and it is killed when
/// dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    since: Instant,
    lines: Receiver<String>,
    said: Vec<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Running {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = child.stdout.take().expect("piped");
        let mut stderr = child.stderr.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let read = BufReader::new(stdout).lines().map_while(Result::ok);
            // Nobody listens any more once the test is over.
            let _ = read.map(|line| sender.send(line)).find(Result::is_err);
        });
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Running {
            child,
            since: Instant::now(),
            lines,
            said: Vec::new(),
            stderr: Some(stderr),
        }
    }

    /// Returns what follows `start` in the next line of standard output that starts so.
    ///
    /// # Panics
    ///
    /// When there is none within [`LIMIT`].
    pub fn line(&mut self, start: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line {start:?} after {:#?}", self.said);
            };
            let rest = line.strip_prefix(start).map(str::to_owned);
            self.said.push(line);
            if let Some(rest) = rest {
                return rest;
            }
        }
    }

    /// Returns the address that it says after `listening `.
    ///
    /// # Panics
    ///
    /// As [`Running::line`].
    pub fn listening(&mut self) -> SocketAddr {
        self.line("listening ").parse().expect("an address")
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[cfg(unix)]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child of this process");
    }

    /// Returns how it has ended, if it has.
    ///
    /// # Panics
    ///
    /// When the system does not say.
    pub fn try_end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of this process")
    }

    /// Returns its id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input, which the step `await` of the subject waits for.
    ///
    /// # Panics
    ///
    /// When it has ended.
    pub fn go_on(&mut self) {
        let stdin = self.child.stdin.as_mut().expect("open until the end");
        stdin.write_all(b"\n").expect("it runs");
    }

    /// Closes its standard input and waits for its end.
    ///
    /// # Panics
    ///
    /// When it does not end within [`LIMIT`].
    pub fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let status = wait::until("end of the program", LIMIT, || self.try_end());
        let took = self.since.elapsed();
        self.said.extend(self.lines.iter());
        let stderr = self.stderr.take().expect("joined only here");
        Ended {
            status,
            stdout: self.said.join("\n"),
            stderr: stderr.join().expect("reading does not panic"),
            took,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end.
///
/// # Panics
///
/// When it does not start, or does not end within [`LIMIT`].
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).end()
}
