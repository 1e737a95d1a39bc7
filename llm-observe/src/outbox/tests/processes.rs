//! Real processes on one folder, killed.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;

/// Runs in a process of its own, which the tests below kill.
#[test]
fn child_that_is_killed() {
    let Ok(dir) = std::env::var("LLM_OBSERVE_TEST_OUTBOX") else {
        return;
    };
    let to: Vec<Arc<dyn Destination>> = vec![ScriptedDestination::down("a")];
    let outbox = Outbox::open(options(Some(dir.into())), to, Arc::default()).unwrap();
    (0..5).for_each(|n| outbox.put(parcel("a", &format!("{n}")).key(format!("alert {n}"))));
    let slot = outbox.folder().unwrap();
    fs::write(slot.join("state.json"), "kept").unwrap();
    println!("put");
    std::thread::sleep(Duration::from_secs(60));
}

/// Starts one that has put five parcels when this returns.
fn child(folder: &Folder) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "outbox::tests::processes::child_that_is_killed",
            "--nocapture",
        ])
        .env("LLM_OBSERVE_TEST_OUTBOX", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("put")));
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn after_a_kill_the_next_process_delivers_once() {
    let folder = Folder::new();
    kill(child(&folder));
    for wanted in [5, 0] {
        let destination = ScriptedDestination::taking("a");
        open(&folder, &destination, &Arc::default()).flush(LONG);
        assert_eq!(destination.texts().len(), wanted);
    }
}

#[test]
fn after_a_kill_a_running_process_delivers_what_is_left() {
    let (folder, destination) = (Folder::new(), ScriptedDestination::taking("a"));
    let limits = OutboxOptions {
        upkeep: Duration::from_millis(20),
        ..options(Some(folder.path()))
    };
    let to = vec![destination.clone() as Arc<dyn Destination>];
    let outbox = Outbox::open(limits, to, Arc::default()).unwrap();
    // More often than there are slots: what was taken up is free again.
    for round in 1..=3 {
        let child = child(&folder);
        assert_eq!(
            destination.texts().len(),
            (round - 1) * 5,
            "it is alive: its own"
        );
        kill(child);
        let start = Instant::now();
        while destination.texts().len() < round * 5 {
            assert!(
                start.elapsed() < LONG,
                "{} delivered",
                destination.texts().len()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    assert_eq!(outbox.flush(LONG).kept(), 0);
    assert!(files(&folder.path()).is_empty());
    let slots = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(slots, 2, "the dead ones' slot was used again");
    let left = fs::read_dir(outbox.orphans().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left.len(), 3);
    assert!(left[0].to_str().unwrap().ends_with("-state.json"));
}

#[test]
fn orphans_that_a_dead_process_had_adopted_are_adopted_again() {
    let folder = Folder::new();
    let first = open(&folder, &ScriptedDestination::taking("a"), &Arc::default());
    let second = folder.path().join("1/left");
    fs::create_dir_all(&second).unwrap();
    fs::write(second.join("0123-state.json"), "kept").unwrap();
    drop(first);
    let outbox = open(&folder, &ScriptedDestination::taking("a"), &Arc::default());
    let left: Vec<_> = fs::read_dir(outbox.orphans().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1);
    let path = left[0].as_ref().unwrap().path();
    assert!(path.to_str().unwrap().ends_with("-state.json"));
    assert_eq!(fs::read_to_string(path).unwrap(), "kept");
}
