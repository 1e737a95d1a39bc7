//! The layer in real servers with sockets: bodies that are dropped before their end, clients that
//! disconnect, upgrades, HTTP/2.

use std::{
    io,
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::{Router, body::Body, response::Response, routing::get};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use llm_observe::{
    Outcome,
    http::layer,
    observe,
    testing::{self, Call, TestObserver},
};
use llm_observe_tests::wait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

const LIMIT: Duration = Duration::from_secs(60);

#[observe(event = "waiting")]
async fn wait_for_ever() {
    std::future::pending::<()>().await;
}

/// Returns an endless stream of a token every 10 ms.
fn tokens() -> Body {
    let tokens = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((
            Ok::<_, io::Error>(Bytes::from_static(b"data: token\n\n")),
            (),
        ))
    });
    Body::from_stream(tokens)
}

fn panicking() -> Body {
    let chunks = stream::iter(0..3).map(|n| {
        assert!(n < 2, "the stream is gone");
        Ok::<_, io::Error>(Bytes::from_static(b"chunk"))
    });
    Body::from_stream(chunks)
}

/// Switches to a protocol that echoes all bytes.
async fn upgrade(request: Request<Body>) -> Response {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.unwrap();
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "echo");
    response.body(Body::empty()).unwrap()
}

fn router() -> Router {
    Router::new()
        .route("/plain", get(async || "a body of known length"))
        .route("/waits", get(async || wait_for_ever().await))
        .route("/tokens", get(async || tokens()))
        .route("/panicking", get(async || panicking()))
        .route("/upgrade", get(upgrade))
        .layer(layer())
}

