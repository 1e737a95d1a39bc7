//! TLS against real listeners: whom a delivery trusts, what it says when it does not, and that it
//! then sends nothing. Certificates are trusted by `SSL_CERT_FILE`, so each delivery is made by a
//! process of its own.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use llm_observe_config as config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

use super::super::{
    Notice, Parcel,
    email::{self, tests::Server},
    webhook,
};
use crate::{
    outbox::{
        Outbox, OutboxOptions,
        tests::{Folder, skipped},
    },
    redact::Redacted,
};

const LONG: Duration = Duration::from_secs(20);

/// A certificate authority of the test's own, and one certificate of it.
struct Certified {
    folder: Folder,
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
    server: Arc<ServerConfig>,
}

impl Certified {
    fn new(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certified {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        let whose = format!("{:016x}", fastrand::u64(..));
        authority.distinguished_name.push(DnType::CommonName, whose);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = || KeyPair::generate().unwrap();
        let authority = CertifiedIssuer::self_signed(authority, key()).unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = key();
        let cert = params.signed_by(&key, &authority).unwrap();

        let folder = Folder::new();
        fs::create_dir_all(folder.path()).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![cert.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        Certified {
            ca: file("ca.pem", authority.pem()),
            cert: file("cert.pem", cert.pem()),
            key: file("key.pem", key.serialize_pem()),
            server: Arc::new(server.unwrap()),
            folder,
        }
    }

    fn local() -> Certified {
        Certified::new("127.0.0.1", |_| {})
    }
}

/// An HTTPS server that takes what it is sent, and keeps it.
struct Https(SocketAddr, Arc<Mutex<Vec<String>>>);

impl Https {
    fn start(certified: &Certified) -> Https {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, config) = (listener.local_addr().unwrap(), certified.server.clone());
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that does not trust it ends the handshake.
                if let Ok(request) = answer(stream, config.clone()) {
                    kept.lock().unwrap().push(request);
                }
            }
        });
        Https(address, requests)
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> io::Result<String> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[start..].trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length])?;
    let stream = stream.get_mut();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")?;
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(head)
}

const CHILD: &str = "LLM_OBSERVE_TEST_TLS";

/// Runs in a process of its own: delivers one message to where the variable says, and prints
/// what came of it.
#[test]
fn child_that_delivers() {
    let Ok(to) = std::env::var(CHILD) else {
        return;
    };
    let channel = match to.split_once(' ') {
        Some((tls, port)) => {
            let receivers = vec!["ok@example.com".to_owned()];
            let mut settings = config::Email::new("127.0.0.1", "a@example.com", receivers);
            settings.tls = tls.parse().unwrap();
            settings.port = port.parse().unwrap();
            email::channel("c", &settings).unwrap()
        }
        None => {
            let url = config::Secret::Env(CHILD.to_owned());
            webhook::channel("c", &config::Webhook::new(url)).unwrap()
        }
    };
    let to = vec![channel.clone() as _];
    let outbox = Outbox::open(OutboxOptions::default(), to, Arc::default()).unwrap();
    let parcel = Parcel::new("c", channel.encode(&Redacted::for_test(Notice::test(1))));
    println!("answer: {:?}", outbox.deliver_now(parcel, LONG).unwrap());
}

/// Delivers in a process that trusts what `ca` has, and returns what came of it.
fn delivered(to: &str, ca: &Certified) -> String {
    let run = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "alerts::tests::tls::child_that_delivers",
            "--nocapture",
        ])
        .env(CHILD, to)
        .env("SSL_CERT_FILE", &ca.ca)
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let line = said
        .split("answer: ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    line.unwrap_or_else(|| panic!("{run:?}")).to_owned()
}

fn retried(answer: &str, why: &str) {
    assert!(
        answer.starts_with("Retry") && answer.contains(why),
        "{answer}"
    );
}

#[test]
fn https_is_trusted_by_its_certificate_alone_and_gets_nothing_otherwise() {
    let good = Certified::local();
    let server = Https::start(&good);
    let url = |server: &Https| format!("https://{}/in?token=t0k3n", server.0);
    assert_eq!(delivered(&url(&server), &good), "Delivered");
    assert!(server.1.lock().unwrap()[0].starts_with("POST /in?token=t0k3n HTTP/1.1"));

    let unknown = delivered(&url(&server), &Certified::local());
    retried(&unknown, "invalid peer certificate: UnknownIssuer");
    retried(&unknown, "SSL_CERT_FILE");
    assert!(!unknown.contains("t0k3n"), "{unknown}");
    let other = Certified::new("other.example", |_| {});
    let wrong = Https::start(&other);
    retried(&delivered(&url(&wrong), &other), "not valid for name");
    let old = Certified::new("127.0.0.1", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let expired = Https::start(&old);
    retried(&delivered(&url(&expired), &old), "certificate expired");
    let got = |server: &Https| server.1.lock().unwrap().len();
    assert_eq!((got(&server), got(&wrong), got(&expired)), (1, 0, 0));
}

fn mail_over(tls: &str, option: &str) {
    let good = Certified::local();
    let arguments = [
        option.to_owned(),
        good.cert.display().to_string(),
        good.key.display().to_string(),
    ];
    let Some(server) = Server::start(&arguments) else {
        skipped("no aiosmtpd");
        return;
    };
    let to = format!("{tls} {}", server.port);
    let unknown = delivered(&to, &Certified::local());
    retried(&unknown, "invalid peer certificate: UnknownIssuer");
    retried(&unknown, "SSL_CERT_FILE");
    assert_eq!(delivered(&to, &good), "Delivered");
    let taken = server.end();
    assert_eq!(taken.len(), 1, "{taken:#?}");
    assert_eq!(taken[0]["encrypted"], true);
    drop(good.folder);
}

#[test]
fn mail_over_starttls_is_trusted_by_its_certificate_alone() {
    mail_over("starttls", "--starttls");
}

#[test]
fn mail_over_tls_is_trusted_by_its_certificate_alone() {
    mail_over("tls", "--tls");
}

#[test]
fn mail_is_not_sent_in_clear_when_the_server_offers_no_encryption() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut to = stream.try_clone().unwrap();
        to.write_all(b"220 here\r\n").unwrap();
        let mut said = Vec::new();
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let answer: &[u8] = match line.as_str() {
                "QUIT" => b"221 bye\r\n",
                _ => b"250-here\r\n250 AUTH PLAIN LOGIN\r\n",
            };
            said.push(line);
            if to.write_all(answer).is_err() {
                break;
            }
        }
        said
    });
    let answer = delivered(&format!("starttls {port}"), &Certified::local());
    retried(&answer, "STARTTLS is not supported on this server");
    let said = server.join().unwrap();
    let harmless = |line: &String| line.starts_with("EHLO") || line == "QUIT";
    assert!(!said.is_empty() && said.iter().all(harmless), "{said:?}");
}
