//! What generated code names; nothing else of the crate does, and users do not.
//!
//! It is the same under every feature, so that an annotated crate compiles the same whatever the
//! final program turns on.

pub use core;
pub use std::boxed::Box;
pub use std::convert::From;
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::{self, Err, Ok};

pub use tracing::Level;

pub use crate::{
    __boxed_stream as boxed_stream, __end as end, __ok_value as ok_value, __response as response,
    __section as section, __stream as stream, __verdict as verdict,
    genai::{response_type, tokens::tokens},
    init::{Embedded, Installs, init},
    kernel::{
        alert_rule::{AlertRule, Severity, TriggerSet},
        capture::{check, count, debug, display, items, score, see, value},
        ending,
        future::{Observed, future, limited_future},
        limit::Limited,
        links::Links,
        probe,
        scope::CallScope,
        site::Site,
        stream::StreamCall,
        stream_limit::StreamLimits,
        stream_type,
        sync_call::{InlineCall, SyncCall as Call},
    },
};

/// Operations of models.
pub mod genai {
    pub use crate::genai::{
        kinds::{
            CHAT, CREATE_AGENT, EMBEDDINGS, EXECUTE_TOOL, GENERATE_CONTENT, INVOKE_AGENT,
            INVOKE_WORKFLOW, RETRIEVAL, TEXT_COMPLETION,
        },
        operation::{agent, data_source, model, provider, response, start, tool, usage},
    };
}

/// Returns the name of a type, which holds the path of the function it is declared in.
#[must_use]
pub fn path_of<T>() -> &'static str {
    core::any::type_name::<T>()
}

/// Returns a duration of so many nanoseconds.
#[must_use]
pub const fn nanos(n: u64) -> core::time::Duration {
    core::time::Duration::from_nanos(n)
}

/// Calls `body`. A closure that is a call's argument is inferred as `FnOnce` and may move.
#[inline]
pub fn call_once<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Lets `note` record on the call that runs on this thread.
#[inline]
pub fn start(note: impl FnOnce(&mut CallScope)) {
    CallScope::on_current(note);
}

/// Records nothing of an output that cannot be a failure.
#[inline]
pub fn nothing<T: ?Sized>(_: &mut CallScope, _: &T) {}

/// Returns any type there is, and never does: for a `return` that is never reached.
#[must_use]
pub fn any<T>() -> T {
    #[allow(
        clippy::empty_loop,
        reason = "there is no value to return, and no panic allowed"
    )]
    loop {}
}
