//! The body of an answer: passed on as it comes, and looked at on its way.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{answer::Answer, fault::Fault};

pin_project! {
    /// The body of the answer to an observed request. Holds nothing back: what the inner one has is
    /// passed on as it comes.
    ///
    /// The request ends with its last byte, or when this is dropped: as cancelled, if its reader had
    /// begun to read and the answer was not at its end.
    #[derive(Debug)]
    pub struct AnswerBody<B> {
        #[pin]
        inner: B,
        answer: Option<Answer>,
    }
}

impl<B> AnswerBody<B> {
    pub(super) fn new(inner: B, answer: Option<Answer>) -> AnswerBody<B> {
        AnswerBody { inner, answer }
    }
}

impl<B> Body for AnswerBody<B>
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
        if let Some(answer) = this.answer.as_mut() {
            answer.want();
        }
        let polled = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(mut answer) = this.answer.take() {
            match &polled {
                None => answer.finish(),
                Some(Err(error)) => answer.broke(Fault::of(error)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        see(&mut answer, data);
                    }
                    let is_last =
                        frame.is_trailers() || this.inner.is_end_stream() || answer.is_complete();
                    match is_last {
                        true => answer.finish(),
                        false => *this.answer = Some(answer),
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

/// Shows the bytes of a frame, which clients have in one piece.
fn see(answer: &mut Answer, data: &impl Buf) {
    let piece = data.chunk();
    match piece.len() == data.remaining() {
        true => answer.saw(piece),
        false => answer.lost(data.remaining()),
    }
}
