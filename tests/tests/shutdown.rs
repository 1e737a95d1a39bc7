//! The end of a program: by a signal, from code, and with destinations that do not answer. The programs are
//! the ignored tests of this file, each in a process of its own.

#![cfg(unix)]

use std::{
    env, fs,
    future::Future,
    io,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    pin::pin,
    process::Command,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use llm_observe::{
    FlushReport, Observer,
    alerts::{Channel, Notice},
    observe,
    outbox::{DeliveryFuture, Destination, Parcel},
    redact::Redacted,
};
use llm_observe_test_support::listener::{Listener, Reply};
use llm_observe_tests::{
    folder::Folder,
    http,
    program::{Ended, LIMIT, Running, Signal, observed},
    wait,
};
use tokio::{net::TcpListener, sync::Notify};

const NO_SERVER: &str = "[server]\nlisten = \"off\"\n[alerts]\ngroup_wait = \"1h\"\n";
const SERVER: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[alerts]\ngroup_wait = \"1h\"\n";

/// What a program may take that ends with a destination that never answers.
const STALLED: Duration = Duration::from_secs(2);

/// For threads that end, lines that are written, and a machine that does other things too.
const MARGIN: Duration = Duration::from_secs(1);

#[observe(event = "answer", alert_on_error)]
fn answer(question: &str) -> Result<usize, String> {
    match question {
        "" => Err("nothing was asked".to_owned()),
        question => Ok(question.len()),
    }
}

/// Starts one of the programs below, with its alerts going to `slack`.
fn start(program: &str, folder: &Folder, config: &str, slack: &Listener) -> Running {
    Running::start(command(program, folder, config).env("SLACK_WEBHOOK_URL", slack.url("/hook")))
}

fn command(program: &str, folder: &Folder, config: &str) -> Command {
    let this = env::current_exe().expect("this test");
    let mut command = observed(this.to_str().expect("a path in UTF-8"), folder, config);
    command.args(["--exact", program, "--ignored", "--nocapture"]);
    command
}

/// Says something on a line of its own: the test runner does not end its lines.
fn say(what: &str) {
    println!("\n{what}");
}

/// Says what was reported, and after how long.
fn say_report(start: Instant, report: &FlushReport) {
    say(&format!("took {}", start.elapsed().as_millis()));
    say(&format!("kept {}", report.kept));
    say(&format!("delivered {}", report.delivered));
}

fn spools(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("logs")).expect("a folder of logs");
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".spool")).collect()
}

#[track_caller]
fn assert_orderly(ended: &Ended, folder: &Folder) {
    assert!(ended.status.success(), "{ended}");
    assert_eq!(spools(folder), Vec::<String>::new(), "{ended}");
    let lines = folder.read("logs/app.log");
    assert!(lines.contains(" answer error in "), "{lines}");
    assert!(!lines.contains("after the end"), "{lines}");
}

/// Returns how long the end took that the program says.
fn took(running: &mut Running) -> Duration {
    Duration::from_millis(running.line("took ").parse().expect("milliseconds"))
}

/// Runs a future without an executor.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

static OBSERVER: OnceLock<Mutex<Option<Observer>>> = OnceLock::new();

/// An axum service whose `/wait` answers once standard input is closed.
#[tokio::main]
async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let observer = llm_observe::init!()?;
    observer.set_ready(false);
    let _ = answer("");
    let closed = Arc::new(Notify::new());
    let close = closed.clone();
    thread::spawn(move || io::read_to_string(io::stdin()).map(|_| close.notify_one()));
    let listening = observer.listening().ok_or("no server")?;
    OBSERVER.get_or_init(|| Mutex::new(Some(observer)));
    let waits = async move || {
        say("waiting");
        closed.notified().await;
        "answered at last"
    };
    let becomes_ready = async || {
        let observer = OBSERVER.get().map(|observer| observer.lock().unwrap());
        observer
            .iter()
            .for_each(|o| o.as_ref().unwrap().set_ready(true));
    };
    let router = Router::new()
        .route("/wait", get(waits))
        .route("/ready", get(becomes_ready))
        .route("/metrics", get(llm_observe::http::metrics))
        .merge(llm_observe::http::probes());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("listening {listening}"));
    say(&format!("serving {}", listener.local_addr()?));
    axum::serve(listener, router)
        .with_graceful_shutdown(llm_observe::shutdown_signal())
        .await?;
    say(&format!("left {}", http_status(listening)));
    let start = Instant::now();
    let report = llm_observe::shutdown().await;
    say_report(start, &report);
    Ok(())
}