/// An observed server on its own thread.
struct Server {
    seen: TestObserver,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Server {
        let seen = testing::observe();
        let (handle, (stop, stopped)) = (seen.handle(), oneshot::channel::<()>());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let make = router().into_make_service_with_connect_info::<SocketAddr>();
            tokio::select! {
                served = async { axum::serve(listener, make).await } => served.unwrap(),
                _ = stopped => {}
            }
        };
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            handle.in_scope(|| runtime.unwrap().block_on(serve));
        });
        Server {
            seen,
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Returns the call of the request to `path`, when it has ended.
    fn call_of(&self, path: &str) -> Call {
        wait::until("the request's end", LIMIT, || {
            let calls = self.seen.calls_of("http_request");
            calls
                .into_iter()
                .find(|call| call.function().ends_with(path))
        })
    }

    fn active(&self) -> String {
        let metrics = self.seen.metrics();
        let mut lines = metrics.lines();
        lines
            .find(|l| l.starts_with("http_server_active_requests"))
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Reads up to `end`, and returns all text read.
async fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains(end) {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&all));
        all.extend(&some[..read]);
    }
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn a_body_of_known_length_ends_with_its_last_byte() {
    let server = Server::start();
    let mut stream = server.ask("/plain").await;
    let answer = read_to(&mut stream, "known length").await;
    assert!(answer.contains("\r\nx-request-id: "), "{answer}");
    let call = server.call_of("/plain");
    assert_eq!(call.outcome, Outcome::Ok);
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert_eq!(exchange.response_bytes, Some(22));
    let local = stream.local_addr().unwrap();
    assert_eq!(exchange.peer, Some(local));
    // The connection is still usable.
    stream
        .write_all(b"HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    read_to(&mut stream, "\r\n\r\n").await;
    let head = wait::until("the second request", LIMIT, || {
        server.seen.calls().get(1).cloned()
    });
    assert_eq!(
        (head.function(), head.outcome),
        ("HEAD /plain", Outcome::Ok)
    );
}

#[tokio::test]
async fn a_client_that_leaves_an_endless_stream_cancels_it() {
    let server = Server::start();
    let mut stream = server.ask("/tokens").await;
    read_to(&mut stream, "data: token").await;
    let running = "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 1";
    assert_eq!(server.active(), running);
    drop(stream);
    let call = server.call_of("/tokens");
    assert_eq!(call.outcome, Outcome::Cancelled);
    let exchange = call.operation::<llm_observe::http::Exchange>().unwrap();
    assert!(exchange.first_byte.unwrap() >= Duration::from_millis(10));
    assert!(exchange.first_byte.unwrap() < call.duration);
    assert!(exchange.response_bytes >= Some(13));
    assert!(server.active().ends_with(" 0"));
}

#[tokio::test]
async fn a_panic_in_a_body_cuts_the_connection() {
    let server = Server::start();
    let mut stream = server.ask("/panicking").await;
    let mut answer = Vec::new();
    // The body is chunked and lacks its last chunk.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        !answer.ends_with(b"0\r\n\r\n"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let call = server.call_of("/panicking");
    assert_eq!((call.outcome, call.reported), (Outcome::Panic, true));
    assert_eq!(call.error.unwrap().message, "the stream is gone");
    assert!(server.active().ends_with(" 0"));
    let mut stream = server.ask("/plain").await;
    read_to(&mut stream, "known length").await;
}

#[tokio::test]
async fn an_upgrade_ends_the_request_with_its_head() {
    let server = Server::start();
    let mut stream = server.connect().await;
    let request =
        "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to(&mut stream, "\r\n\r\n").await;
    assert_eq!(server.call_of("/upgrade").outcome, Outcome::Ok);
    stream.write_all(b"hello").await.unwrap();
    read_to(&mut stream, "hello").await;
    assert!(server.active().ends_with(" 0"));
}

async fn h2(server: &Server) -> http2::SendRequest<Empty<Bytes>> {
    let stream = TokioIo::new(server.connect().await);
    let (client, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn http2_behaves_the_same() {
    let server = Server::start();
    let mut client = h2(&server).await;
    let mut ask = |path: &str| {
        let uri = format!("http://{}{path}", server.address);
        client.send_request(Request::get(uri).body(Empty::new()).unwrap())
    };
    let plain = ask("/plain").await.unwrap();
    assert!(plain.headers().contains_key("x-request-id"));
    let body = plain.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "a body of known length");
    assert_eq!(server.call_of("/plain").outcome, Outcome::Ok);

    let mut tokens = ask("/tokens").await.unwrap();
    tokens.body_mut().frame().await.unwrap().unwrap();
    drop(tokens);
    let call = server.call_of("/tokens");
    assert_eq!(call.outcome, Outcome::Cancelled);
    assert_eq!(
        call.operation::<llm_observe::http::Exchange>()
            .unwrap()
            .status,
        Some(200)
    );

    let panicking = ask("/panicking").await.unwrap();
    assert!(
        panicking.into_body().collect().await.is_err(),
        "cut off, not ended"
    );
    assert_eq!(server.call_of("/panicking").outcome, Outcome::Panic);
    assert!(server.active().ends_with(" 0"));
}

/// Half of them abort while the handler works, half while the body streams. Half of each close the
/// connection, half reset it.
#[tokio::test]
async fn ten_thousand_aborted_requests_leave_nothing_behind() {
    const ALL: usize = 10_000;
    let server = Server::start();
    let abort = async |n: usize| {
        let path = if n.is_multiple_of(2) {
            "/waits"
        } else {
            "/tokens"
        };
        let mut stream = server.ask(path).await;
        if n % 2 == 1 {
            read_to(&mut stream, "\r\n\r\n").await;
        }
        if n % 4 > 1 {
            stream.set_zero_linger().unwrap();
        }
    };
    let aborts = stream::iter(0..ALL).map(abort).buffer_unordered(50);
    aborts.collect::<Vec<()>>().await;
    // Each stream had begun. A client that aborts a working handler may do so before the server has
    // read the request, which is then never observed.
    let of = |calls: &[Call], path| {
        let of_path = calls.iter().filter(|call| call.function().ends_with(path));
        of_path.count()
    };
    let ended = wait::until("the end of all requests", LIMIT, || {
        let idle = server.active().ends_with(" 0");
        let calls = server.seen.calls_of("http_request");
        (idle && of(&calls, "/tokens") == ALL / 2).then_some(calls)
    });
    assert!(of(&ended, "/waits") > 0);
    assert!(ended.iter().all(|call| call.outcome == Outcome::Cancelled));
    let below = server.seen.calls_of("waiting");
    assert!(!below.is_empty());
    assert!(
        below
            .iter()
            .all(|call| call.outcome == Outcome::Cancelled && call.request.is_some())
    );
}
