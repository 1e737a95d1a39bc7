//! The future of a response's head.

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
    headers::{REQUEST_ID, content_length},
    server_call::ServerCall,
};

pin_project! {
    /// The future of an observed response.
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        call: Option<ServerCall>,
        // Whether responses to the method have no body.
        bodiless: bool,
        panicked: Option<Response<()>>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(call) = this.call {
                // Calls that are cancelled by the drop belong to the request. A panic in the drop
                // adds nothing to that.
                let _ = call.run(|| this.inner.set(None));
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    /// Returns the future of a response, observed if there is a call.
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

    pub(super) fn panicked(response: Response<()>) -> ResponseFuture<F> {
        ResponseFuture {
            inner: None,
            call: None,
            bodiless: false,
            panicked: Some(response),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display + 'static,
    R: Body,
{
    type Output = Result<Response<ObservedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(response) = this.panicked.take() {
            return Poll::Ready(Ok(response.map(|()| ObservedBody::empty())));
        }
        let Some(call) = this.call else {
            let polled = poll_once(this.inner, cx);
            return polled.map_ok(|response| response.map(ObservedBody::unobserved));
        };
        let mut polled = Poll::Pending;
        let done = match call.run(|| polled = poll_once(this.inner.as_mut(), cx)) {
            Ok(()) => Some(ready!(polled)),
            Err(_) => {
                let _ = call.run(|| this.inner.set(None));
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
            None => Ok(panic_response(call).map(|()| ObservedBody::empty())),
        })
    }
}

/// Polls a future, and drops it when it is ready, while its request is still the thread's.
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

/// Ends a request whose handler panicked. Returns the response to the client: an empty 500.
pub(super) fn panic_response(mut call: ServerCall) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    note_head(&mut response, &mut call);
    call.panicked();
    response
}

/// Records the head of the response, and observes the body unless there is none.
fn observe<R: Body>(
    mut response: Response<R>,
    mut call: ServerCall,
    bodiless: bool,
) -> Response<ObservedBody<R>> {
    note_head(&mut response, &mut call);
    let status = response.status();
    // RFC 9110, section 6.4.1. After 101 the connection speaks another protocol.
    let bodiless = bodiless
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || response.body().is_end_stream();
    if bodiless {
        call.note(|exchange| exchange.response_bytes = Some(0));
        call.finish();
        return response.map(ObservedBody::unobserved);
    }
    let expected = response.body().size_hint().exact();
    let expected = expected.or_else(|| content_length(response.headers()));
    response.map(|body| ObservedBody::new(body, call, expected))
}

/// Adds the request's id to the response, and the response's status to the record.
fn note_head<R>(response: &mut Response<R>, call: &mut ServerCall) {
    let status = response.status().as_u16();
    call.note(|exchange| exchange.status = Some(status));
    call.note_grpc_status(response.headers());
    let Some(request) = call.request() else {
        return;
    };
    if let Ok(id) = HeaderValue::from_str(request.id.as_str())
        && let Ok(entry) = response.headers_mut().try_entry(REQUEST_ID)
    {
        // An id that the handler has set stays.
        entry.or_insert(id);
    }
}
