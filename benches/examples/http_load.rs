//! The server that `http_load.sh` puts under load, and the slow clients beside the load:
//! `http_load serve LAYER FOLDER` and `http_load slow ADDRESS COUNT`.

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract,
    routing::get,
};
use axum_prometheus::PrometheusMetricLayer;
use futures_util::stream;
use llm_observe::{
    Observer,
    config::{Config, Console, Format},
};
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", layer, folder] => serve(layer, Path::new(folder)),
        ["slow", address, count] => slow(address.parse()?, count.parse()?),
        _ => Err("http_load serve LAYER FOLDER | http_load slow ADDRESS COUNT".into()),
    }
}

/// Returns a stream of 400 tokens, 20 bytes every 5 ms.
async fn tokens() -> Body {
    let tokens = stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let token = Bytes::from_static(b"data: token 0123456\n");
        (n < 400).then_some((Ok::<_, std::io::Error>(token), n + 1))
    });
    Body::from_stream(tokens)
}

fn router() -> Router {
    let answer = async |extract::Path(id): extract::Path<u64>| {
        format!("{{\"id\":{id},\"answer\":\"{}\"}}", "word ".repeat(40))
    };
    Router::new()
        .route("/ask/{id}", get(answer))
        .route("/tokens", get(tokens))
}

/// The guards that keep the observing parts alive.
enum Guard {
    Nothing,
    Observer(#[allow(dead_code, reason = "held until the end")] Observer),
    Lines(
        #[allow(dead_code, reason = "held until the end")]
        tracing_appender::non_blocking::WorkerGuard,
    ),
}

fn observed(folder: &Path) -> Result<Observer, Failure> {
    let mut config = Config::default();
    config.log.dir = folder.to_owned();
    config.log.format = Format::Json;
    config.log.max_bytes = 100_000_000;
    config.log.backups = 2;
    config.log.console = Console::Never;
    config.server.listen = None;
    Ok(Observer::builder().config(config).install()?)
}

fn traced(folder: &Path) -> Result<Guard, Failure> {
    let file = tracing_appender::rolling::never(folder, "tracing.log");
    let (appender, guard) = tracing_appender::non_blocking(file);
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(appender);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(json))?;
    Ok(Guard::Lines(guard))
}

fn layered(layer: &str, folder: &Path) -> Result<(Router, Guard), Failure> {
    let trace = TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    let prometheus = || PrometheusMetricLayer::pair().0;
    Ok(match layer {
        "none" => (router(), Guard::Nothing),
        "llm-observe" => {
            let guard = Guard::Observer(observed(folder)?);
            (router().layer(llm_observe::http::layer()), guard)
        }
        "trace" => (router().layer(trace), traced(folder)?),
        "prometheus" => (router().layer(prometheus()), Guard::Nothing),
        "both" => (router().layer(prometheus()).layer(trace), traced(folder)?),
        _ => return Err("LAYER is none, llm-observe, trace, prometheus or both".into()),
    })
}

fn serve(layer: &str, folder: &Path) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (router, _guard) = layered(layer, folder)?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // Serves until the parent process closes standard input.
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            served = async { axum::serve(listener, service).await } => served?,
            _ = ended => {}
        }
        Ok(())
    })
}

/// Runs clients that read a few bytes at a time. Every other one disconnects before the end.
fn slow(address: SocketAddr, count: usize) -> Result<(), Failure> {
    let clients: Vec<_> = (0..count)
        .map(|n| {
            thread::spawn(move || {
                loop {
                    // The run ends when the server does.
                    if read_slowly(address, n).is_err() {
                        return;
                    }
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| drop(client.join()));
    Ok(())
}

fn read_slowly(address: SocketAddr, n: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /tokens HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )?;
    let leaves_after = if n.is_multiple_of(2) { usize::MAX } else { 20 };
    for _ in 0..leaves_after {
        thread::sleep(Duration::from_millis(50));
        if stream.read(&mut [0; 64])? == 0 {
            break;
        }
    }
    Ok(())
}
