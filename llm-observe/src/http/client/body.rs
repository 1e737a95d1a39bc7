//! The body of a response: passed on unchanged, and read as it passes.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{failure::RequestFailure, response::ClientResponse};

pin_project! {
    /// The body of the response to an observed request. Passes on each frame of the inner body at once.
    ///
    /// The request ends with the last byte, or when the body is dropped. A body that is dropped after
    /// its reader began and before its end makes the request cancelled.
    #[derive(Debug)]
    pub struct ClientResponseBody<B> {
        #[pin]
        inner: B,
        response: Option<ClientResponse>,
    }
}

impl<B> ClientResponseBody<B> {
    pub(super) fn new(inner: B, response: Option<ClientResponse>) -> ClientResponseBody<B> {
        ClientResponseBody { inner, response }
    }
}

impl<B> Body for ClientResponseBody<B>
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
        if let Some(response) = this.response.as_mut() {
            response.note_reader();
        }
        let polled = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(mut response) = this.response.take() {
            match &polled {
                None => response.finish(),
                Some(Err(error)) => response.fail(RequestFailure::of(error)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        note_data(&mut response, data);
                    }
                    let is_last =
                        frame.is_trailers() || this.inner.is_end_stream() || response.is_complete();
                    match is_last {
                        true => response.finish(),
                        false => *this.response = Some(response),
                    }
                }
            }
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Passes on the bytes of a frame. Clients have them in one piece.
fn note_data(response: &mut ClientResponse, data: &impl Buf) {
    let chunk = data.chunk();
    match chunk.len() == data.remaining() {
        true => response.note_data(chunk),
        false => response.note_unread_data(data.remaining()),
    }
}
