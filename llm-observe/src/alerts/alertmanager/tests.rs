use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Instant,
};

use llm_observe_config::Endpoint;

use super::*;
use crate::{
    alerts::Trigger,
    listener::{Listener, Reply},
    outbox::{Delivery, Outbox, Settings, tests::Folder},
    site::Severity,
};

const LONG: Duration = Duration::from_secs(20);

fn notice(status: Status, now: u64) -> Notice {
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
        Settings::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let now = now_micros();
    for status in [Status::Firing, Status::StillFiring, Status::Resolved] {
        outbox.put(Parcel::new("am", channel.encode(&notice(status, now))).key("query/1"));
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

#[test]
fn a_real_alertmanager_fires_once_and_resolves_once() {
    let listener = Listener::start(Reply::status(200, ""));
    let Some(real) = real(&listener.url("/hook")) else {
        println!("skipped: no alertmanager is installed");
        return;
    };
    let channel = to(&real.2);
    let outbox = Outbox::open(
        Settings::default(),
        vec![channel.clone() as _],
        Arc::default(),
    )
    .unwrap();
    let tell = |status| {
        let parcel =
            Parcel::new("am", channel.encode(&notice(status, now_micros()))).key("query/1");
        assert_eq!(outbox.deliver_now(parcel, LONG), Some(Delivery::Delivered));
    };
    let start = Instant::now();
    // Not up to the first answer: its API starts after its port.
    while outbox.deliver_now(Parcel::new("am", b"[]".to_vec()), LONG) != Some(Delivery::Delivered) {
        assert!(start.elapsed() < LONG, "alertmanager does not answer");
    }
    tell(Status::Firing);
    listener.wait_for(1);
    tell(Status::StillFiring);
    tell(Status::Resolved);
    let told = listener.wait_for(2);
    let status =
        |n: usize| serde_json::from_slice::<Value>(&told[n].body).unwrap()["status"].clone();
    assert_eq!((status(0), status(1)), ("firing".into(), "resolved".into()));
}
