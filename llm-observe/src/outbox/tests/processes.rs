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
fn two_processes_at_once_have_a_slot_each() {
    let folder = Folder::new();
    let both = [child(&folder), child(&folder)];
    let slots = || fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(slots(), 2);
    both.into_iter().for_each(kill);
    let destination = ScriptedDestination::taking("a");
    open(&folder, &destination, &Arc::default()).flush(LONG);
    let mut texts = destination.texts();
    texts.sort_unstable();
    let twice: Vec<_> = (0..10).map(|n| (n / 2).to_string()).collect();
    assert_eq!(texts, twice);
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

#[test]
fn a_folder_that_can_be_used_later_gets_what_waits_in_memory() {
    let folder = Folder::new();
    kill(child(&folder));
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();
    fs::write(folder.path(), "a file in the way").unwrap();
    let down = ScriptedDestination::down("a");
    let outbox = open(&folder, &down, &Arc::default());
    assert!(outbox.take_no_folder().is_some());
    assert!(outbox.take_no_folder().is_none(), "once");
    (5..10).for_each(|n| outbox.put(parcel("a", &format!("{n}"))));
    assert!(outbox.reopen()().is_err());
    fs::remove_file(folder.path()).unwrap();
    fs::rename(&away, folder.path()).unwrap();
    outbox.reopen()().unwrap();
    outbox.put(parcel("a", "10"));
    let left = fs::read_dir(outbox.orphans().unwrap()).unwrap().count();
    assert_eq!(left, 1, "the state of the killed process");
    let start = Instant::now();
    // One in flight is written at the next round.
    while files(&folder.path()).len() < 11 {
        assert!(start.elapsed() < LONG);
        outbox.reopen()().unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(outbox.flush(Duration::ZERO).unsaved(), 0);
    drop(outbox);
    let up = ScriptedDestination::taking("a");
    assert_eq!(open(&folder, &up, &Arc::default()).flush(LONG).kept(), 0);
    assert_eq!(up.texts().len(), 11);
}
