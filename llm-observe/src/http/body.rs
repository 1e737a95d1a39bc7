//! The body of an answer: the request ends with its last byte, or when nobody wants the rest.

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
    /// The body of an observed answer. Passes on what the inner one has, as it comes.
    #[derive(Debug)]
    pub struct ObservedBody<B> {
        // None: there is nothing to pass on.
        #[pin]
        inner: Option<B>,
        watch: Option<Watch>,
    }

    impl<B> PinnedDrop for ObservedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut watch) = this.watch.take() {
                // Calls that are cancelled with it belong to the request.
                let _ = watch.call.inside(|| this.inner.set(None));
                watch.dropped();
            }
        }
    }
}

/// What is counted of a body while it lasts.
struct Watch {
    call: ServerCall,
    bytes: u64,
    /// How long it said it would be.
    promised: Option<u64>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Watch {
    fn saw(&mut self, data: usize) {
        if data > 0 && self.bytes == 0 {
            self.call.note_first_byte();
        }
        self.bytes += u64::try_from(data).unwrap_or(u64::MAX);
    }

    fn is_complete(&self) -> bool {
        self.promised.is_some_and(|promised| self.bytes >= promised)
    }

    /// Returns whether nothing is to come that matters.
    fn is_over(&self) -> bool {
        self.is_complete() && !self.call.awaits_status()
    }

    fn count(&mut self) {
        let bytes = self.bytes;
        self.call
            .note(|exchange| exchange.response_bytes = Some(bytes));
    }

    fn finish(mut self) {
        self.count();
        self.call.finish();
    }

    fn fail<E: fmt::Display>(mut self, error: &E) {
        self.count();
        self.call.fail(error);
    }

    fn panicked(mut self) {
        self.count();
        self.call.panicked();
    }

    /// Its reader wants no more: it may have all that was promised.
    fn dropped(mut self) {
        if self.is_complete() {
            self.finish();
        } else {
            self.count();
        }
    }
}

impl<B> ObservedBody<B> {
    pub(super) fn new(inner: B, call: ServerCall, promised: Option<u64>) -> ObservedBody<B> {
        let watch = Watch {
            call,
            bytes: 0,
            promised,
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
    B::Error: fmt::Display,
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
        if let Err(panic) = watch.call.inside(|| polled = inner.as_mut().poll_frame(cx)) {
            if let Some(watch) = this.watch.take() {
                watch.panicked();
            }
            // The client must not take what it has for the whole: the server cuts it off.
            resume_unwind(panic)
        }
        let polled = ready!(polled);
        if let Some(Ok(frame)) = &polled {
            watch.saw(frame.data_ref().map_or(0, Buf::remaining));
            frame
                .trailers_ref()
                .into_iter()
                .for_each(|trailers| watch.call.saw(trailers));
        }
        let is_last = match &polled {
            Some(Ok(frame)) => frame.is_trailers() || inner.is_end_stream() || watch.is_over(),
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
