//! A scriptable HTTP listener on the loopback interface. It records requests and sends the replies that
//! a test gives it, valid or broken ones.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

/// What the listener does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with that status, headers and body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Answers 200 with those headers and a body in those pieces, each on its own, and then ends it,
    /// leaves the reader waiting for more, or cuts the connection.
    Pieces(Vec<(&'static str, String)>, Vec<Vec<u8>>, Then),
    /// Reads the request and never answers.
    Stall,
    /// Answers half of a body and cuts the connection.
    CutOff,
    /// Answers something that is not HTTP.
    Garbage,
    /// Closes the connection without an answer.
    Close,
}

/// What follows the last piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The end.
    End,
    /// Nothing, for as long as the listener lives.
    Wait,
    /// The connection is closed before the end.
    Cut,
}

impl Reply {
    /// Returns an answer without headers of its own.
    pub fn status(code: u16, body: &str) -> Reply {
        Reply::Status(code, Vec::new(), body.to_owned())
    }

    /// Returns 429 with `Retry-After` in seconds.
    pub fn retry_after(seconds: &str) -> Reply {
        Reply::Status(
            429,
            vec![("Retry-After", seconds.to_owned())],
            String::new(),
        )
    }
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it was complete.
    pub at: Instant,
    /// `POST /path HTTP/1.1`.
    pub line: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Default)]
struct Script {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    script: VecDeque<Reply>,
    usual: Option<Reply>,
    stopped: bool,
}

/// The listener; stops when dropped.
pub struct Listener {
    address: SocketAddr,
    shared: Arc<Script>,
}

impl Listener {
    /// Starts a listener that answers every request with `usual`.
    pub fn start(usual: Reply) -> Listener {
        Listener::at("127.0.0.1:0".parse().unwrap(), usual).unwrap()
    }

    /// Starts a listener at that address.
    pub fn at(address: SocketAddr, usual: Reply) -> io::Result<Listener> {
        let socket = TcpListener::bind(address)?;
        let shared = Arc::new(Script::default());
        shared.state.lock().unwrap().usual = Some(usual);
        let (address, work) = (socket.local_addr()?, shared.clone());
        thread::spawn(move || {
            for stream in socket.incoming() {
                if work.state.lock().unwrap().stopped {
                    return;
                }
                let work = work.clone();
                thread::spawn(move || stream.and_then(|stream| serve(stream, &work)));
            }
        });
        Ok(Listener { address, shared })
    }

    /// Returns an address at which nobody listens.
    pub fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    }

    /// Answers the next requests with these, in order, before the usual answer.
    pub fn script(self, replies: impl IntoIterator<Item = Reply>) -> Listener {
        self.shared.state.lock().unwrap().script.extend(replies);
        self
    }

    /// Changes the usual answer.
    pub fn usually(&self, reply: Reply) {
        self.shared.state.lock().unwrap().usual = Some(reply);
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL with that path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns what it received so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// Waits until it received `count` requests.
    ///
    /// # Panics
    ///
    /// When they do not come within 20 seconds.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let state = self.shared.state.lock().unwrap();
        let waiting = |state: &mut State| state.requests.len() < count;
        let limit = Duration::from_secs(20);
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, waiting)
            .unwrap();
        assert!(
            !waited.timed_out(),
            "{} of {count} requests came",
            state.requests.len()
        );
        state.requests.clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().stopped = true;
        self.shared.changed.notify_all();
        // Lets the accepting thread see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, shared: &Script) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let request = read(&stream)?;
    let reply = {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(request);
        state
            .script
            .pop_front()
            .or_else(|| state.usual.clone())
            .unwrap()
    };
    shared.changed.notify_all();
    match reply {
        Reply::Status(code, headers, body) => {
            let headers: String = headers
                .iter()
                .map(|(n, v)| format!("{n}: {v}\r\n"))
                .collect();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {code} X\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
        Reply::Pieces(headers, pieces, then) => {
            send_pieces(&mut stream, &headers, &pieces)?;
            match then {
                Then::End => stream.write_all(b"0\r\n\r\n"),
                Then::Wait => stall(shared),
                Then::Cut => Ok(()),
            }
        }
        Reply::Stall => stall(shared),
        Reply::CutOff => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        Reply::Garbage => write!(stream, "\u{0}\u{1}what is this\r\n\r\n"),
        Reply::Close => Ok(()),
    }
}

/// Sends each piece as a chunk of its own, so that the reader gets it as it is.
fn send_pieces(
    stream: &mut TcpStream,
    headers: &[(&'static str, String)],
    pieces: &[Vec<u8>],
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n")?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    for piece in pieces {
        write!(stream, "{:x}\r\n", piece.len())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")?;
    }
    Ok(())
}

/// Waits until the listener is dropped.
fn stall(shared: &Script) -> io::Result<()> {
    let state = shared.state.lock().unwrap();
    let limit = Duration::from_secs(60);
    drop(
        shared
            .changed
            .wait_timeout_while(state, limit, |state| !state.stopped)
            .unwrap(),
    );
    Ok(())
}

fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(n, _)| n == "content-length")
        .and_then(|(_, v)| v.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Request {
        at: Instant::now(),
        line: line.trim_end().to_owned(),
        headers,
        body,
    })
}
