//! A connection that is closed when its client takes nothing for too long.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// When a connection last moved a byte.
#[derive(Clone)]
pub(super) struct LastActivity {
    since: Instant,
    /// In microseconds since then.
    micros: Arc<AtomicU64>,
}

impl Default for LastActivity {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            micros: Arc::default(),
        }
    }
}

impl LastActivity {
    /// Returns when that was.
    pub(super) fn at(&self) -> Instant {
        let micros = Duration::from_micros(self.micros.load(Ordering::Relaxed));
        self.since.checked_add(micros).unwrap_or(self.since)
    }

    fn note(&self) {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.store(micros, Ordering::Relaxed);
    }
}

/// A stream with a limit to how long a write may wait.
pub(super) struct Socket<S> {
    stream: S,
    limit: Duration,
    active: LastActivity,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Socket<S> {
    pub(super) fn new(stream: S, limit: Duration, active: LastActivity) -> Self {
        Self {
            stream,
            limit,
            active,
            stalled: None,
        }
    }

    /// Passes on what a write gave, or ends one that has waited for too long.
    fn within_limit(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            self.active.note();
            return written;
        }
        let limit = self.limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            this.active.note();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.within_limit(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.within_limit(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{Shutdown, TcpListener, TcpStream},
    };

    use tokio::{io::AsyncWriteExt, runtime};

    use super::*;

    /// A client that reads only when it is told to, and the server's side.
    fn pair(limit: Duration) -> (TcpStream, Socket<tokio::net::TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let server = tokio::net::TcpStream::from_std(server).unwrap();
        (client, Socket::new(server, limit, LastActivity::default()))
    }

    fn run(test: impl Future<Output = ()>) {
        let mut builder = runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(test);
    }

    #[test]
    fn a_client_that_reads_nothing_is_given_up() {
        run(async {
            let limit = Duration::from_millis(50);
            let (_client, mut socket) = pair(limit);
            let start = Instant::now();
            let error = socket.write_all(&vec![0; 64 << 20]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert!(start.elapsed() >= limit);
        });
    }

    #[test]
    fn a_client_that_reads_gets_all_of_it() {
        run(async {
            let (mut client, mut socket) = pair(Duration::from_secs(60));
            let before = socket.active.at();
            let reader = std::thread::spawn(move || {
                let mut bytes = Vec::new();
                client.read_to_end(&mut bytes).map(|_| bytes.len())
            });
            socket.write_all(&vec![0; 16 << 20]).await.unwrap();
            socket.shutdown().await.unwrap();
            drop(socket.stream.into_std().map(|s| s.shutdown(Shutdown::Both)));
            assert_eq!(reader.join().unwrap().unwrap(), 16 << 20);
            assert!(socket.active.at() > before);
        });
    }
}
