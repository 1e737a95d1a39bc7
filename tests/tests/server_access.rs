//! Whom the server of `/metrics` and the live page answers: `Host`, and the token.

use std::net::SocketAddr;

use llm_observe_tests::{
    folder::Folder,
    http::{get, get_with, head},
    program::{Ended, Running, observed, run},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const TOKEN: &str = "7f4e9c-token-of-the-test";
const LOCAL: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";
const PUBLIC: &str = "[server]\nlisten = \"0.0.0.0:0\"\ntoken = \"env:LLM_OBSERVE_TOKEN\"\n";

fn served(folder: &Folder, config: &str) -> (Running, SocketAddr) {
    let mut command = observed(SUBJECT, folder, config);
    command.env("LLM_OBSERVE_TOKEN", TOKEN);
    let mut running = Running::start(command.args(["init", "work", "listening", "hold"]));
    let port = running.listening().port();
    (running, SocketAddr::from(([127, 0, 0, 1], port)))
}

fn status(address: SocketAddr, path: &str, headers: &[&str]) -> u16 {
    get_with(address, path, headers).expect("an answer").status
}

/// A page of another site whose name leads to this machine: its requests have that name.
#[test]
fn a_name_that_is_rebound_to_this_machine_gets_nothing() {
    let folder = Folder::new();
    let (_running, address) = served(&folder, LOCAL);
    for path in ["/", "/metrics", "/nothing"] {
        for host in [
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
        ] {
            let refused = get_with(address, path, &[&format!("Host: {host}")]).unwrap();
            assert_eq!(refused.status, 403, "{path} {host}");
            assert!(refused.body.contains("localhost"), "{}", refused.body);
            assert!(!refused.body.contains("llm_observe_"), "{}", refused.body);
        }
        let two = ["Host: localhost", "Host: evil.example"];
        assert_eq!(status(address, path, &two), 400, "{path}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let host = format!("Host: {host}:{}", address.port());
        assert_eq!(status(address, "/metrics", &[&host]), 200, "{host}");
    }
    assert_eq!(get(address, "/").unwrap().status, 200);
}

#[test]
fn only_the_token_opens_an_address_that_others_can_reach() {
    let folder = Folder::new();
    let (_running, address) = served(&folder, PUBLIC);
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let any_host = "Host: metrics.example";
    for path in ["/", "/metrics"] {
        assert_eq!(status(address, path, &[any_host, &bearer]), 200, "{path}");
        for wrong in ["Authorization: Bearer x", "X-Token: x"] {
            let refused = get_with(address, path, &["Host: localhost", wrong]).unwrap();
            assert_eq!(refused.status, 401, "{path} {wrong}");
            let head = refused.head.to_lowercase();
            assert!(head.contains("www-authenticate: bearer"), "{head}");
            assert!(head.contains("www-authenticate: basic"), "{head}");
        }
    }
    for probe in ["/healthz", "/readyz"] {
        let answer = get_with(address, probe, &[any_host]).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, "ok\n"), "{probe}");
        let head = head(address, probe).unwrap();
        assert_eq!((head.status, &head.body[..]), (200, ""), "{probe}");
    }
}

/// A token may also guard an address of this machine alone.
#[test]
fn a_token_is_asked_for_on_loopback_too() {
    let folder = Folder::new();
    let path = folder.write("token", &format!("{TOKEN}\n"));
    let config = format!("{LOCAL}token = \"file:{}\"\n", path.display());
    let (_running, address) = served(&folder, &config);
    let bearer = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(status(address, "/metrics", &["Host: localhost"]), 401);
    assert_eq!(
        status(address, "/metrics", &["Host: localhost", &bearer]),
        200
    );
}

fn refused(config: &str) -> Ended {
    let folder = Folder::new();
    let mut command = observed(SUBJECT, &folder, config);
    let ended = run(command.env_remove("LLM_OBSERVE_TOKEN").arg("init"));
    assert!(!ended.status.success(), "{ended}");
    ended
}

#[test]
fn an_address_that_others_can_reach_is_refused_without_a_token() {
    let ended = refused("[server]\nlisten = \"0.0.0.0:0\"\n");
    assert!(ended.stderr.contains("a token is needed"), "{ended}");
    let ended = refused(PUBLIC);
    assert!(
        ended.stderr.contains("LLM_OBSERVE_TOKEN is not set"),
        "{ended}"
    );
    let ended = refused(&PUBLIC.replace("env:LLM_OBSERVE_TOKEN", TOKEN));
    assert!(ended.stderr.contains("must not hold the secret"), "{ended}");
    assert!(!ended.stderr.contains(TOKEN), "{ended}");
}
