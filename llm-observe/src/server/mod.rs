//! `/metrics`, `/healthz` and the live page, over HTTP/1.1, in a thread of its own.
//!
//! [`access`] decides who is answered, [`responses`] what, [`socket`] how long a client may take. Knows
//! what to serve only as a function; reads nothing from a request but its method, path and headers.

mod access;
mod responses;
mod socket;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpListener,
    runtime,
    sync::oneshot,
    task::{self, AbortHandle},
};

use self::{
    access::Access,
    socket::{LastActivity, Socket},
};
use crate::error::Error;

/// The most connections that are open at once. For one more, the one that has been idle for longest
/// is closed.
const CONNECTIONS: usize = 64;

/// How long a client may take to send its request.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// How long a client may take nothing of its response.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Renders the metrics; `true`: with what the live page needs beyond a scrape.
type Render = dyn Fn(bool) -> Option<String> + Send + Sync;

/// The running server; stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Binds the address of `[server]` and serves what `metrics` renders. Returns `None` when there is to
/// be no server.
///
/// # Errors
///
/// When `listen` is no address or cannot be bound, when others can reach it and there is no token, when
/// the token cannot be read, and when no thread can be started.
pub(crate) fn start(
    config: &llm_observe_config::Server,
    metrics: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
) -> Result<Option<Server>, Error> {
    let Some(listen) = &config.listen else {
        return Ok(None);
    };
    let address: SocketAddr = listen
        .parse()
        .map_err(|e| Error::with(format!("[server] listen = {listen:?} is no address"), e))?;
    let token = access::token(address, config.token.as_ref())?;
    let io = |e| Error::with(cannot_serve(address), e);
    let socket = std::net::TcpListener::bind(address).map_err(io)?;
    let address = socket.local_addr().map_err(io)?;
    socket.set_nonblocking(true).map_err(io)?;
    let (stop, stopped) = oneshot::channel();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io)?;
    let service = Arc::new(Service {
        access: Access::new(address, token),
        metrics: Box::new(metrics),
    });
    let thread = thread::Builder::new()
        .name("llm-observe-web".to_owned())
        .spawn(move || runtime.block_on(serve(socket, service, stopped)))
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

/// What all connections share.
struct Service {
    access: Access,
    metrics: Box<Render>,
}

async fn serve(
    socket: std::net::TcpListener,
    service: Arc<Service>,
    stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(socket) else {
        return;
    };
    tokio::select! {
        () = accept(&listener, service) => {}
        _ = stopped => {}
    }
}

async fn accept(listener: &TcpListener, service: Arc<Service>) {
    let mut connections = Connections::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.make_room();
                let active = LastActivity::default();
                let socket = Socket::new(stream, WRITE_LIMIT, active.clone());
                let task = tokio::spawn(serve_connection(socket, service.clone()));
                connections.open.push((task.abort_handle(), active));
                // Otherwise a flood of connections would be closed before any is answered.
                task::yield_now().await;
            }
            // Out of file descriptors, for one: it passes, and must not spin meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The open connections.
#[derive(Default)]
struct Connections {
    open: Vec<(AbortHandle, LastActivity)>,
}

impl Connections {
    /// Closes the connection that has been idle for longest, if there is no room for one more: clients
    /// that do not read, or do not ask, keep nobody else out.
    fn make_room(&mut self) {
        self.open.retain(|(task, _)| !task.is_finished());
        while self.open.len() >= CONNECTIONS {
            let idle = self.open.iter().enumerate();
            let Some((index, _)) = idle.min_by_key(|(_, (_, active))| active.at()) else {
                return;
            };
            self.open.swap_remove(index).0.abort();
        }
    }
}

async fn serve_connection(socket: Socket<tokio::net::TcpStream>, service: Arc<Service>) {
    let respond = service_fn(move |request: Request<Incoming>| {
        let response = match service.access.check(&request) {
            Ok(()) => responses::of(request.method(), request.uri(), &*service.metrics),
            Err(refusal) => responses::refusal(refusal),
        };
        async move { Ok::<_, Infallible>(response) }
    });
    // The fault of one connection is of no concern to the others.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(socket), respond)
        .await;
}
