//! `/metrics`, `/healthz` and the live page, over HTTP/1.1, in a thread of its own.
//!
//! Knows what to serve only as a function; reads nothing from a request but its method and path.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{Semaphore, oneshot},
};

use crate::{error::Error, page};

/// The media type of the Prometheus text format, version 0.0.4.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The most connections served at once; further ones wait.
const CONNECTIONS: usize = 64;

/// How long a client may take to send its request.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// Renders the metrics; `true`: with what the live page needs beyond a scrape.
type Render = dyn Fn(bool) -> Option<String> + Send + Sync;

/// The running server; stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Binds `listen` and serves what `metrics` renders.
///
/// # Errors
///
/// When `listen` is no address, cannot be bound, or no thread can be started.
pub(crate) fn start(
    listen: &str,
    metrics: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
) -> Result<Option<Server>, Error> {
    let address: SocketAddr = listen
        .parse()
        .map_err(|e| Error::with(format!("[server] listen = {listen:?} is no address"), e))?;
    let io = |e| Error::with(cannot_serve(address), e);
    let socket = std::net::TcpListener::bind(address).map_err(io)?;
    let address = socket.local_addr().map_err(io)?;
    socket.set_nonblocking(true).map_err(io)?;
    let (stop, stopped) = oneshot::channel();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io)?;
    let metrics: Arc<Render> = Arc::new(metrics);
    let thread = thread::Builder::new()
        .name("llm-observe-web".to_owned())
        .spawn(move || runtime.block_on(serve(socket, metrics, stopped)))
        .map_err(io)?;
    Ok(Some(Server {
        address,
        stop: Some(stop),
        thread: Some(thread),
    }))
}

fn cannot_serve(address: SocketAddr) -> String {
    format!(
        "cannot serve /metrics at {address}: set another address in [server] listen, \
         or `listen = \"off\"`"
    )
}

impl Server {
    /// Returns the address it is bound to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only when the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    socket: std::net::TcpListener,
    metrics: Arc<Render>,
    stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(socket) else {
        return;
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    tokio::select! {
        () = accept(&listener, &places, metrics) => {}
        _ = stopped => {}
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>, metrics: Arc<Render>) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = metrics.clone();
                tokio::spawn(async move {
                    converse(stream, metrics).await;
                    drop(place);
                });
            }
            // Out of file descriptors, for one: it passes, and must not spin meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn converse(stream: TcpStream, metrics: Arc<Render>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let metrics = || metrics(request.uri().query() == Some("live"));
        let response = respond(request.method(), request.uri().path(), metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    // A client that breaks off, or talks nonsense, concerns nobody else.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(
    method: &Method,
    path: &str,
    metrics: impl FnOnce() -> Option<String>,
) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match path {
        "/metrics" => match metrics() {
            Some(text) => typed(StatusCode::OK, PROMETHEUS, text),
            None => plain(
                StatusCode::NOT_FOUND,
                "the program was built without the feature `metrics` of llm-observe\n",
            ),
        },
        "/healthz" => plain(StatusCode::OK, "ok\n"),
        "/" => typed(StatusCode::OK, "text/html; charset=utf-8", page::HTML),
        _ => plain(
            StatusCode::NOT_FOUND,
            "there are /, /metrics and /healthz\n",
        ),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
             connect-src 'self'; frame-ancestors 'none'",
        ),
    );
    response
}
