//! The message and the location of a panic, kept from the panic hook until the guard of the call
//! that it unwinds through takes them.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use super::{error_info::ErrorInfo, outcome::ErrorClass};

thread_local! {
    static LAST: RefCell<Option<ErrorInfo>> = const { RefCell::new(None) };
}

/// Puts our hook before the program's, once. The program's own still runs after it.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            keep(info);
            before(info);
        }));
    });
}

/// Takes the description of this thread's latest panic.
pub(crate) fn take_last() -> Option<ErrorInfo> {
    LAST.try_with(RefCell::take).ok().flatten()
}

/// Describes a panic whose hook was replaced by another.
pub(crate) fn unknown() -> ErrorInfo {
    ErrorInfo::new(
        "panic",
        "a panic whose message was not seen".to_owned(),
        ErrorClass::Internal,
    )
}

fn keep(info: &PanicHookInfo<'_>) {
    let mut error = ErrorInfo::new("panic", text(info.payload()), ErrorClass::Internal);
    error.location = info.location().map(ToString::to_string);
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        error.backtrace = Some(trace.to_string());
    }
    // A thread that is being torn down has no such place any more.
    let _ = LAST.try_with(|last| last.replace(Some(error)));
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic whose payload is no text".to_owned()
    }
}
