//! Parts that cannot start: the service starts all the same, says what is off, and has it once that works.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use llm_observe_tests::{
    folder::Folder,
    http::get,
    listener::{Listener, Reply},
    metrics::value,
    peers::{self, not_possible_here},
    program::{Ended, LIMIT, Running, observed, run},
    wait,
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");

/// No fixed port, nothing on standard error.
const QUIET: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nconsole = \"never\"\n";
/// A channel, at once.
const ALERTS: &str = "[channels.ops]\nkind = \"slack\"\nwebhook = \"env:HOOK\"\n[alerts]\n\
                      group_wait = \"0s\"\n";
const EXIT: &str = "[service]\non_failure = \"exit\"\n";

fn start(folder: &Folder, config: &str, steps: &[&str]) -> Running {
    Running::start(observed(SUBJECT, folder, config).args(steps))
}

fn degraded(part: &str, reason: &str) -> String {
    format!("llm_observe_degraded{{part=\"{part}\",reason=\"{reason}\"}}")
}

/// Waits for the server at that address, and for a series of its metrics to have that value.
fn wait_for(address: SocketAddr, series: &str, wanted: u64) -> String {
    wait::until(series, LIMIT, || {
        let scrape = get(address, "/metrics").ok()?.body;
        (value(&scrape, series) == Some(wanted)).then_some(scrape)
    })
}

#[test]
fn a_port_in_use_is_served_once_it_is_free() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = format!("[server]\nlisten = \"{address}\"\n[log]\nconsole = \"never\"\n");
    let steps = [
        "init",
        "work",
        "metrics",
        "await",
        "listening",
        "work",
        "hold",
    ];
    let mut running = start(&folder, &config, &steps);
    let series = degraded("server", "port_in_use");
    assert_eq!(running.line(&series), " 1");
    drop(taken);
    let scrape = wait_for(address, &series, 0);
    let info = format!("llm_observe_server_info{{address=\"{address}\"}}");
    assert_eq!(value(&scrape, &info), Some(1), "{scrape}");
    running.go_on();
    assert_eq!(running.listening(), address);
    let ended = running.end();
    assert!(ended.status.success(), "{ended}");
    let said = ended.said("/metrics");
    assert_eq!(said.len(), 2, "{ended}");
    assert!(said[0].contains("[server] listen"), "{ended}");
    assert!(said[0].contains(&address.to_string()), "{ended}");
    assert!(
        said[1].contains(&format!("are at http://{address}/")),
        "{ended}"
    );
    assert_eq!(folder.read("logs/app.log").lines().count(), 2);
}

/// Starts the subject with something in the way of its log folder, lets `clear` remove it, and returns what
/// the subject said.
fn lines_wait(folder: &Folder, reason: &str, clear: impl FnOnce()) -> Ended {
    let steps = [
        "init",
        "work",
        "listening",
        "metrics",
        "await",
        "work",
        "flush",
        "hold",
    ];
    let mut running = start(folder, QUIET, &steps);
    let address = running.listening();
    let series = degraded("log", reason);
    assert_eq!(running.line(&series), " 1");
    clear();
    wait_for(address, &series, 0);
    wait_for(address, "llm_observe_log_refused{logger=\"app\"}", 0);
    running.go_on();
    running.line("flush ");
    let ended = running.end();
    assert!(ended.status.success(), "{ended}");
    assert_eq!(
        folder.read("logs/app.log").matches(" work ok in ").count(),
        2
    );
    let said = ended.said("app.log");
    assert_eq!(said.len(), 2, "{ended}");
    assert!(said[0].starts_with("lines wait in memory: "), "{ended}");
    let again = "the log files are written: logs/app.log";
    assert!(said[1].starts_with(again), "{ended}");
    ended
}

#[test]
fn lines_wait_until_the_log_folder_can_be_written() {
    let folder = Folder::new();
    let in_the_way = folder.write("logs", "a file");
    lines_wait(&folder, "other", || fs::remove_file(in_the_way).unwrap());
}

