//! The server module when its feature is off: it serves nothing.

use std::net::SocketAddr;

use crate::error::Error;

pub(crate) struct Server(SocketAddr);

pub(crate) fn start(
    _: &llm_observe_config::Server,
    _: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
) -> Result<Option<Server>, Error> {
    Ok(None)
}

impl Server {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0
    }
}
