//! stub
mod client;
