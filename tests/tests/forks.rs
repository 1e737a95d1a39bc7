//! Forks of a program whose other threads fail at that moment: a lock that such a thread holds stays locked
//! in the fork, and a call there must not wait for it.

#![cfg(unix)]
#![allow(unsafe_code, reason = "a fork has no safe interface")]

use std::{
    env,
    ffi::c_void,
    future::pending,
    io,
    process::Command,
    ptr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use llm_observe::{
    Observer,
    alerts::{Channel, Notice},
    config::Config,
    observe,
    outbox::{Delivery, DeliveryFuture, Destination, Parcel},
    redact::Redacted,
};
use llm_observe_tests::folder::Folder;

const FORKS: usize = 60;
/// On a busy machine with two cores, sixty forks take their time.
const LIMIT: Duration = Duration::from_secs(180);

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn kill(pid: i32, signal: i32) -> i32;
    fn _exit(status: i32) -> !;
    fn pthread_create(
        thread: *mut usize,
        attributes: *const c_void,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> i32;
    fn pthread_join(thread: usize, value: *mut *mut c_void) -> i32;
}

const WNOHANG: i32 = 1;
const SIGKILL: i32 = 9;

#[observe(alert_on_error, stalled = "1h")]
fn fails(n: u64) -> Result<u64, String> {
    Err(format!("failure {}", n % 100))
}

#[observe(timeout = "10ms")]
async fn has_a_limit() -> io::Result<()> {
    pending().await
}

#[observe]
fn first_called_in_a_fork() {}

struct Nowhere;

impl Destination for Nowhere {
    fn name(&self) -> &str {
        "nowhere"
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async { Delivery::Delivered })
    }
}

impl Channel for Nowhere {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        notice.as_ref().map(|_| Vec::new())
    }
}

fn observer(folder: &Folder) -> Observer {
    let text = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n[outbox]\ndir = {:?}\n",
        folder.path().join("logs"),
        folder.path().join("outbox"),
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let builder = Observer::builder().config(config).channel(Nowhere);
    builder.install().unwrap()
}

/// Fails on a thread of its own, and waits for it.
///
/// Not `std::thread::spawn`: every thread that it starts takes a lock of the standard library (of its handler
/// for stack overflows). One that is being started at the fork leaves it locked there, and no thread of the
/// fork starts any more.
fn fails_on_a_new_thread() {
    extern "C" fn start(_: *mut c_void) -> *mut c_void {
        assert!(fails(7).is_err());
        ptr::null_mut()
    }
    let mut thread = 0;
    // SAFETY: the id is written to a variable that outlives the call; `start` takes no argument.
    let started = unsafe { pthread_create(&raw mut thread, ptr::null(), start, ptr::null_mut()) };
    assert_eq!(started, 0);
    // SAFETY: it was started above, and nobody else waits for it.
    assert_eq!(unsafe { pthread_join(thread, ptr::null_mut()) }, 0);
}

/// What a fork does: calls of all kinds, and then the end of the observer.
fn work(observer: Observer) {
    for n in 0..50 {
        assert!(fails(n).is_err());
    }
    first_called_in_a_fork();
    fails_on_a_new_thread();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let limited = runtime.unwrap().block_on(has_a_limit());
    assert_eq!(limited.unwrap_err().kind(), io::ErrorKind::TimedOut);
    drop(observer);
}

/// Returns whether a fork has ended well; kills it when it has not ended at the deadline.
fn has_ended(pid: i32, deadline: Instant) -> bool {
    let mut status = 0;
    loop {
        // SAFETY: the status is written to a variable that outlives the call.
        match unsafe { waitpid(pid, &raw mut status, WNOHANG) } {
            0 if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
            0 => {
                // SAFETY: it is a child of this process, which has not been waited for.
                unsafe { kill(pid, SIGKILL) };
                // SAFETY: as above.
                unsafe { waitpid(pid, &raw mut status, 0) };
                return false;
            }
            _ => return status == 0,
        }
    }
}

#[test]
#[ignore = "a process of its own"]
fn forks_under_load() {
    static STOP: AtomicBool = AtomicBool::new(false);
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let folder = Folder::new();
    let observer = observer(&folder);
    let threads: Vec<_> = (0..3)
        .map(|_| {
            thread::spawn(|| {
                while !STOP.load(Ordering::Relaxed) {
                    let _ = fails(CALLS.fetch_add(1, Ordering::Relaxed));
                    fails_on_a_new_thread();
                }
            })
        })
        .collect();
    let mut observer = Some(observer);
    let forks: Vec<i32> = (0..FORKS)
        .map(|_| {
            let before = CALLS.load(Ordering::Relaxed);
            while CALLS.load(Ordering::Relaxed) < before + 20 {
                thread::yield_now();
            }
            // SAFETY: what the child runs is what this test is about: it may wait for nothing that another
            // thread has locked.
            let pid = unsafe { fork() };
            if pid == 0 {
                work(observer.take().unwrap());
                // SAFETY: it ends the process, without the exit handlers of the parent's test.
                unsafe { _exit(0) };
            }
            pid
        })
        .collect();
    let deadline = Instant::now() + LIMIT;
    let hung = forks
        .iter()
        .filter(|pid| !has_ended(**pid, deadline))
        .count();
    STOP.store(true, Ordering::Relaxed);
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    drop(observer);
    assert_eq!(hung, 0, "of {FORKS} forks, so many did not end or failed");
}

#[test]
fn no_fork_waits_for_a_thread_that_it_does_not_have() {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "forks_under_load", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
