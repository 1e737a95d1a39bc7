//! A call that hangs is reported while it hangs. One observer a process, so one test.

use std::{
    fs,
    sync::mpsc,
    time::{Duration, Instant},
};

use llm_observe::{Observer, config::Config, observe};

#[observe(event = "embedding", stalled = "100ms")]
fn waits(released: &mpsc::Receiver<()>) {
    released.recv().unwrap();
}

#[test]
fn a_hanging_call_has_its_line_and_its_gauge_before_it_ends() {
    let folder = std::env::temp_dir().join(format!("llm-observe-stalled-{}", std::process::id()));
    let text =
        format!("[log]\ndir = {folder:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n");
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    let (release, released) = mpsc::channel();
    let call = std::thread::spawn(move || waits(&released));
    let gauge = "llm_observe_stalled_calls{event=\"embedding\",function=\"stalled::waits\"}";
    let deadline = Instant::now() + Duration::from_secs(20);
    while !observer.metrics().unwrap().contains(&format!("{gauge} 1")) {
        assert!(Instant::now() < deadline, "the call is never reported");
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = observer.flush(Duration::from_secs(5));
    let log = fs::read_to_string(folder.join("app.log")).unwrap();
    assert!(
        log.contains(" - WARN - embedding still running after "),
        "{log}"
    );
    release.send(()).unwrap();
    call.join().unwrap();
    assert!(observer.metrics().unwrap().contains(&format!("{gauge} 0")));
    let _ = observer.flush(Duration::from_secs(5));
    let log = fs::read_to_string(folder.join("app.log")).unwrap();
    assert!(
        log.contains("embedding was stalled and has ended after"),
        "{log}"
    );
    let _ = fs::remove_dir_all(folder);
}
