//! Alerts across the end of a process, orderly or not.

use super::*;

#[test]
fn after_a_restart_the_same_incident_is_not_sent_again() {
    let folder = Folder::new();
    let boom = error("boom", ErrorClass::Internal);
    let (alerts, outbox, kept) = start(&Config::default(), Some(folder.path()));
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    assert!(alerts.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    drop((alerts, outbox));
    assert_eq!(kept.notices.lock().unwrap().len(), 1);

    let (alerts, _outbox, kept) = start(&Config::default(), Some(folder.path()));
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    assert!(alerts.flush(LONG));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
}

#[test]
fn an_alert_that_was_not_delivered_arrives_once_after_a_restart() {
    let folder = Folder::new();
    let down = Arc::new(RecordingChannel::default());
    down.down.set(()).unwrap();
    let (alerts, outbox, _) = start_with(&Config::default(), Some(folder.path()), down.clone());
    alerts.record(&record(
        &ALERTING,
        Outcome::Error,
        Some(&error("boom", ErrorClass::Internal)),
    ));
    assert!(alerts.flush(LONG));
    drop((alerts, outbox));
    let (_alerts, outbox, kept) = start(&Config::default(), Some(folder.path()));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    assert_eq!(*kept.delivered.lock().unwrap(), 1);
}

#[test]
fn an_alert_whose_group_is_open_at_a_kill_is_sent_by_the_next_process() {
    let folder = Folder::new();
    let patient = config("[alerts]\ngroup_wait = \"1h\"\n");
    let (alerts, outbox, kept) = start(&patient, Some(folder.path()));
    let boom = error("boom", ErrorClass::Internal);
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    let file = folder.path().join("0/alerts.json");
    let start_of_wait = std::time::Instant::now();
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("boom")) {
        assert!(start_of_wait.elapsed() < LONG, "it is not saved");
        std::thread::yield_now();
    }
    // As a kill leaves it: what the end of this process adds is taken away again.
    let left = std::fs::read(&file).unwrap();
    drop((alerts, outbox));
    assert_eq!(
        kept.notices.lock().unwrap().len(),
        1,
        "an orderly end tells it"
    );
    for entry in std::fs::read_dir(folder.path().join("0")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    std::fs::write(&file, left).unwrap();
    let (alerts, outbox, kept) = start(&Config::default(), Some(folder.path()));
    assert!(alerts.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    let notices = kept.notices.lock().unwrap();
    assert_eq!(
        (notices[0].status, notices[0].count),
        (NoticeStatus::Firing, 1)
    );
    assert_eq!(notices[0].errors[0].message, "boom");
}

#[test]
fn an_incident_of_a_process_that_died_beside_this_one_is_resolved_by_it() {
    let folder = Folder::new();
    let brief = config("[alerts]\nresolve_after = \"10ms\"\n");
    // What the other tells of is in its slot when it is gone.
    let (alerts, outbox, _) = start(
        &config("[alerts]\ngroup_wait = \"0s\"\n"),
        Some(folder.path()),
    );
    alerts.record(&record(
        &ALERTING,
        Outcome::Error,
        Some(&error("boom", ErrorClass::Internal)),
    ));
    assert!(alerts.flush(LONG));
    let state = std::fs::read(outbox.folder().unwrap().join("alerts.json")).unwrap();
    drop((alerts, outbox));
    std::fs::remove_dir_all(folder.path()).unwrap();

    let (alerts, outbox, kept) = start(&brief, Some(folder.path()));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
    std::fs::create_dir_all(outbox.orphans().unwrap()).unwrap();
    let left = outbox.orphans().unwrap().join("0123-alerts.json");
    std::fs::write(&left, state).unwrap();
    let start = std::time::Instant::now();
    while kept.notices.lock().unwrap().is_empty() {
        assert!(start.elapsed() < LONG, "it is not taken up");
        assert!(alerts.flush(LONG));
    }
    let notices = kept.notices.lock().unwrap();
    assert_eq!(
        (notices[0].status, notices[0].count),
        (NoticeStatus::Resolved, 1)
    );
    assert!(!left.exists());
}

/// A kill between the message and the saved state leaves both; the next process may
/// deliver the message before it reads the note.
#[test]
fn an_alert_that_is_delivered_before_the_state_is_read_is_not_sent_again() {
    let folder = Folder::new();
    let patient = config("[alerts]\ngroup_wait = \"1h\"\n");
    let down = Arc::new(RecordingChannel::default());
    down.down.set(()).unwrap();
    let (alerts, outbox, _) = start_with(&patient, Some(folder.path()), down);
    let boom = error("boom", ErrorClass::Internal);
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    let file = folder.path().join("0/alerts.json");
    let began = std::time::Instant::now();
    while !std::fs::read_to_string(&file).is_ok_and(|text| text.contains("boom")) {
        assert!(began.elapsed() < LONG, "it is not saved");
        std::thread::yield_now();
    }
    let unsent = std::fs::read(&file).unwrap();
    assert!(alerts.flush(LONG));
    drop((alerts, outbox));
    std::fs::write(&file, unsent).unwrap();

    outbox::tests::wait_for_owner(&folder.path());
    let channel = Arc::new(RecordingChannel::default());
    let settings = OutboxOptions {
        dir: Some(folder.path()),
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(settings, vec![channel.clone() as _], Arc::default()).unwrap();
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    let mut policy =
        IncidentPolicy::new(AlertTiming::new(&patient.alerts).unwrap(), HashMap::new());
    state::restore(&outbox, &mut policy, now_micros());
    assert_eq!(policy.due_now(now_micros()), []);
}
