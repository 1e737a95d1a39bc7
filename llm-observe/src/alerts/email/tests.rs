use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use llm_observe_test_support::peers;

use super::*;
use crate::{
    kernel::stats::Stats,
    outbox::{Outbox, OutboxOptions, tests::skipped},
};

/// A real SMTP server, aiosmtpd, which prints what it takes; ended when dropped.
pub(in crate::alerts) struct Server {
    child: Child,
    pub(in crate::alerts) port: u16,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(in crate::alerts) fn start(arguments: &[String]) -> Option<Server> {
        let python = peers::python("aiosmtpd", "aiosmtpd")?;
        let mut child = Command::new(python)
            .arg(peers::SMTP_SERVER)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(child.stdout.take()?)
            .lines()
            .map_while(Result::ok);
        match lines.next().and_then(|port| port.parse().ok()) {
            Some(port) => Some(Server {
                child,
                port,
                lines: Box::new(lines),
            }),
            None => {
                let _ = child.wait();
                None
            }
        }
    }

    /// Returns the next message that it took.
    fn next(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.lines.next().unwrap()).unwrap()
    }

    /// Ends it and returns what it took and nobody asked for.
    pub(in crate::alerts) fn end(mut self) -> Vec<serde_json::Value> {
        self.child.kill().unwrap();
        let lines = self.lines.by_ref();
        lines
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }
}

fn to(port: u16, receivers: &[&str]) -> Arc<dyn Channel> {
    let receivers = receivers.iter().map(|&to| to.to_owned()).collect();
    let mut settings = config::Email::new("127.0.0.1", "Alerts <alerts@example.com>", receivers);
    settings.tls = config::Tls::None;
    settings.port = port;
    channel("mail", &settings).unwrap()
}

fn notice(status: NoticeStatus) -> Notice {
    Notice {
        key: "query/f/1".into(),
        event: "query\r\nBcc: evil@example.com".into(),
        functions: vec!["rag::query".into()],
        count: 2,
        runbook: Some("https://wiki.example/q?a=1&b=\"2".into()),
        ..Notice::empty(status, 1_795_392_000_000_000)
    }
}

#[test]
fn a_real_server_takes_a_thread_and_its_codes_are_understood() {
    let Some(mut server) = Server::start(&[]) else {
        skipped("no aiosmtpd");
        return;
    };
    let stats = Arc::<Stats>::default();
    let limit = Duration::from_secs(20);
    for (receiver, results) in [
        ("ok@example.com", (2, 0, 0)),
        ("later@example.com", (1, 1, 0)),
        ("never@example.com", (0, 0, 1)),
    ] {
        let channel = to(server.port, &[receiver]);
        let settings = OutboxOptions {
            backoff: Duration::from_millis(10),
            ..OutboxOptions::default()
        };
        let stats = if receiver.starts_with("ok") {
            stats.clone()
        } else {
            Arc::default()
        };
        let outbox = Outbox::open(settings, vec![channel.clone() as _], stats.clone()).unwrap();
        let statuses = if receiver.starts_with("ok") {
            vec![NoticeStatus::Firing, NoticeStatus::Resolved]
        } else {
            vec![NoticeStatus::Firing]
        };
        for status in statuses {
            outbox.put(
                Parcel::new("mail", channel.encode(&Redacted::for_test(notice(status)))).key("k"),
            );
        }
        outbox.flush(limit);
        let count = |result| {
            stats
                .counter(
                    crate::kernel::metrics_table::DELIVERIES,
                    &[("destination", "mail"), ("result", result)],
                )
                .get()
        };
        assert_eq!(
            (count("delivered"), count("retried"), count("refused")),
            results,
            "{receiver}"
        );
    }
    let (first, second) = (server.next(), server.next());
    assert_eq!(first["message-id"], second["in-reply-to"]);
    assert_eq!(
        first["bcc"],
        serde_json::Value::Null,
        "no text can add a header"
    );
    assert_eq!(
        first["parts"],
        serde_json::json!(["text/plain", "text/html"])
    );
    assert_eq!(first["auto-submitted"], "auto-generated");
    let text = first["text"].as_str().unwrap();
    assert!(text.contains("rag::query") && text.contains("Runbook: https://wiki.example/q?a=1&b="));
    assert!(
        first["html"]
            .as_str()
            .unwrap()
            .contains("<a href=\"https://wiki.example/q?a=1&amp;b=&quot;2\">Runbook</a>")
    );
}

#[test]
fn a_delayed_mail_shows_its_delay_in_its_subject() {
    let channel = to(25, &["ok@example.com"]);
    for event in ["query", "запрос"] {
        let notice = Notice {
            event: event.into(),
            service: "rag".into(),
            ..notice(NoticeStatus::Firing)
        };
        let mut parcel = Parcel::new("mail", channel.encode(&Redacted::for_test(notice.clone())));
        assert_eq!(with_delay(&parcel), parcel.body(), "in time");
        parcel.created -= 3_900 * 1_000_000;
        let late = String::from_utf8(with_delay(&parcel)).unwrap();
        let subject = late
            .split("\r\n")
            .find(|line| line.starts_with("Subject"))
            .unwrap();
        assert!(
            subject.starts_with("Subject: [1 h 5 min late] "),
            "{subject}"
        );
        assert_eq!(
            late.replacen("[1 h 5 min late] ", "", 1).as_bytes(),
            parcel.body()
        );
    }
}

#[test]
fn one_receiver_that_is_refused_keeps_it_from_no_other() {
    let Some(mut server) = Server::start(&[]) else {
        skipped("no aiosmtpd");
        return;
    };
    let limit = Duration::from_secs(20);
    let send = |receivers: &[&str]| {
        let channel = to(server.port, receivers);
        let to = vec![channel.clone() as _];
        let outbox = Outbox::open(OutboxOptions::default(), to, Arc::default()).unwrap();
        let parcel = Parcel::new(
            "mail",
            channel.encode(&Redacted::for_test(notice(NoticeStatus::Firing))),
        );
        outbox.deliver_now(parcel, limit).unwrap()
    };
    let sent = send(&["never@example.com", "ok@example.com"]);
    assert_eq!(sent, Delivery::Delivered);
    let gone = send(&["never@example.com", "never@example.org"]);
    assert!(matches!(gone, Delivery::Refused { .. }), "{gone:?}");
    assert_eq!(server.next()["to"], serde_json::json!(["ok@example.com"]));
    assert_eq!(server.end(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_server_that_closes_what_is_idle_gets_the_next_message_too() {
    let Some(mut server) = Server::start(&["--idle".to_owned(), "0.5".to_owned()]) else {
        skipped("no aiosmtpd");
        return;
    };
    let channel = to(server.port, &["ok@example.com"]);
    let to = vec![channel.clone() as _];
    let outbox = Outbox::open(OutboxOptions::default(), to, Arc::default()).unwrap();
    for message in 1..=2 {
        outbox.put(Parcel::new(
            "mail",
            channel.encode(&Redacted::for_test(notice(NoticeStatus::Firing))),
        ));
        let report = outbox.flush(Duration::from_secs(20));
        assert_eq!((report.delivered(), report.kept()), (message, 0));
        server.next();
        std::thread::sleep(Duration::from_millis(700));
    }
}

#[test]
fn an_address_that_is_none_is_an_error_that_names_the_key() {
    let settings = config::Email::new("localhost", "nobody", vec!["a@example.com".into()]);
    let error = channel("mail", &settings).err().unwrap().to_string();
    assert!(
        error.starts_with("channels.mail.from: `nobody` is no address"),
        "{error}"
    );
}
