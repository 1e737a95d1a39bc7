//! What the unit tests of `llm-observe` and the integration tests share.
//!
//! It is a package of its own, and published, so that the tests of the published `llm-observe`
//! compile. It promises no stable interface to anyone else. It knows nothing of llm-observe.

pub mod listener;
pub mod peers;
