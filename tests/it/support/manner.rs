//! How an identity provider answers on one path: well, or in one of the ways in which they fail.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use tokio::sync::Semaphore;
use tokio::time::{Interval, interval};

/// The body of an answer.
pub type Sent = BoxBody<Bytes, Infallible>;

/// How a path answers.
#[derive(Clone, Default)]
pub enum Manner {
    /// With what it should say.
    #[default]
    Well,
    /// With what it should say, once the gate is opened.
    Held(Gate),
    /// With this status and an unhelpful body.
    Status(u16),
    /// With 200 and these bytes.
    Says(String),
    /// With 302 to this address.
    Redirects(String),
    /// Never.
    Stalls,
    /// With one byte after another, for ever.
    Drips,
    /// With this many bytes of nothing.
    Floods(usize),
    /// By closing the connection.
    Dark,
}

impl Manner {
    /// The answer, where `well` is what should be said; none closes the connection.
    pub async fn answer(self, well: String) -> Option<Response<Sent>> {
        let (status, body) = match self {
            Self::Well => (200, text(well)),
            Self::Held(gate) => {
                gate.passed().await;
                (200, text(well))
            }
            Self::Status(status) => (status, text("<h1>teapot trouble</h1>".to_owned())),
            Self::Says(body) => (200, text(body)),
            Self::Redirects(to) => {
                let response = Response::builder().status(302).header("location", to);
                return Some(response.body(text(String::new())).unwrap());
            }
            Self::Stalls => std::future::pending().await,
            Self::Drips => (200, Drip(interval(Duration::from_millis(20))).boxed()),
            Self::Floods(bytes) => (200, Flood { chunks: bytes / CHUNK }.boxed()),
            Self::Dark => return None,
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Some(response)
    }
}

/// How large the chunks of a [`Flood`] are.
pub const CHUNK: usize = 64 << 10;

fn text(text: String) -> Sent {
    Full::from(text).boxed()
}

/// Holds answers back until it is opened. Clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets all through, now and later.
    pub fn open(&self) {
        self.0.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        drop(self.0.acquire().await);
    }
}

/// A body of many chunks of white space: JSON that never begins.
pub struct Flood {
    pub chunks: usize,
}

impl http_body::Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Chunk>> {
        static SPACE: [u8; CHUNK] = [b' '; CHUNK];
        Poll::Ready(self.chunks.checked_sub(1).map(|left| {
            self.chunks = left;
            Ok(Frame::data(Bytes::from_static(&SPACE)))
        }))
    }
}

/// A body of one byte after another, for ever.
struct Drip(Interval);

impl http_body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Chunk>> {
        self.0.poll_tick(context).map(|_| Some(Ok(Frame::data(Bytes::from_static(b" ")))))
    }
}

type Chunk = Result<Frame<Bytes>, Infallible>;
