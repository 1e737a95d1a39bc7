//! `/metrics`, `/healthz` and the live page, over HTTP/1.1, in a thread of its own.
//!
//! [`access`] decides who is answered, [`responses`] what, [`socket`] how long a client may take. Knows
//! what to serve only as a function; reads nothing from a request but its method, path and headers.

mod access;
mod responses;
mod socket;

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
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

/// The address of the configuration unless it has another.
const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// How many ports after the default one are tried when it is in use.
const MORE_PORTS: u16 = 15;

/// The server: not running before [`Server::start`]. Stops when dropped.
pub(crate) struct Server {
    /// The address of the configuration.
    wanted: SocketAddr,
    token: Option<String>,
    metrics: Arc<Render>,
    running: Mutex<Option<Running>>,
}

/// Its thread; ends when dropped.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Returns the server of `[server]`, which serves what `metrics` renders. Returns `None` when there is to
/// be none.
///
/// # Errors
///
/// When `listen` is no address, when others can reach it and there is no token, and when the token cannot be
/// read.
pub(crate) fn configured(
    config: &llm_observe_config::Server,
    metrics: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
) -> Result<Option<Server>, Error> {
    let Some(listen) = &config.listen else {
        return Ok(None);
    };
    let wanted: SocketAddr = listen
        .parse()
        .map_err(|e| Error::with(format!("[server] listen = {listen:?} is no address"), e))?;
    Ok(Some(Server {
        wanted,
        token: access::token(wanted, config.token.as_ref())?,
        metrics: Arc::new(metrics),
        running: Mutex::default(),
    }))
}

impl Server {
    /// Binds the address, starts to serve, and returns the address that it is bound to. With `moves`, that
    /// is one of the next ports when the default one is in use.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, and when no thread can be started.
    pub(crate) fn start(&self, moves: bool) -> Result<SocketAddr, Error> {
        let io = |e| Error::with(cannot_serve(self.wanted), e);
        let socket = bind(self.wanted, moves).map_err(io)?;
        let address = socket.local_addr().map_err(io)?;
        socket.set_nonblocking(true).map_err(io)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io)?;
        let service = Arc::new(Service {
            access: Access::new(address, self.token.clone()),
            metrics: self.metrics.clone(),
        });
        let thread = thread::Builder::new()
            .name("llm-observe-web".to_owned())
            .spawn(move || runtime.block_on(serve(socket, service, stopped)))
            .map_err(io)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(Running {
            stop: Some(stop),
            thread: Some(thread),
        });
        drop(running);
        Ok(address)
    }

    /// Returns the address of the configuration.
    pub(crate) fn wanted(&self) -> SocketAddr {
        self.wanted
    }
}

/// Binds the address, or one with a later port.
fn bind(wanted: SocketAddr, moves: bool) -> io::Result<std::net::TcpListener> {
    let bound = std::net::TcpListener::bind(wanted);
    let in_use = matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
    if !in_use || !moves || wanted != DEFAULT {
        return bound;
    }
    let ports = (1..=MORE_PORTS).filter_map(|more| wanted.port().checked_add(more));
    let mut others = ports.map(|port| SocketAddr::new(wanted.ip(), port));
    let next = others.find_map(|address| std::net::TcpListener::bind(address).ok());
    next.map_or(bound, Ok)
}

fn cannot_serve(address: SocketAddr) -> String {
    format!(
        "cannot serve /metrics at {address}: set another address in [server] listen, \
         or `listen = \"off\"`"
    )
}

impl Drop for Running {
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
    metrics: Arc<Render>,
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
