use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;
use crate::{
    outbox::{Outbox, Settings},
    stats::Stats,
};

/// A real SMTP server, aiosmtpd, which prints what it takes; ended when dropped.
struct Server(Child, u16, Box<dyn Iterator<Item = String>>);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server() -> Option<Server> {
    let python = std::env::var("LLM_OBSERVE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers/smtp_server.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stdout.take()?)
        .lines()
        .map_while(Result::ok);
    match lines.next().and_then(|port| port.parse().ok()) {
        Some(port) => Some(Server(child, port, Box::new(lines))),
        None => {
            let _ = child.wait();
            None
        }
    }
}

fn to(port: u16, receiver: &str) -> Arc<dyn Channel> {
    let mut settings = config::Email::new(
        "127.0.0.1",
        "Alerts <alerts@example.com>",
        vec![receiver.to_owned()],
    );
    settings.tls = config::Tls::None;
    settings.port = port;
    channel("mail", &settings).unwrap()
}

fn notice(status: Status) -> Notice {
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
    let Some(mut server) = server() else {
        println!("skipped: no aiosmtpd");
        return;
    };
    let stats = Arc::<Stats>::default();
    let limit = Duration::from_secs(20);
    for (receiver, results) in [
        ("ok@example.com", (2, 0, 0)),
        ("later@example.com", (1, 1, 0)),
        ("never@example.com", (0, 0, 1)),
    ] {
        let channel = to(server.1, receiver);
        let settings = Settings {
            backoff: Duration::from_millis(10),
            ..Settings::default()
        };
        let stats = if receiver.starts_with("ok") {
            stats.clone()
        } else {
            Arc::default()
        };
        let outbox = Outbox::open(settings, vec![channel.clone() as _], stats.clone()).unwrap();
        let statuses = if receiver.starts_with("ok") {
            vec![Status::Firing, Status::Resolved]
        } else {
            vec![Status::Firing]
        };
        for status in statuses {
            outbox.put(Parcel::new("mail", channel.encode(&notice(status))).key("k"));
        }
        outbox.flush(limit);
        let count = |result| {
            stats
                .counter(
                    "llm_observe_deliveries_total",
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
    let mut next = || serde_json::from_str::<serde_json::Value>(&server.2.next().unwrap()).unwrap();
    let (first, second) = (next(), next());
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
fn an_address_that_is_none_is_an_error_that_names_the_key() {
    let settings = config::Email::new("localhost", "nobody", vec!["a@example.com".into()]);
    let error = channel("mail", &settings).err().unwrap().to_string();
    assert!(
        error.starts_with("channels.mail.from: `nobody` is no address"),
        "{error}"
    );
}
