//! One connection, from accept to close, and each request on it.
//!
//! Body and answer have a deadline each, `limits.requestTimeout`. A request counts as in flight from
//! the end of its body until the handler has answered; its body arrives whole or is refused here. A
//! handler that panics costs its caller a 500 and nobody else anything. What is ready at once costs no
//! timer, box, task or lock beyond hyper's own.
//!
//! Refusals carry no `Retry-After`: with it, kube-apiserver would make up to 55 calls of one.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version, request};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::debug;

use super::body::{self, BodyError};
use super::budget::Budget;
use super::guests::Stays;
use super::linger::Lingering;
use super::listener::Stream;
use super::room::{Place, Room, Rooms};
use super::{Handler, Limits, Peer, PeerAddress, Tls};
use crate::api::Status;
use crate::lifecycle::{Drain, Panicked, caught};
use crate::live::Live;
use crate::metrics::Metrics;

/// Streams at once on one HTTP/2 connection. Go's own default; its client opens a second connection
/// when it needs more. A quarter of the requests that may be in flight by default, so that one
/// connection cannot have them all.
const STREAMS: u32 = 250;
/// The same for a client without the certificate that it was asked for: what it sends is there before
/// it can be told that there is no room for it. As many as clients begin with before they are told
/// (RFC 9113, section 6.5.2, recommends no fewer).
const STRANGERS_STREAMS: u32 = 100;
/// What a client may send ahead on one stream: a review of the longest token, in one go.
const STREAM_WINDOW: u32 = 128 * 1024;
/// What it may send ahead on all streams of a connection together.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Largest request head.
const HEAD_BYTES: usize = 32 * 1024;
/// What is kept of one answer that the client does not read.
const SEND_BUFFER: usize = 64 * 1024;
/// How long a connection on which nothing was asked is kept when the drain begins.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// How long one of HTTP/1.1 may still be asked, for the last time.
const LAST_REQUEST: Duration = Duration::from_secs(1);
/// Streams that a client has reset before they were looked at, and streams that were reset for its
/// mistakes, until its connection is ended for them.
const RESETS: usize = 20;
const MISTAKES: usize = 1024;

/// What the connections share that were accepted under the same limits.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    pub(super) limits: Limits,
    /// Of the HTTPS listener; the admin listener counts nothing.
    pub(super) metrics: Option<Arc<Metrics>>,
    /// Tells every connection to go. Begun once the listener is closed.
    drain: Drain,
    in_flight: Budget,
    rooms: Rooms,
    /// How many connections may really be open.
    pub(super) max_open: usize,
}

impl<H: Handler> Shared<H> {
    pub(super) fn new(
        handler: H,
        limits: Limits,
        metrics: Option<Arc<Metrics>>,
        drain: Drain,
    ) -> Arc<Self> {
        let in_flight = Budget::new(limits.max_requests_in_flight);
        let max_open = limits.connections();
        let rooms = Rooms::new(&limits, max_open);
        Arc::new(Self { handler, limits, metrics, drain, in_flight, rooms, max_open })
    }

    /// Shows how many connections are open.
    pub(super) fn connections(&self, open: usize) {
        if let Some(metrics) = &self.metrics {
            metrics.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
    }

    /// Counts a request or a connection that is refused because there are too many.
    pub(super) fn shed(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.requests_shed.inc();
        }
    }

    fn overloaded(&self) -> Status {
        self.shed();
        Status::overloaded()
    }
}

/// Serves `stream` until it ends: with TLS if there is a `tls`. It `stays` for sure once it has shown
/// a certificate.
pub(super) async fn run<H: Handler>(
    shared: Arc<Shared<H>>,
    tls: Option<Live<Tls>>,
    stream: Stream,
    address: PeerAddress,
    stays: Stays,
) {
    let stream = match stream {
        Stream::Tcp(stream) => stream,
        Stream::Unix(stream) => {
            let peer = Peer { address, certificate: None };
            return Connection::new(shared, peer).serve(stream, None, pending()).await;
        }
    };
    // Fails only on a socket that is closed already, which the next read tells.
    let _ = stream.set_nodelay(true);
    let Some(published) = tls else {
        let peer = Peer { address, certificate: None };
        return Connection::new(shared, peer).serve(stream, None, pending()).await;
    };
    let tls = published.get();
    match timeout(shared.limits.handshake_timeout, tls.accept(stream)).await {
        Ok(Ok(accepted)) => {
            // Where nobody is asked for a certificate, all are alike.
            let is_known = accepted.certificate.is_some() || !tls.asks_for_certificates();
            if is_known {
                stays.now();
            }
            let streams = if is_known { STREAMS } else { STRANGERS_STREAMS };
            let http2 = accepted.http2.then_some(streams);
            let peer = Peer { address, certificate: accepted.certificate };
            let doubted = Tls::other_clients(&published, tls);
            let connection = Connection::new(shared, peer);
            let Some(_place) = connection.room.connection() else {
                return connection.shared.shed();
            };
            connection.serve(accepted.stream, http2, doubted).await;
        }
        Ok(Err(error)) => debug!(client.addr = %address, %error, "the TLS handshake failed"),
        Err(_) => debug!(client.addr = %address, "the TLS handshake took too long"),
    }
}