/// Permissions do not bind root; a file system that is read-only does.
#[test]
fn lines_wait_while_the_log_folder_is_read_only() {
    let folder = Folder::new();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let mounted = run_mount(
        Command::new("mount").args(["-t", "tmpfs", "-o", "ro", "none"]),
        &logs,
    );
    if !mounted {
        return not_possible_here("cannot mount a tmpfs here");
    }
    lines_wait(&folder, "read_only", || {
        assert!(run_mount(
            Command::new("mount").args(["-o", "remount,rw"]),
            &logs
        ));
    });
    assert!(run_mount(&mut Command::new("umount"), &logs));
}

fn run_mount(command: &mut Command, at: &Path) -> bool {
    command
        .arg(at)
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn what_waits_is_in_the_folder_of_the_outbox_once_it_can_be_written() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let in_the_way = folder.write("logs/outbox", "a file");
    let hook = Listener::start(Reply::status(503, "away"));
    let config = format!("{QUIET}{ALERTS}");
    let steps = ["init", "fail", "listening", "metrics", "hold"];
    let mut command = observed(SUBJECT, &folder, &config);
    let mut running = Running::start(command.env("HOOK", hook.url("/")).args(steps));
    let address = running.listening();
    let series = degraded("outbox", "other");
    assert_eq!(running.line(&series), " 1");
    hook.wait_for(1);
    fs::remove_file(in_the_way).unwrap();
    wait_for(address, &series, 0);
    wait::until("parcel in the folder", LIMIT, || {
        let files = fs::read_dir(folder.path().join("logs/outbox/0")).ok()?;
        let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.ends_with(".parcel"))
    });
    hook.usually(Reply::status(200, ""));
    // Killed: the next start delivers what waits, once.
    drop(running);
    let before = hook.requests().len();
    let mut command = observed(SUBJECT, &folder, &config);
    let ended = run(command.env("HOOK", hook.url("/")).args(["init", "flush"]));
    assert!(ended.status.success(), "{ended}");
    assert_eq!(ended.said("outbox"), [""; 0], "{ended}");
    assert_eq!(hook.requests().len(), before + 1, "{ended}");
}

#[test]
fn shared_files_are_written_once_a_process_that_does_not_share_them_ends() {
    let folder = Folder::new();
    let mut first = start(&folder, QUIET, &["init", "work", "flush", "hold"]);
    first.line("flush ");
    let config = format!("{QUIET}shared = true\n");
    let steps = ["init", "work", "listening", "metrics", "hold"];
    let mut second = start(&folder, &config, &steps);
    let address = second.listening();
    let series = degraded("log", "in_use");
    assert_eq!(second.line(&series), " 1");
    let ended = first.end();
    assert!(ended.status.success(), "{ended}");
    wait_for(address, &series, 0);
    let ended = second.end();
    assert!(ended.status.success(), "{ended}");
    assert!(ended.stderr.contains("has it open"), "{ended}");
    assert_eq!(folder.read("logs/app.log").lines().count(), 2, "{ended}");
}

