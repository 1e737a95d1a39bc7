//! The body of a response: the request ends with its last byte, or when the body is dropped.

use std::{
    fmt,
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::server_call::ServerCall;

pin_project! {
    /// The body of an observed response. Passes on each frame of the inner body at once.
    #[derive(Debug)]
    pub struct ObservedBody<B> {
        // `None` for an empty body.
        #[pin]
        inner: Option<B>,
        watch: Option<BodyWatch>,
    }

    impl<B> PinnedDrop for ObservedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut watch) = this.watch.take() {
                // Calls that are cancelled by the drop belong to the request.
                let _ = watch.call.run(|| this.inner.set(None));
                watch.dropped();
            }
        }
    }
}

/// The call of the request, and how much of the body has passed.
struct BodyWatch {
    call: ServerCall,
    bytes: u64,
    /// The length of the whole body, where it is known.
    expected_bytes: Option<u64>,
}

impl fmt::Debug for BodyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWatch")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl BodyWatch {
    fn count_data(&mut self, data: usize) {
        if data > 0 && self.bytes == 0 {
            self.call.note_first_byte();
        }
        self.bytes += u64::try_from(data).unwrap_or(u64::MAX);
    }

    fn is_complete(&self) -> bool {
        self.expected_bytes
            .is_some_and(|expected| self.bytes >= expected)
    }

    /// Returns whether neither data nor a gRPC status is still to come.
    fn is_finished(&self) -> bool {
        self.is_complete() && !self.call.awaits_grpc_status()
    }

    fn note_bytes(&mut self) {
        let bytes = self.bytes;
        self.call
            .note(|exchange| exchange.response_bytes = Some(bytes));
    }

    fn finish(mut self) {
        self.note_bytes();
        self.call.finish();
    }

    fn fail<E: fmt::Display + 'static>(mut self, error: &E) {
        self.note_bytes();
        self.call.fail(error);
    }

    fn panicked(mut self) {
        self.note_bytes();
        self.call.panicked();
    }

    /// Ends the call when the reader drops the body, which may have been complete.
    fn dropped(mut self) {
        if self.is_complete() {
            self.finish();
        } else {
            self.note_bytes();
        }
    }
}

impl<B> ObservedBody<B> {
    pub(super) fn new(inner: B, call: ServerCall, expected_bytes: Option<u64>) -> ObservedBody<B> {
        let watch = BodyWatch {
            call,
            bytes: 0,
            expected_bytes,
        };
        ObservedBody {
            inner: Some(inner),
            watch: Some(watch),
        }
    }

    pub(super) fn unobserved(inner: B) -> ObservedBody<B> {
        ObservedBody {
            inner: Some(inner),
            watch: None,
        }
    }

    pub(super) fn empty() -> ObservedBody<B> {
        ObservedBody {
            inner: None,
            watch: None,
        }
    }
}

impl<B> Body for ObservedBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(watch) = this.watch else {
            return inner.poll_frame(cx);
        };
        let mut polled = Poll::Pending;
        if let Err(panic) = watch.call.run(|| polled = inner.as_mut().poll_frame(cx)) {
            if let Some(watch) = this.watch.take() {
                watch.panicked();
            }
            // The server then cuts the connection, so that no client takes a part for the whole body.
            resume_unwind(panic)
        }
        let polled = ready!(polled);
        if let Some(Ok(frame)) = &polled {
            watch.count_data(frame.data_ref().map_or(0, Buf::remaining));
            frame
                .trailers_ref()
                .into_iter()
                .for_each(|trailers| watch.call.note_grpc_status(trailers));
        }
        let is_last = match &polled {
            Some(Ok(frame)) => frame.is_trailers() || inner.is_end_stream() || watch.is_finished(),
            Some(Err(_)) | None => true,
        };
        if is_last && let Some(watch) = this.watch.take() {
            match &polled {
                Some(Err(error)) => watch.fail(error),
                _ => watch.finish(),
            }
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
