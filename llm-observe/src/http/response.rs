//! The future of an answer's head.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::{
    body::ObservedBody,
    server_call::ServerCall,
    start::{REQUEST_ID, content_length},
};

pin_project! {
    /// The future of an observed answer.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        call: Option<ServerCall>,
        // The method is one whose answer has no body.
        bodiless: bool,
        panicked: Option<Response<()>>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(call) = this.call {
                // Calls that are cancelled with it belong to the request. A panic in a drop is no
                // news beside that.
                let _ = call.inside(|| this.inner.set(None));
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    /// Returns the future of an answer; observed, where the request is.
    #[inline]
    pub(super) fn new(
        inner: Option<F>,
        call: Option<ServerCall>,
        bodiless: bool,
    ) -> ResponseFuture<F> {
        ResponseFuture {
            inner,
            call,
            bodiless,
            panicked: None,
        }
    }

    pub(super) fn panicked(answer: Response<()>) -> ResponseFuture<F> {
        ResponseFuture {
            inner: None,
            call: None,
            bodiless: false,
            panicked: Some(answer),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display,
    R: Body,
{
    type Output = Result<Response<ObservedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(answer) = this.panicked.take() {
            return Poll::Ready(Ok(answer.map(|()| ObservedBody::empty())));
        }
        let Some(call) = this.call else {
            let polled = poll_once(this.inner, cx);
            return polled.map_ok(|response| response.map(ObservedBody::unobserved));
        };
        let mut polled = Poll::Pending;
        let done = match call.inside(|| polled = poll_once(this.inner.as_mut(), cx)) {
            Ok(()) => Some(ready!(polled)),
            Err(_) => {
                let _ = call.inside(|| this.inner.set(None));
                None
            }
        };
        let Some(call) = this.call.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match done {
            Some(Ok(response)) => Ok(observe(response, call, *this.bodiless)),
            Some(Err(error)) => {
                call.fail(&error);
                Err(error)
            }
            None => Ok(answer_panic(call).map(|()| ObservedBody::empty())),
        })
    }
}

/// Polls a future, and drops it as soon as it is done: in its request still.
fn poll_once<F: Future>(mut future: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    let Some(polled) = future.as_mut().as_pin_mut() else {
        return Poll::Pending;
    };
    let polled = polled.poll(cx);
    if polled.is_ready() {
        future.set(None);
    }
    polled
}

/// Ends a request whose handler panicked, and returns what the client gets: a 500 that says nothing.
pub(super) fn answer_panic(mut call: ServerCall) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    mark(&mut response, &mut call);
    call.panicked();
    response
}

/// Notes the head of the answer; its body goes on being observed where there is one to come.
fn observe<R: Body>(
    mut response: Response<R>,
    mut call: ServerCall,
    bodiless: bool,
) -> Response<ObservedBody<R>> {
    mark(&mut response, &mut call);
    let status = response.status();
    // RFC 9110, section 6.4.1; after 101 the connection is no longer HTTP's.
    let bodiless = bodiless
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.body().is_end_stream();
    if bodiless {
        call.note(|exchange| exchange.response_bytes = Some(0));
        call.finish();
        return response.map(ObservedBody::unobserved);
    }
    let promised = response.body().size_hint().exact();
    let promised = promised.or_else(|| content_length(response.headers()));
    response.map(|body| ObservedBody::new(body, call, promised))
}

/// Puts the request's id on the answer, and the answer's status on the record.
fn mark<R>(response: &mut Response<R>, call: &mut ServerCall) {
    let status = response.status().as_u16();
    call.note(|exchange| exchange.status = Some(status));
    call.saw(response.headers());
    let Some(request) = call.request() else {
        return;
    };
    if let Ok(id) = HeaderValue::from_str(request.id.as_str())
        && let Ok(place) = response.headers_mut().try_entry(REQUEST_ID)
    {
        // An id that the handler gave stays: it knows better.
        place.or_insert(id);
    }
}
