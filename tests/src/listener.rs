//! An HTTP server that keeps what it gets and answers as it is told.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

use crate::{program::LIMIT, wait};

/// What a request gets.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, a header line where there is one, and a body.
    Says(u16, &'static str, &'static str),
    /// Nothing, for as long as the client waits.
    Stalls,
}

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had come in full.
    pub at: Instant,
    /// Its path, and query.
    pub path: String,
    /// Its header lines.
    pub head: String,
    /// Its body.
    pub body: String,
}

/// The running server; ends when dropped.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// The last one stays.
    answers: Mutex<VecDeque<Answer>>,
    received: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

impl Listener {
    /// Starts one that gives these answers in turn, and the last one from then on.
    ///
    /// # Panics
    ///
    /// When there is no free port, or no answer.
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Listener {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("a bound socket");
        let answers: VecDeque<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a listener needs an answer");
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers),
            received: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let work = shared.clone();
        let thread = Some(thread::spawn(move || serve(&socket, &work)));
        Listener {
            address,
            shared,
            thread,
        }
    }

    /// Returns the URL of `path` here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns what has come so far.
    pub fn received(&self) -> Vec<Request> {
        lock(&self.shared.received).clone()
    }

    /// Returns what has come once there are `count` requests.
    ///
    /// # Panics
    ///
    /// When they do not come within [`LIMIT`].
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let what = format!("{count} requests");
        wait::until(&what, LIMIT, || {
            Some(self.received()).filter(|received| received.len() >= count)
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        // Wakes the thread where it waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &TcpListener, shared: &Arc<Shared>) {
    for stream in socket.incoming().map_while(Result::ok) {
        if shared.stopped.load(Ordering::Acquire) {
            return;
        }
        let shared = shared.clone();
        // A client that breaks off is one of the things that tests do.
        thread::spawn(move || converse(&stream, &shared));
    }
}

fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let request = read(stream)?;
    lock(&shared.received).push(request);
    match next(shared) {
        Answer::Says(status, header, body) => answer(stream, status, header, body),
        // Until the client closes its end.
        Answer::Stalls => {
            let mut stream = stream;
            io::copy(&mut stream, &mut io::sink()).map(drop)
        }
    }
}

fn next(shared: &Shared) -> Answer {
    let mut answers = lock(&shared.answers);
    match answers.len() {
        1 => answers[0].clone(),
        _ => answers.pop_front().expect("one always stays"),
    }
}

fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut body = vec![0; length(&head)];
    reader.read_exact(&mut body)?;
    Ok(Request {
        at: Instant::now(),
        path: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

fn answer(mut stream: &TcpStream, status: u16, header: &str, body: &str) -> io::Result<()> {
    let end = if header.is_empty() { "" } else { "\r\n" };
    write!(
        stream,
        "HTTP/1.1 {status} As told\r\n{header}{end}Content-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
