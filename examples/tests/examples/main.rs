//! The examples from outside: exit status, output, HTTP interface and logs.

#[cfg(unix)]
mod container;
mod rag_service;
mod support;