fn http_status(address: SocketAddr) -> u16 {
    http::get(address, "/readyz").map_or(0, |response| response.status)
}

#[test]
#[ignore = "a process of its own"]
fn service() {
    serve().unwrap();
}

struct Service {
    running: Running,
    /// Of the observer.
    listening: SocketAddr,
    /// Of the service.
    serving: SocketAddr,
}

impl Service {
    /// Starts it, and a request that is under way until the end.
    fn start(folder: &Folder, slack: &Listener) -> Service {
        let mut running = start("service", folder, SERVER, slack);
        let listening = running.listening();
        let serving = running.line("serving ").parse().expect("an address");
        Service {
            running,
            listening,
            serving,
        }
    }

    fn request(&mut self) -> thread::JoinHandle<String> {
        let serving = self.serving;
        let request = thread::spawn(move || http::get(serving, "/wait").unwrap().body);
        self.running.line("waiting");
        request
    }

    /// Sends the signal, and waits until it has been noticed.
    fn signal(&self, signal: Signal) {
        self.running.signal(signal);
        wait::until("503", LIMIT, || {
            (http_status(self.listening) == 503).then_some(())
        });
    }
}

#[test]
fn sigterm_sends_waiting_alerts_and_lets_requests_finish() {
    let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
    let mut service = Service::start(&folder, &slack);
    for address in [service.listening, service.serving] {
        let unready = http::get(address, "/readyz").unwrap();
        assert_eq!(unready.status, 503);
        assert_eq!(unready.body, "not ready: the program says so\n");
        assert_eq!(http::get(address, "/healthz").unwrap().body, "ok\n");
    }
    assert_eq!(http::get(service.serving, "/ready").unwrap().status, 200);
    for address in [service.listening, service.serving] {
        assert_eq!(http::get(address, "/readyz").unwrap().status, 200);
        let metrics = http::get(address, "/metrics").unwrap();
        let head = metrics.head.to_lowercase();
        assert!(
            head.contains("content-type: text/plain; version=0.0.4"),
            "{head}"
        );
        let failed = "llm_observe_calls_total{event=\"answer\"";
        assert!(metrics.body.contains(failed), "{}", metrics.body);
    }
    let request = service.request();
    assert!(slack.requests().is_empty(), "it waits for its group");

    service.signal(Signal::TERM);
    let unready = http::get(service.listening, "/readyz").unwrap();
    assert_eq!(unready.body, "shutting down\n");
    assert_eq!(
        http::get(service.listening, "/healthz").unwrap().status,
        200
    );
    // While the request is still under way.
    let alert = &slack.wait_for(1)[0];
    assert!(
        alert.text().contains("nothing was asked"),
        "{}",
        alert.text()
    );
    assert!(!request.is_finished());

    let ended = service.running.end();
    assert_eq!(request.join().unwrap(), "answered at last");
    assert_orderly(&ended, &folder);
    assert!(ended.stdout.contains("\nleft 503"), "{ended}");
    assert!(ended.stdout.contains("\nkept 0"), "{ended}");
    let lines = folder.read("logs/app.log");
    assert!(
        lines.contains("SIGTERM: the program is asked to end"),
        "{lines}"
    );
    assert_eq!(slack.requests().len(), 1, "{ended}");
}

#[test]
fn a_second_signal_ends_a_program_that_does_not_finish() {
    let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
    let mut service = Service::start(&folder, &slack);
    let request = service.request();
    service.signal(Signal::TERM);
    let status = wait::until("end by the signal", LIMIT, || {
        service.running.signal(Signal::INT);
        service.running.try_end()
    });
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{status}");
    // What the first signal sent is not lost.
    slack.wait_for(1);
    drop(request);
}

/// Ends with `end`, and says what came of it.
fn end_with(end: impl FnOnce(Observer) -> FlushReport) {
    let observer = llm_observe::init!().unwrap();
    let _ = answer("");
    say("ready");
    let start = Instant::now();
    let report = end(observer);
    say_report(start, &report);
    assert!(answer("after the end").is_ok());
    assert_eq!(block_on(llm_observe::shutdown()), FlushReport::default());
}

#[test]
#[ignore = "a process of its own"]
fn ends_blocking() {
    end_with(|observer| observer.shutdown(STALLED));
}

/// The only thread of the executor goes on meanwhile.
#[test]
#[ignore = "a process of its own"]
fn ends_async() {
    end_with(|observer| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let other = tokio::spawn(async { say("not blocked") });
            let start = Instant::now();
            let ending = observer.shutdown_async(STALLED);
            let (report, ()) = tokio::join!(ending, async { other.await.unwrap() });
            assert!(start.elapsed() >= STALLED / 2, "nothing stalled");
            report
        })
    });
}

