//! Two instances of one program in one folder.

use std::{collections::BTreeMap, fs};

use llm_observe_tests::{
    folder::Folder,
    http::get,
    metrics::value,
    program::{Running, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");

fn start(folder: &Folder, config: &str, steps: &[&str]) -> Running {
    Running::start(observed(SUBJECT, folder, config).args(steps))
}

/// The lines of each log file in the folder.
fn lines_by_file(folder: &Folder) -> BTreeMap<String, Vec<String>> {
    let files = fs::read_dir(folder.path().join("logs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let logs = names.filter(|name| !name.starts_with('.') && name.contains(".log"));
    logs.map(|name| {
        let text = folder.read(&format!("logs/{name}"));
        (name, text.lines().map(str::to_owned).collect())
    })
    .collect()
}

#[test]
fn two_instances_with_default_settings_both_work() {
    let folder = Folder::new();
    // No setting but a second file.
    let config = "[loggers.errors]\nfile = \"errors.log\"\noutcomes = [\"error\"]\n";
    let steps = [
        "init",
        "work",
        "fail",
        "files",
        "flush",
        "listening",
        "hold",
    ];
    let mut first = start(&folder, config, &steps);
    let files = first.line("files ");
    assert_eq!(files, "[\"logs/errors.log\", \"logs/app.log\"]");
    let at_first = first.listening();
    let mut second = start(&folder, config, &steps);
    let files = second.line("files ");
    assert_eq!(files, "[\"logs/errors.2.log\", \"logs/app.2.log\"]");
    let at_second = second.listening();
    assert_ne!(at_first, at_second);
    for address in [at_first, at_second] {
        let scrape = get(address, "/metrics").unwrap().body;
        let info = format!("llm_observe_server_info{{address=\"{address}\"}}");
        assert_eq!(value(&scrape, &info), Some(1), "{scrape}");
        assert!(!scrape.contains("llm_observe_degraded{"), "{scrape}");
    }
    let [first, second] = [first.end(), second.end()];
    for ended in [&first, &second] {
        assert!(ended.status.success(), "{ended}");
    }
    assert_eq!(first.said("app.log"), [""; 0], "{first}");
    let files = second.said("app.2.log");
    assert_eq!(files.len(), 1, "{second}");
    assert!(
        files[0].contains("logs/errors.2.log, logs/app.2.log"),
        "{second}"
    );
    let port = second.said(&format!("http://{at_second}/"));
    assert_eq!(port.len(), 1, "{second}");
    assert!(port[0].starts_with("port 9464 is in use"), "{second}");
    // Each call has its line once.
    let lines = lines_by_file(&folder);
    let counts: Vec<_> = lines
        .iter()
        .map(|(name, lines)| (&**name, lines.len()))
        .collect();
    let expected = [
        ("app.2.log", 2),
        ("app.log", 2),
        ("errors.2.log", 1),
        ("errors.log", 1),
    ];
    assert_eq!(counts, expected);
    assert_ne!(lines["errors.log"], lines["errors.2.log"]);
}

#[test]
fn lines_of_a_killed_second_instance_are_recovered() {
    let folder = Folder::new();
    let config = "[server]\nlisten = \"off\"\n";
    let lines = |file: &str| folder.read(file).matches(" failing error in ").count();
    let steps = ["init", "files", "burst", "hold"];
    let killed_second = || {
        let mut second = start(&folder, config, &steps);
        assert_eq!(second.line("files "), "[\"logs/app.2.log\"]");
        assert_eq!(second.line("burst "), "50");
        drop(second);
    };
    let mut first = start(&folder, config, &["init", "files", "hold"]);
    first.line("files ");
    killed_second();
    // By the next second instance, and after that by one that is alone and writes `app.log`.
    killed_second();
    let ended = first.end();
    assert!(ended.status.success(), "{ended}");
    let alone = run(observed(SUBJECT, &folder, config).args(["init", "files"]));
    assert!(alone.stdout.contains("files [\"logs/app.log\"]"), "{alone}");
    assert_eq!(lines("logs/app.2.log"), 100);
    assert_eq!(lines("logs/app.log"), 0);
    let left = fs::read_dir(folder.path().join("logs")).unwrap();
    let left = left.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.ends_with(".spool")).count(), 0);
}

/// Rotation and retention of one instance leave the files of the other alone.
#[test]
fn two_instances_rotate_their_own_files() {
    let folder = Folder::new();
    let config = "[server]\nlisten = \"off\"\n[log]\nmax_bytes = \"1KB\"\nbackups = 2\n";
    let steps = ["init", "burst", "flush", "await", "burst", "flush", "hold"];
    let mut first = start(&folder, config, &steps);
    first.line("flush ");
    let mut second = start(&folder, config, &steps);
    second.line("flush ");
    for running in [&mut first, &mut second] {
        running.go_on();
        running.line("flush ");
    }
    for running in [first, second] {
        let ended = running.end();
        assert!(ended.status.success(), "{ended}");
    }
    let files = lines_by_file(&folder);
    for live in ["app.log", "app.2.log"] {
        let rotated = format!("{live}.");
        let own = files.keys().filter(|name| name.starts_with(&rotated));
        assert_eq!(own.count(), 2, "{live}: {:?}", files.keys());
    }
    assert_eq!(files.len(), 6);
}
