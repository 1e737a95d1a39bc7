//! What the integration tests share: programs to run, folders to run them in, peers to run them
//! against. Knows the toolkit only from outside.

pub mod folder;
pub mod http;
pub mod listener;
pub mod metrics;
pub mod outside;
pub mod peers;
pub mod program;
pub mod wait;
