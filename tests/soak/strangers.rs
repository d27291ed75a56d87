//! Who comes and is not welcome, or leaves in the middle: none of it may leave anything behind.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::Chance;
use crate::clients::Seen;
use crate::support::client::Protocol;
use crate::support::{API, Caller, Kube};
use crate::world::World;

/// Comes and goes, `until` the end.
pub async fn disturb(world: Arc<World>, mut chance: Chance, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let address = world.process.webhook();
    while Instant::now() < until {
        let protocol = *chance.of(&[Protocol::Http1, Protocol::Http2]);
        match chance.below(5) {
            0 => drop(TcpStream::connect(address).await),
            1 => {
                if let Ok(mut socket) = TcpStream::connect(address).await {
                    // A handshake that was begun, as far as anybody can tell.
                    let _ = socket.write_all(&[22, 3, 1, 2, 0, 1]).await;
                    sleep(Duration::from_millis(chance.below(300))).await;
                }
            }
            2 => {
                if let Ok(kube) = Kube::connect_as(address, Caller::Nobody, protocol).await
                    && let Ok(answer) = kube.send(kube.review("stranger", &[API])).await
                {
                    seen.strangers += 1;
                    if answer.status() != 401 {
                        seen.find(format!("a stranger is answered {}", answer.status()));
                    }
                }
            }
            3 => {
                // With TLS 1.3 it hears only afterwards that it is refused.
                if let Ok(kube) = Kube::connect_as(address, Caller::Impostor, protocol).await
                    && let Ok(answer) = kube.send(kube.review("impostor", &[API])).await
                {
                    seen.find(format!("an impostor is answered {}", answer.status()));
                }
            }
            _ => {
                if let Ok(kube) = Kube::connect_as(address, Caller::ApiServer, protocol).await {
                    // A body that never comes, and a client that does not wait for ever.
                    let patience = Duration::from_millis(chance.below(300));
                    let _ = timeout(patience, kube.send(kube.post_body(Never.boxed()))).await;
                }
            }
        }
        sleep(Duration::from_millis(chance.below(200))).await;
    }
    seen
}

struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}
