//! The server module when its feature is off: it serves nothing.

use std::net::SocketAddr;

use crate::error::Error;

pub(crate) struct Server(SocketAddr);

pub(crate) fn configured(
    _: &llm_observe_config::Server,
    _: impl Fn(bool) -> Option<String> + Send + Sync + 'static,
) -> Result<Option<Server>, Error> {
    Ok(None)
}

impl Server {
    pub(crate) fn start(&self, _: bool) -> Result<SocketAddr, Error> {
        Ok(self.0)
    }

    pub(crate) fn wanted(&self) -> SocketAddr {
        self.0
    }
}