/// Without a thread nothing can be done in the background: only a program that may start some later.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_may_start_no_thread_starts_and_has_all_of_it_later() {
    use std::os::unix::{fs::chown, process::CommandExt};

    /// A user without other processes, whom limits bind.
    const NOBODY: u32 = 61_234;
    const PARTS: [&str; 4] = ["delivery", "log", "server", "upkeep"];
    const SERIES: &str = "llm_observe_degraded{part=\"";

    let folder = Folder::new();
    if chown(folder.path(), Some(NOBODY), Some(NOBODY)).is_err() {
        return not_possible_here("only root can be another user");
    }
    let Some(prlimit) = peers::find("prlimit") else {
        return;
    };
    let hook = Listener::start(Reply::status(200, ""));
    let config = folder.write("config.toml", &format!("{QUIET}{ALERTS}"));
    let steps = [
        "init",
        "work",
        "metrics",
        "await",
        "flush",
        "metrics",
        "fail",
        "listening",
        "hold",
    ];
    let start = |config: &Path, steps: &[&str]| {
        let mut command = Command::new(&prlimit);
        command.args(["--nproc=1:1000", SUBJECT]).args(steps);
        command.current_dir(folder.path()).uid(NOBODY).gid(NOBODY);
        command.env("LLM_OBSERVE_CONFIG", config);
        Running::start(command.env("HOOK", hook.url("/")))
    };
    if !start(&config, &[]).end().status.success() {
        return not_possible_here("another user cannot run the subject");
    }
    let mut running = start(&config, &steps);
    let mut off: Vec<_> = PARTS.map(|_| running.line(SERIES)).into();
    off.sort_unstable();
    assert_eq!(
        off,
        PARTS.map(|part| format!("{part}\",reason=\"other\"}} 1"))
    );
    let process = running.id().to_string();
    let mut raise = Command::new(&prlimit);
    raise.args(["--nproc=1000:1000", "--pid", &process]);
    let raised = raise.uid(NOBODY).gid(NOBODY).status();
    assert!(raised.unwrap().success());
    running.go_on();
    let flushed = running.line("flush ");
    assert!(flushed.contains("pending_bytes: 0"), "{flushed}");
    let mut on: Vec<_> = PARTS.map(|_| running.line(SERIES)).into();
    on.sort_unstable();
    assert_eq!(
        on,
        PARTS.map(|part| format!("{part}\",reason=\"other\"}} 0"))
    );
    let scrape = get(running.listening(), "/metrics").unwrap();
    assert_eq!(scrape.status, 200);
    let ended = running.end();
    assert!(ended.status.success(), "{ended}");
    assert_eq!(hook.wait_for(1).len(), 1);
    assert_eq!(folder.read("logs/app.log").lines().count(), 2, "{ended}");
    assert_eq!(ended.stderr.lines().count(), 8, "{ended}");
    let strict = folder.write("strict.toml", &format!("{EXIT}{QUIET}"));
    let refused = start(&strict, &["init"]).end();
    assert_eq!(refused.status.code(), Some(1), "{refused}");
    assert!(
        refused.stderr.contains("cannot start the thread"),
        "{refused}"
    );
}

#[test]
fn with_exit_the_files_and_the_port_of_another_process_are_errors() {
    let folder = Folder::new();
    let config = format!("{EXIT}{QUIET}");
    let mut first = start(&folder, &config, &["init", "listening", "hold"]);
    let address = first.listening();
    let second = run(observed(SUBJECT, &folder, &config).arg("init"));
    assert_eq!(second.status.code(), Some(1), "{second}");
    assert!(second.stderr.contains("has it open"), "{second}");
    assert!(!folder.path().join("logs/app.2.log").exists());
    let config = format!("{EXIT}[server]\nlisten = \"{address}\"\n[log]\nenabled = false\n");
    let third = run(observed(SUBJECT, &folder, &config).arg("init"));
    assert_eq!(third.status.code(), Some(1), "{third}");
    assert!(third.stderr.contains("in use"), "{third}");
}

#[test]
fn a_mistake_in_the_configuration_is_an_error_in_both_modes() {
    let folder = Folder::new();
    for mode in ["", EXIT] {
        for (mistake, word) in [
            ("[log]\nfromat = \"json\"\n", "fromat"),
            ("[server]\nlisten = \"localhost\"\n", "socket address"),
            ("[server]\nlisten = \"0.0.0.0:0\"\n", "token"),
            (
                "[server]\ntoken = \"env:LLM_OBSERVE_UNSET\"\n",
                "LLM_OBSERVE_UNSET",
            ),
            ("[redact]\npatterns = [\"(\"]\n", "patterns"),
        ] {
            let ended = run(observed(SUBJECT, &folder, &format!("{mode}{mistake}")).arg("init"));
            assert_eq!(ended.status.code(), Some(1), "{ended}");
            assert!(ended.stderr.starts_with("Error: "), "{ended}");
            assert!(ended.stderr.contains(word), "{ended}");
        }
    }
}
