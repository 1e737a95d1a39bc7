//! Clients that take or send nothing keep nobody else from the server.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use llm_observe_tests::{
    folder::Folder,
    http::get,
    program::{Running, observed},
};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n";

/// More than are served at once.
const MANY: usize = 200;

/// Less than the limits after which such clients are given up anyway.
const SOON: Duration = Duration::from_secs(5);

fn served(folder: &Folder) -> (Running, SocketAddr) {
    let mut command = observed(SUBJECT, folder, CONFIG);
    let mut running = Running::start(command.args(["init", "listening", "hold"]));
    let address = running.listening();
    (running, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
    stream
}

fn assert_healthy(address: SocketAddr) {
    let start = Instant::now();
    let health = get(address, "/healthz").expect("an answer");
    assert_eq!((health.status, &*health.body), (200, "ok\n"));
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn clients_that_do_not_read_keep_nobody_out() {
    let folder = Folder::new();
    let (_running, address) = served(&folder);
    // The answers to these are more than any socket holds.
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500);
    let mut clients = Vec::new();
    for _ in 0..MANY {
        let mut client = connect(address);
        // The server may have closed it for others by now.
        let _ = client.write_all(request.as_bytes());
        clients.push(client);
    }
    assert_healthy(address);
    assert_eq!(get(address, "/metrics").unwrap().status, 200);
    drop(clients);
}

#[test]
fn clients_that_do_not_ask_keep_nobody_out() {
    let folder = Folder::new();
    let (_running, address) = served(&folder);
    let mut clients: Vec<_> = (0..MANY).map(|_| connect(address)).collect();
    assert_healthy(address);
    for client in &mut clients {
        let _ = client.write_all(b"GET /metr");
    }
    assert_healthy(address);
}
