//! Request bodies: read whole, or read and thrown away.
//!
//! A body is never left lying. To answer an HTTP/2 request whose body is unread makes h2 reset the
//! stream, and after enough of those close the connection, with everybody else's requests on it. So
//! also what is refused is read on, up to a bound, and forgotten byte by byte.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::budget::{Budget, Taken};

/// Why there is no whole body.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is, or says that it is, larger than the limit.
    TooLarge,
    /// Too many large bodies are held already.
    NoRoom,
    /// The client broke it off, or its framing is wrong.
    Broken,
}

/// Reads all of `body`, `limit` bytes at most.
///
/// A body in one piece, as kube-apiserver sends its reviews, is neither copied nor counted. The
/// bytes of any other are taken from `room` as they arrive, whatever length was announced.
pub(super) async fn whole<'a>(
    body: &mut Incoming,
    limit: usize,
    room: &'a Budget,
) -> Result<(Bytes, Taken<&'a Budget>), BodyError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut held = room.nothing();
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if piece.len() > limit - whole.len() {
            return Err(BodyError::TooLarge);
        }
        if whole.is_empty() && body.is_end_stream() {
            return Ok((piece, held));
        }
        if !held.more(piece.len()) {
            return Err(BodyError::NoRoom);
        }
        whole.extend_from_slice(&piece);
    }
    Ok((whole.into(), held))
}

/// Reads on to the end of `body`, or until `bound` bytes were thrown away.
pub(super) async fn drain(mut body: Incoming, bound: usize) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > bound {
            return;
        }
    }
}