/// The value is kept where nobody can take it from.
#[test]
#[ignore = "a process of its own"]
fn ends_from_anywhere() {
    end_with(|observer| {
        OBSERVER.get_or_init(|| Mutex::new(Some(observer)));
        let report = block_on(llm_observe::shutdown());
        // Nothing is left to do, also for its drop.
        let start = Instant::now();
        drop(OBSERVER.get().unwrap().lock().unwrap().take());
        assert!(start.elapsed() < MARGIN);
        report
    });
}

#[test]
#[ignore = "a process of its own"]
fn waits_for_a_signal() {
    end_with(|observer| {
        let signal = llm_observe::shutdown_signal();
        say("listens");
        signal.wait();
        observer.shutdown(STALLED)
    });
}

/// Beside a handler of its own.
#[test]
#[ignore = "a process of its own"]
fn ends_on_a_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    end_with(|observer| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_io().build().unwrap().block_on(async {
            let mut own = signal(SignalKind::interrupt()).unwrap();
            let mut ending = pin!(observer.shutdown_on_signal(STALLED));
            assert!(futures_util::poll!(ending.as_mut()).is_pending());
            say("listens");
            let (report, own) = tokio::join!(ending, own.recv());
            assert!(own.is_some());
            // Also whoever asks later.
            llm_observe::shutdown_signal().await;
            report
        })
    });
}

#[test]
fn an_end_from_code_sends_waiting_alerts_and_leaves_no_spool() {
    for program in ["ends_blocking", "ends_from_anywhere"] {
        let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
        let ended = start(program, &folder, NO_SERVER, &slack).end();
        assert_orderly(&ended, &folder);
        assert!(ended.stdout.contains("\ndelivered 1"), "{ended}");
        assert!(ended.stdout.contains("\nkept 0"), "{ended}");
        assert_eq!(slack.requests().len(), 1, "{ended}");
    }
}

#[test]
fn a_signal_ends_programs_without_a_server_of_their_own() {
    for program in ["waits_for_a_signal", "ends_on_a_signal"] {
        let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
        let mut running = start(program, &folder, NO_SERVER, &slack);
        running.line("listens");
        running.signal(Signal::INT);
        let ended = running.end();
        assert_orderly(&ended, &folder);
        assert_eq!(slack.requests().len(), 1, "{ended}");
    }
}

#[test]
fn a_destination_that_never_answers_holds_the_end_no_longer_than_the_limit() {
    for program in ["ends_blocking", "ends_async"] {
        let (folder, slack) = (Folder::new(), Listener::start(Reply::Stall));
        let mut running = start(program, &folder, NO_SERVER, &slack);
        let took = took(&mut running);
        assert!(took <= STALLED + MARGIN, "{took:?}");
        let ended = running.end();
        assert_orderly(&ended, &folder);
        assert!(ended.stdout.contains("\nkept 1"), "{ended}");
        let kept = "1 report or alert could not be delivered yet";
        assert!(ended.stderr.contains(kept), "{ended}");
        // The next start delivers it.
        slack.usually(Reply::status(200, "ok"));
        let before = slack.requests().len();
        let next = start("ends_blocking", &folder, NO_SERVER, &slack).end();
        assert!(next.stdout.contains("\nkept 0"), "{next}");
        assert!(slack.requests().len() > before, "{next}");
    }
}

/// A channel that blocks the thread that delivers, for ever.
struct Blocks;

impl Destination for Blocks {
    fn name(&self) -> &str {
        "blocks"
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        loop {
            thread::park();
        }
    }
}

impl Channel for Blocks {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        notice.as_ref().map(|_| Vec::new())
    }
}

#[test]
#[ignore = "a process of its own"]
fn has_a_blocking_channel() {
    let observer = Observer::builder().channel(Blocks).install().unwrap();
    let _ = answer("");
    let start = Instant::now();
    let report = observer.shutdown(STALLED);
    say_report(start, &report);
}

#[test]
fn a_channel_that_blocks_holds_the_end_no_longer_than_the_limit() {
    let folder = Folder::new();
    let mut running = Running::start(&mut command("has_a_blocking_channel", &folder, NO_SERVER));
    let took = took(&mut running);
    assert!(took <= STALLED + MARGIN, "{took:?}");
    assert_orderly(&running.end(), &folder);
}
