//! What a function with `stream` returns: a stream that is only known to be one, a boxed one, or a
//! `Result` of either.
//!
//! Found by type, as in [`ending`](super::ending). A stream behind `impl Stream` may become another type,
//! and gets no box; a boxed one has to stay what it is, and is put into another box.

use std::pin::Pin;

use futures_core::Stream;

use super::{
    limit::Elapsed,
    stream::{ItemScope, ObservedStream, StreamCall},
    stream_limit::{LimitedStream, StreamLimits},
};

/// A returned value to be looked at.
pub struct StreamProbe<'a, T: ?Sized>(pub &'a T);

/// What the value is; implemented once for each number of `&`.
pub trait HasStream {
    /// The tag whose `observe` makes it the rest of the call.
    type Tag;
    /// Returns the tag.
    fn tag(self) -> Self::Tag;
}

/// The same where the written type leaves no choice: for boxed streams alone.
pub trait HasBoxedStream {
    /// The tag whose `observe` makes it the rest of the call.
    type Tag;
    /// Returns the tag.
    fn tag(self) -> Self::Tag;
}

/// Nothing has it: for the message about what is no stream.
#[diagnostic::on_unimplemented(
    message = "`stream` is for functions that return a stream, or a `Result` of one",
    label = "returns `{Self}`, which is no stream",
    note = "return `impl Stream<Item = ...>`, a boxed stream, or a `Result` of one of them"
)]
pub trait IsStream: Sized {}

/// Nothing has it: for the message about a stream whose type cannot be kept.
#[diagnostic::on_unimplemented(
    message = "the return type of a function with `stream` has to be `impl Stream` or a boxed stream",
    label = "returns `{Self}`, whose type the attribute cannot keep",
    note = "write `impl Stream<Item = ...>`, or a `Result` of it, in its place"
)]
pub trait IsBoxedStream: Sized {}

/// The tag of what is no stream.
pub struct NoStream;

impl NoStream {
    /// Does not compile, with a message.
    pub fn observe<T: IsStream, N>(self, call: StreamCall, out: T, note: N) -> T {
        drop((call, note));
        out
    }

    /// Does not compile, with a message.
    pub fn observe_limited<T: IsStream, N, M>(
        self,
        call: StreamCall,
        out: T,
        limits: StreamLimits,
        make: M,
        note: N,
    ) -> T {
        drop((call, note, limits, make));
        out
    }
}

impl<T: ?Sized> HasStream for &StreamProbe<'_, T> {
    type Tag = NoStream;
    #[inline]
    fn tag(self) -> NoStream {
        NoStream
    }
}

/// The tag of a stream whose type cannot be kept.
pub struct NamedStream;

impl NamedStream {
    /// Does not compile, with a message.
    pub fn observe<T: IsBoxedStream, N>(self, call: StreamCall, out: T, note: N) -> T {
        drop((call, note));
        out
    }

    /// Does not compile, with a message.
    pub fn observe_limited<T: IsBoxedStream, N, M>(
        self,
        call: StreamCall,
        out: T,
        limits: StreamLimits,
        make: M,
        note: N,
    ) -> T {
        drop((call, note, limits, make));
        out
    }
}

impl<T: ?Sized> HasBoxedStream for &StreamProbe<'_, T> {
    type Tag = NamedStream;
    #[inline]
    fn tag(self) -> NamedStream {
        NamedStream
    }
}

/// The tag of a stream.
pub struct OpaqueStream;

impl OpaqueStream {
    /// Returns the stream as the rest of `call`; `note` reads each item.
    #[inline]
    pub fn observe<S: Stream, N: Fn(&mut ItemScope<'_>, &S::Item)>(
        self,
        call: StreamCall,
        out: S,
        note: N,
    ) -> ObservedStream<S, N> {
        ObservedStream::new(call, out, note)
    }

    /// The same with limits; `make` makes the item that says that one was reached.
    #[inline]
    pub fn observe_limited<S, N, M>(
        self,
        call: StreamCall,
        out: S,
        limits: StreamLimits,
        make: M,
        note: N,
    ) -> ObservedStream<LimitedStream<S, M>, N>
    where
        S: Stream,
        N: Fn(&mut ItemScope<'_>, &S::Item),
        M: FnOnce(Elapsed) -> S::Item,
    {
        ObservedStream::new(call, LimitedStream::new(limits, out, make), note)
    }
}

impl<S: Stream> HasStream for &&StreamProbe<'_, S> {
    type Tag = OpaqueStream;
    #[inline]
    fn tag(self) -> OpaqueStream {
        OpaqueStream
    }
}

/// The tag of a `Result` of what has the other tag.
pub struct ResultOf<Tag>(Tag);

impl ResultOf<OpaqueStream> {
    /// Returns the stream as the rest of `call`; `note` reads each item.
    #[inline]
    pub fn observe<S: Stream, E, N: Fn(&mut ItemScope<'_>, &S::Item)>(
        self,
        call: StreamCall,
        out: Result<S, E>,
        note: N,
    ) -> Result<ObservedStream<S, N>, E> {
        out.map(|out| self.0.observe(call, out, note))
    }

