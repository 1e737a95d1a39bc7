//! When the call of a function that returns a type of any name ends: when it returns, or, if that
//! type is a boxed future, when the future is done.
//!
//! Found by type, as in [`probe`](super::probe), so that an alias is what it stands for and a type
//! that is only called like a future is none. Here the levels return a tag, since what comes next
//! takes the value and not a reference to it.
#![allow(
    unsafe_code,
    reason = "a boxed future of a generic output can be put into another box in no other way"
)]

use std::{future::Future, mem, pin::Pin};

use super::{future, scope::CallScope, sync_call::SyncCall};

/// A returned value to be looked at.
pub struct EndProbe<'a, T: ?Sized>(pub &'a T);

/// How a call ends; implemented once for each number of `&`.
pub trait HasEnding {
    /// The tag whose `end` ends the call.
    type Tag;
    /// Returns the tag.
    fn tag(self) -> Self::Tag;
}

/// The tag of any value: the call ends when it is returned.
pub struct WhenReturned;

impl WhenReturned {
    /// Ends `call` with `out`, of which `note` records what is to be known, and returns it.
    #[inline(always)]
    pub fn end<T>(self, call: SyncCall, out: T, note: impl FnOnce(&mut CallScope, &T)) -> T {
        call.finish(|scope| note(scope, &out));
        out
    }
}

impl<T: ?Sized> HasEnding for &EndProbe<'_, T> {
    type Tag = WhenReturned;
    #[inline]
    fn tag(self) -> WhenReturned {
        WhenReturned
    }
}

macro_rules! boxed {
    ($(#[$doc:meta])* $tag:ident, [$($refs:tt)*], [$($auto:tt)*]) => {
        $(#[$doc])*
        pub struct $tag;

        impl $tag {
            /// Returns the future with `call` in it, which ends when it is done, as `note` records.
            pub fn end<'f, 'now, T: 'now, N>(
                self,
                call: SyncCall,
                out: Pin<Box<dyn Future<Output = T> $($auto)* + 'f>>,
                note: N,
            ) -> Pin<Box<dyn Future<Output = T> $($auto)* + 'f>>
            where
                'f: 'now,
                N: Fn(&mut CallScope, &T) $($auto)* + 'f,
            {
                let Some(call) = call.into_call() else {
                    return out;
                };
                let observed: Pin<Box<dyn Future<Output = T> $($auto)* + 'now>> =
                    Box::pin(future::made(call, out, note));
                // SAFETY: only the bound of the same object grows, to that of what it consists of:
                // the future and `note` live for 'f by their types, and a call is 'static. The
                // compiler refuses this where it cannot see `T: 'f`, since the type of `out`
                // mentions `T`, but an output is no part of a future: the user's own box, which is
                // in this one, has the same type.
                unsafe {
                    mem::transmute::<
                        Pin<Box<dyn Future<Output = T> $($auto)* + 'now>>,
                        Pin<Box<dyn Future<Output = T> $($auto)* + 'f>>,
                    >(observed)
                }
            }
        }

        impl<'f, T> HasEnding
            for $($refs)* EndProbe<'_, Pin<Box<dyn Future<Output = T> $($auto)* + 'f>>>
        {
            type Tag = $tag;
            fn tag(self) -> $tag {
                $tag
            }
        }
    };
}

boxed!(
    /// The tag of a boxed future.
    WhenDone, [&&], []
);
boxed!(
    /// The tag of a boxed future that is `Send`.
    WhenDoneSend, [&&&], [+ Send]
);
boxed!(
    /// The tag of a boxed future that is `Send` and `Sync`.
    WhenDoneSync, [&&&&], [+ Send + Sync]
);

/// Ends a call with the value it returned, or hands it to the future that it returned.
#[macro_export]
#[doc(hidden)]
macro_rules! __end {
    ($call:expr, $out:ident, $note:expr) => {{
        use $crate::__private::ending::HasEnding as _;
        (&&&&$crate::__private::ending::EndProbe(&$out))
            .tag()
            .end($call, $out, $note)
    }};
}