/// A connection with its handshake behind it.
struct Connection<H> {
    shared: Arc<Shared<H>>,
    peer: Peer,
    room: Arc<Room>,
    /// Told of each request; what nobody waits for takes no lock.
    asked: Notify,
    /// Whether the next answer is the last one, on HTTP/1.1.
    leaving: AtomicBool,
}

impl<H: Handler> Connection<H> {
    fn new(shared: Arc<Shared<H>>, peer: Peer) -> Self {
        let room = shared.rooms.of(peer.certificate.as_deref());
        Self { shared, peer, room, asked: Notify::new(), leaving: AtomicBool::new(false) }
    }

    /// Serves HTTP on `stream` until it ends, is told to (drain, age, `doubted`) and has finished,
    /// or has not finished in time. HTTP/2 has so many streams at once.
    async fn serve<S>(self, stream: S, http2: Option<u32>, doubted: impl Future<Output = ()>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let this = Arc::new(self);
        let limits = &this.shared.limits;
        let service = service_fn({
            let this = this.clone();
            move |request| {
                let this = this.clone();
                async move { Ok::<_, Infallible>(this.answer(request).await) }
            }
        });
        let http = protocol(http2, limits.request_timeout);
        let mut serving =
            pin!(http.serve_connection(TokioIo::new(Lingering::new(stream)), service));
        tokio::select! {
            biased;
            ended = serving.as_mut() => return this.ended(ended),
            () = this.shared.drain.begun() => {
                // A client whose first request is on its way takes GOAWAY for a connection that
                // could not be made (Go's does) and does not ask again. One that has asked before
                // is not waited for: the permit of that request is still there.
                tokio::select! {
                    biased;
                    ended = serving.as_mut() => return this.ended(ended),
                    () = this.asked.notified() => {}
                    () = sleep(FIRST_REQUEST) => {}
                }
            }
            () = sleep(jittered(limits.max_connection_age)) => {}
            () = doubted => {}
        }
        if http2.is_none() {
            // There is no GOAWAY: a client that is about to ask could not tell whether anybody has
            // read its request, and does not ask again. So an answer says that it is the last one.
            this.leaving.store(true, Ordering::Relaxed);
            tokio::select! {
                biased;
                ended = serving.as_mut() => return this.ended(ended),
                () = sleep(LAST_REQUEST) => {}
            }
        }
        serving.as_mut().graceful_shutdown();
        // One timeout for the requests that are here, one for those that came before the client
        // saw the GOAWAY, and for a client that does not read its answers.
        match timeout(limits.request_timeout * 2, serving).await {
            Ok(ended) => this.ended(ended),
            Err(_) => debug!(client.addr = %this.peer.address, "the connection was cut"),
        }
    }

    fn ended(&self, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
        if let Err(error) = ended {
            debug!(client.addr = %self.peer.address, error, "the connection failed");
        }
    }

    /// Answers `request`, whatever happens, and says if that was the last one.
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.asked.notify_one();
        let version = request.version();
        let mut response = match self.room.place(&request) {
            Some(place) => {
                let (head, body) = request.into_parts();
                self.answered(head, body, place).await
            }
            None => self.no_room(),
        };
        if version < Version::HTTP_2 && self.leaving.load(Ordering::Relaxed) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answered(
        &self,
        head: request::Parts,
        mut body: Incoming,
        place: Place,
    ) -> Response<Full<Bytes>> {
        let (version, wants_no_body) = (head.version, head.method == Method::HEAD);
        let response = match self.handled(head, &mut body).await {
            Ok(response) => response,
            Err(status) => self.refused(status, version, body),
        };
        if wants_no_body {
            // Over HTTP/2 hyper would send one, and the client would take it for a broken stream.
            return response.map(|_| Full::new(Bytes::new()));
        }
        let (head, body) = response.into_parts();
        match self.room.held(body, place) {
            Some(body) => Response::from_parts(head, Full::new(body)),
            None => self.no_room(),
        }
    }