    /// The same with limits; `make` makes the item that says that one was reached.
    #[inline]
    pub fn observe_limited<S, E, N, M>(
        self,
        call: StreamCall,
        out: Result<S, E>,
        limits: StreamLimits,
        make: M,
        note: N,
    ) -> Result<ObservedStream<LimitedStream<S, M>, N>, E>
    where
        S: Stream,
        N: Fn(&mut ItemScope<'_>, &S::Item),
        M: FnOnce(Elapsed) -> S::Item,
    {
        out.map(|out| self.0.observe_limited(call, out, limits, make, note))
    }
}

impl<S: Stream, E> HasStream for &&&StreamProbe<'_, Result<S, E>> {
    type Tag = ResultOf<OpaqueStream>;
    #[inline]
    fn tag(self) -> ResultOf<OpaqueStream> {
        ResultOf(OpaqueStream)
    }
}

macro_rules! boxed {
    ($(#[$doc:meta])* $tag:ident, [$($refs:tt)*], [$($auto:tt)*]) => {
        $(#[$doc])*
        pub struct $tag;

        impl $tag {
            /// Returns the stream as the rest of `call`; `note` reads each item.
            pub fn observe<'f, T: 'f, N>(
                self,
                call: StreamCall,
                out: Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>,
                note: N,
            ) -> Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>
            where
                N: Fn(&mut ItemScope<'_>, &T) $($auto)* + 'f,
            {
                // Without an observer it stays as it is.
                if !call.0.is_observed() {
                    return out;
                }
                Box::pin(ObservedStream::new(call, out, note))
            }

            /// The same with limits; `make` makes the item that says that one was reached.
            pub fn observe_limited<'f, T: 'f, N, M>(
                self,
                call: StreamCall,
                out: Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>,
                limits: StreamLimits,
                make: M,
                note: N,
            ) -> Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>
            where
                N: Fn(&mut ItemScope<'_>, &T) $($auto)* + 'f,
                M: FnOnce(Elapsed) -> T $($auto)* + 'f,
            {
                Box::pin(ObservedStream::new(call, LimitedStream::new(limits, out, make), note))
            }
        }

        impl ResultOf<$tag> {
            /// Returns the stream as the rest of `call`; `note` reads each item.
            pub fn observe<'f, T: 'f, E, N>(
                self,
                call: StreamCall,
                out: Result<Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>, E>,
                note: N,
            ) -> Result<Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>, E>
            where
                N: Fn(&mut ItemScope<'_>, &T) $($auto)* + 'f,
            {
                out.map(|out| self.0.observe(call, out, note))
            }

            /// The same with limits; `make` makes the item that says that one was reached.
            pub fn observe_limited<'f, T: 'f, E, N, M>(
                self,
                call: StreamCall,
                out: Result<Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>, E>,
                limits: StreamLimits,
                make: M,
                note: N,
            ) -> Result<Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>, E>
            where
                N: Fn(&mut ItemScope<'_>, &T) $($auto)* + 'f,
                M: FnOnce(Elapsed) -> T $($auto)* + 'f,
            {
                out.map(|out| self.0.observe_limited(call, out, limits, make, note))
            }
        }

        boxed!(@level HasStream, $tag, [$($refs)*], [$($auto)*]);
        boxed!(@level HasBoxedStream, $tag, [$($refs)*], [$($auto)*]);
    };
    (@level $trait:ident, $tag:ident, [$($refs:tt)*], [$($auto:tt)*]) => {
        impl<'f, T> $trait
            for $($refs)* StreamProbe<'_, Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>>
        {
            type Tag = $tag;
            #[inline]
            fn tag(self) -> $tag {
                $tag
            }
        }

        impl<'f, T, E> $trait
            for $($refs)* StreamProbe<'_, Result<Pin<Box<dyn Stream<Item = T> $($auto)* + 'f>>, E>>
        {
            type Tag = ResultOf<$tag>;
            #[inline]
            fn tag(self) -> ResultOf<$tag> {
                ResultOf($tag)
            }
        }
    };
}

boxed!(
    /// The tag of a boxed stream.
    BoxedStream, [&&&&], []
);
boxed!(
    /// The tag of a boxed stream that is `Send`.
    BoxedSendStream, [&&&&&], [+ Send]
);
boxed!(
    /// The tag of a boxed stream that is `Send` and `Sync`.
    BoxedSyncStream, [&&&&&&], [+ Send + Sync]
);

/// Makes the stream that a function returned the rest of its call.
#[macro_export]
#[doc(hidden)]
macro_rules! __stream {
    ($method:ident, $call:expr, $out:ident, $($more:expr),*) => {{
        use $crate::__private::stream_type::HasStream as _;
        (&&&&&&$crate::__private::stream_type::StreamProbe(&$out))
            .tag()
            .$method($call, $out, $($more),*)
    }};
}

/// The same where the function's type names a stream.
#[macro_export]
#[doc(hidden)]
macro_rules! __boxed_stream {
    ($method:ident, $call:expr, $out:ident, $($more:expr),*) => {{
        use $crate::__private::stream_type::HasBoxedStream as _;
        (&&&&&&$crate::__private::stream_type::StreamProbe(&$out))
            .tag()
            .$method($call, $out, $($more),*)
    }};
}
