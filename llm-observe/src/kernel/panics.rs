//! The message and the location of a panic, kept from the panic hook until the guard of the call
//! that it unwinds through takes them.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::RefCell,
    panic::{self, PanicHookInfo},
    sync::Once,
};

use super::{
    error_info::ErrorInfo,
    outcome::ErrorClass,
    user_text::{self, PanicPlace},
};

thread_local! {
    static LAST: RefCell<Option<ErrorInfo>> = const { RefCell::new(None) };
}

/// Puts our hook before the program's, once. The program's own still runs after it, except for a
/// panic in a `Display`, `Debug` or `source` that is called here alone: the text shows that one.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = user_text::panic_place();
            if place == PanicPlace::Program {
                keep(info);
            }
            if place != PanicPlace::Text {
                before(info);
            }
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
    let mut error = ErrorInfo::new(
        "panic",
        user_text::panic_message(info.payload()),
        ErrorClass::Internal,
    );
    error.location = info.location().map(ToString::to_string);
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        error.backtrace = Some(trace.to_string());
    }
    // A thread that is being torn down has no such place any more.
    let _ = LAST.try_with(|last| last.replace(Some(error)));
}