    /// Answers a client for which much is held already with what needs no room: a body could wait for
    /// as long as its client likes, and what is still to come is not waited for.
    fn no_room(&self) -> Response<Full<Bytes>> {
        let response = self.shared.overloaded().to_response();
        if let Some(metrics) = &self.shared.metrics {
            metrics.http_answered("other", response.status());
        }
        response.map(|_| Full::default())
    }

    /// Has the request handled, once its body is whole.
    async fn handled(
        &self,
        head: request::Parts,
        body: &mut Incoming,
    ) -> Result<Response<Bytes>, Status> {
        let Shared { handler, limits, in_flight, .. } = &*self.shared;
        // Pinned here, not moved through what watches over it: a request's task would have room for
        // each of them at every level.
        let reading = pin!(body::whole(body, limits.max_body_bytes, &self.room.bodies));
        let read = within(limits.request_timeout, reading).await;
        let (body, _room) =
            read.ok_or_else(Status::request_timeout)?.map_err(|error| match error {
                BodyError::TooLarge => Status::too_large(limits.max_body_bytes),
                BodyError::NoRoom => self.shared.overloaded(),
                BodyError::Broken => Status::bad_request("the body of the request is broken off"),
            })?;
        // Only now: whoever sends slowly must not hold the place of those who are done.
        let _place = in_flight.take(1).ok_or_else(|| self.shared.overloaded())?;
        let request = Request::from_parts(head, body);
        let handling = pin!(handler.handle(&request, &self.peer));
        // A time of its own: a slow body must not turn what the handler would say into a 503.
        let handled = within(limits.request_timeout, caught(handling))
            .await
            .ok_or_else(Status::took_too_long)?;
        handled.map_err(|Panicked| Status::internal_error("a bug, which is in the log"))
    }

    /// Answers with `status`, and reads on what is left of `body`, to a bound.
    fn refused(&self, status: Status, version: Version, body: Incoming) -> Response<Bytes> {
        let Shared { limits, metrics, .. } = &*self.shared;
        if let Some(metrics) = metrics {
            metrics.http_answered("other", status.code);
        }
        let mut response = status.to_response();
        if version < Version::HTTP_2 && ends_the_connection(status.code) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if !body.is_end_stream()
            && let Some(place) = self.room.place_of_rest()
        {
            let bound = limits.max_body_bytes.saturating_mul(2);
            let draining = timeout(limits.request_timeout, body::drain(body, bound));
            tokio::spawn(async move { (draining.await, place) });
        }
        response
    }
}

/// Whether what is left of the body may not be worth waiting for, on HTTP/1.1.
fn ends_the_connection(code: StatusCode) -> bool {
    matches!(
        code,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT | StatusCode::BAD_REQUEST
    )
}

/// HTTP with bounds on everything that a client decides.
///
/// A client that has said nothing for three request timeouts is asked whether it is there (HTTP/2)
/// or let go (HTTP/1.1, where hyper has one timer for a slow head and an idle connection: not so
/// short that a client between two requests is cut off, not so long that slow heads pile up).
fn protocol(http2: Option<u32>, request_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let idle = request_timeout * 3;
    let mut http = auto::Builder::new(TokioExecutor::new());
    if let Some(streams) = http2 {
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(streams)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(HEAD_BYTES as u32)
            .max_send_buf_size(SEND_BUFFER)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(MISTAKES)
            .keep_alive_interval(idle)
            .keep_alive_timeout(request_timeout);
        http.http2_only()
    } else {
        http.http1().timer(TokioTimer::new()).max_buf_size(HEAD_BYTES).header_read_timeout(idle);
        http.http1_only()
    }
}

/// `age` give or take a tenth, so that connections made together do not end together.
fn jittered(age: Duration) -> Duration {
    // A fresh hasher is a random number, and this one decides nothing.
    let random = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    age.mul_f64(0.9 + random * 0.2)
}

/// Does `work`, or gives up after `limit`. What is ready at once costs neither clock nor timer.
async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let ready = poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    });
    if let Some(output) = ready.await {
        return Some(output);
    }
    timeout(limit, work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_varies_by_a_tenth() {
        let age = Duration::from_secs(300);
        let ages: Vec<_> = (0..100).map(|_| jittered(age)).collect();
        assert!(ages.iter().all(|one| (age * 9 / 10..=age * 11 / 10).contains(one)));
        assert!(ages.iter().any(|one| one != &ages[0]));
    }
}
