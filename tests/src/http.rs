//! Just enough HTTP to ask a server on this machine.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long a server may take for any one step.
const LIMIT: Duration = Duration::from_secs(10);

/// A response, as it came.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub head: String,
    /// What follows them.
    pub body: String,
}

/// Gets `path` in HTTP/1.0, so that the body ends with the connection.
///
/// # Errors
///
/// When there is no server, it stalls, or what it says is not HTTP.
pub fn get(address: SocketAddr, path: &str) -> io::Result<Response> {
    get_with(address, path, &[&format!("Host: {address}")])
}

/// Gets `path` as [`get`] does, with these header lines and no others.
///
/// # Errors
///
/// As [`get`].
pub fn get_with(address: SocketAddr, path: &str, headers: &[&str]) -> io::Result<Response> {
    ask("GET", address, path, headers)
}

/// Asks for the head of `path`, with no header line.
///
/// # Errors
///
/// As [`get`].
pub fn head(address: SocketAddr, path: &str) -> io::Result<Response> {
    ask("HEAD", address, path, &[])
}

fn ask(method: &str, address: SocketAddr, path: &str, headers: &[&str]) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    write!(stream, "{method} {path} HTTP/1.0\r\n{headers}\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::other(format!("not HTTP: {text}")))
}

fn parse(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
