//! Calls out: what every client's layer shares, and one file a client.

mod limits;
mod usage;
