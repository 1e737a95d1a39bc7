use std::{
    fs, io,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Instant,
};

use llm_observe_config::Endpoint;

use super::*;
use crate::{
    alerts::Trigger,
    kernel::alert_rule::Severity,
    listener::{Listener, Reply},
    outbox::{
        Delivery, Outbox, OutboxOptions,
        tests::{Folder, skipped},
    },
};

const LONG: Duration = Duration::from_secs(20);

fn notice(status: NoticeStatus, now: u64) -> Notice {
    Notice {
        key: "query/1".into(),
        event: "query".into(),
        functions: vec!["rag::query".into()],
        trigger: Trigger::Error,
        severity: Severity::Error,
        count: 3,
        first: now - 10_000_000,
        service: "rag".into(),
        trace_url: Some("https://t.example/4bf9".into()),
        ..Notice::empty(status, now - 1_000_000)
    }
}

fn to(address: &str) -> Arc<dyn Channel> {
    let mut settings = config::Alertmanager::new(Endpoint::Url(format!("http://{address}/")));
    settings.labels.insert("team".into(), "search".into());
    channel("am", &settings).unwrap()
}

#[test]
fn firing_and_resolved_have_the_same_labels_and_their_own_ends() {
    let listener = Listener::start(Reply::status(200, ""));
    let channel = to(&listener.address().to_string());
    let outbox = Outbox::open(
        OutboxOptions::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let now = now_micros();
    for status in [
        NoticeStatus::Firing,
        NoticeStatus::StillFiring,
        NoticeStatus::Resolved,
    ] {
        outbox.put(
            Parcel::new(
                "am",
                channel.encode(&Redacted::for_test(notice(status, now))),
            )
            .key("query/1"),
        );
    }
    assert_eq!(outbox.flush(LONG).delivered(), 3);
    let sent: Vec<Value> = listener
        .requests()
        .iter()
        .map(|r| serde_json::from_slice(&r.body).unwrap())
        .collect();
    assert_eq!(listener.requests()[0].line, "POST /api/v2/alerts HTTP/1.1");
    assert_eq!(sent[0][0]["labels"], sent[2][0]["labels"]);
    assert_eq!(sent[0][0]["labels"]["alertname"], "query");
    assert_eq!(sent[0][0]["labels"]["team"], "search");
    let annotations = &sent[0][0]["annotations"];
    assert_eq!(annotations["trace_url"], "https://t.example/4bf9");
    assert_eq!(annotations["dashboard_url"], Value::Null);
    let ends = |n: usize| {
        sent[n][0]["endsAt"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert!(ends(0) > jiff::Timestamp::now() && ends(2) < jiff::Timestamp::now());
}

/// The real thing, ended when dropped.
struct Real(
    Child,
    #[expect(dead_code, reason = "removed when dropped")] Folder,
    String,
);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts Debian's `prometheus-alertmanager` (or upstream's `alertmanager`), where there is one.
fn real(receiver: &str) -> Option<Real> {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    let file = folder.path().join("alertmanager.yml");
    fs::write(&file, format!("route:\n  receiver: us\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1s\nreceivers:\n- name: us\n  webhook_configs:\n  - url: {receiver}\n    send_resolved: true\n")).unwrap();
    let address = Listener::nobody().to_string();
    let child = ["prometheus-alertmanager", "alertmanager"]
        .iter()
        .find_map(|name| {
            Command::new(name)
                .arg(format!("--config.file={}", file.display()))
                .arg(format!(
                    "--storage.path={}",
                    folder.path().join("data").display()
                ))
                .arg(format!("--web.listen-address={address}"))
                .arg("--cluster.listen-address=")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        })?;
    let real = Real(child, folder, address);
    let start = Instant::now();
    while TcpStream::connect(&real.2).is_err() {
        assert!(start.elapsed() < LONG, "alertmanager does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(real)
}

/// Starts a real one that calls `listener`, and a way to tell it; `None` where there is none.
fn real_and_outbox(listener: &Listener, shared: bool) -> Option<(Real, Outbox, Arc<dyn Channel>)> {
    let Some(real) = real(&listener.url("/hook")) else {
        skipped("no alertmanager is installed");
        return None;
    };
    let mut settings = config::Alertmanager::new(Endpoint::Url(format!("http://{}", real.2)));
    settings.shared = shared;
    let channel = channel("am", &settings).unwrap();
    let to = vec![channel.clone() as _];
    let outbox = Outbox::open(OutboxOptions::default(), to, Arc::default()).unwrap();
    let start = Instant::now();
    // Not up to the first answer: its API starts after its port.
    while outbox.deliver_now(Parcel::new("am", Redacted::for_test(b"[]".to_vec())), LONG)
        != Some(Delivery::Delivered)
    {
        assert!(start.elapsed() < LONG, "alertmanager does not answer");
    }
    Some((real, outbox, channel))
}

fn tell(outbox: &Outbox, channel: &Arc<dyn Channel>, notice: &Notice) {
    let parcel =
        Parcel::new("am", channel.encode(&Redacted::for_test(notice.clone()))).key("query/1");
    assert_eq!(outbox.deliver_now(parcel, LONG), Some(Delivery::Delivered));
}

/// Returns what it says of its notifications: status and severity.
fn received(listener: &Listener, most: usize) -> Vec<(String, String)> {
    let received_all = |request: &crate::listener::Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            text(&body["status"]),
            text(&body["commonLabels"]["severity"]),
        )
    };
    listener.wait_for(most).iter().map(received_all).collect()
}

#[test]
fn a_real_alertmanager_fires_once_and_resolves_once() {
    let listener = Listener::start(Reply::status(200, ""));
    let Some((_real, outbox, channel)) = real_and_outbox(&listener, false) else {
        return;
    };
    let tell = |status| tell(&outbox, &channel, &notice(status, now_micros()));
    tell(NoticeStatus::Firing);
    listener.wait_for(1);
    tell(NoticeStatus::StillFiring);
    tell(NoticeStatus::Resolved);
    let error = |status: &str| (status.to_owned(), "error".to_owned());
    assert_eq!(received(&listener, 2), [error("firing"), error("resolved")]);
}

#[test]
fn a_real_alertmanager_has_one_alert_after_it_has_become_worse() {
    let listener = Listener::start(Reply::status(200, ""));
    let Some((_real, outbox, channel)) = real_and_outbox(&listener, false) else {
        return;
    };
    tell(
        &outbox,
        &channel,
        &notice(NoticeStatus::Firing, now_micros()),
    );
    listener.wait_for(1);
    let worse = Notice {
        severity: Severity::Critical,
        risen_from: Some(Severity::Error),
        ..notice(NoticeStatus::StillFiring, now_micros())
    };
    tell(&outbox, &channel, &worse);
    let mut received_all = received(&listener, 3);
    received_all.sort();
    let pair = |status: &str, severity: &str| (status.to_owned(), severity.to_owned());
    let wanted = [
        pair("firing", "critical"),
        pair("firing", "error"),
        pair("resolved", "error"),
    ];
    assert_eq!(received_all, wanted);
}

#[test]
fn of_a_fleet_one_that_recovers_ends_no_alert() {
    let listener = Listener::start(Reply::status(200, ""));
    let Some((real, outbox, channel)) = real_and_outbox(&listener, true) else {
        return;
    };
    tell(
        &outbox,
        &channel,
        &notice(NoticeStatus::Firing, now_micros()),
    );
    listener.wait_for(1);
    tell(
        &outbox,
        &channel,
        &notice(NoticeStatus::Resolved, now_micros()),
    );
    let mut client = TcpStream::connect(&real.2).unwrap();
    let request = "GET /api/v2/alerts?active=true HTTP/1.0\r\n\r\n";
    io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    let mut received_all = String::new();
    io::Read::read_to_string(&mut client, &mut received_all).unwrap();
    let body = received_all.split_once("\r\n\r\n").unwrap().1;
    let alerts: Value = serde_json::from_str(body).unwrap();
    assert_eq!(alerts[0]["status"]["state"], "active", "{received_all}");
}
