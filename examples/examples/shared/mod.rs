//! What `chat_stream` and `agent` share: the client of a real server, and a look at what was observed.

pub(crate) mod observed;
pub(crate) mod server;

#[path = "../rag_service/exposition.rs"]
pub(crate) mod exposition;
