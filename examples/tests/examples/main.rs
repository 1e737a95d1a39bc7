//! The examples from outside: exit status, output, HTTP interface and logs.

mod agent;
mod chat_stream;
#[cfg(unix)]
mod container;
mod rag_service;
mod support;
