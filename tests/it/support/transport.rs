//! What Go's `net/http` does around a connection, as kube-apiserver uses it: one connection that is
//! kept, another one when it is told to go, and once more what the server has not begun.
//!
//! Whatever else goes wrong is the caller's failure. A POST is never sent twice if the server may have
//! read it: over HTTP/2 what a GOAWAY or REFUSED_STREAM leaves out, over HTTP/1.1 what was not
//! written, and on a connection that was used before (`shouldRetryRequest` in net/http/transport.go,
//! `canRetryError` in its HTTP/2 part). A connection that cannot be made, or is told to go before its
//! first answer, fails the request.

use std::net::SocketAddr;

use tokio::sync::Mutex;

use super::API;
use super::client::{Caller, Kube, Protocol};

/// How often Go sends a request again.
const RETRIES: usize = 6;

/// A client with one connection at a time.
pub struct Transport {
    address: SocketAddr,
    protocol: Protocol,
    kept: Mutex<Kept>,
}

/// The connection of now, and the how manieth it is.
#[derive(Clone, Default)]
struct Kept {
    kube: Option<Kube>,
    number: usize,
    /// Whether it has had an answer.
    used: bool,
}

impl Transport {
    /// A client of `address` that is not connected yet.
    pub fn new(address: SocketAddr, protocol: Protocol) -> Self {
        Self { address, protocol, kept: Mutex::default() }
    }

    /// Has `token` reviewed, which must succeed.
    ///
    /// # Errors
    ///
    /// Says why kube-apiserver would have had no user.
    pub async fn review(&self, token: &str) -> Result<(), String> {
        let mut refused = String::new();
        for _ in 0..=RETRIES {
            let Kept { kube, number, used } = self.connection().await?;
            let Some(kube) = kube else { return Err("no connection".to_owned()) };
            match kube.send(kube.review(token, &[API])).await {
                Ok(answer) if answer.status() == 200 => {
                    self.used(number).await;
                    let body = String::from_utf8_lossy(answer.body()).into_owned();
                    return match body.contains("\"authenticated\":true") {
                        true => Ok(()),
                        false => Err(body),
                    };
                }
                Ok(answer) => return Err(format!("{}", answer.status())),
                Err(error) if used && not_begun(&error) => {
                    self.gone(number).await;
                    refused = error;
                }
                Err(error) => return Err(format!("connection {number}, used: {used}: {error}")),
            }
        }
        Err(format!("too often refused: {refused}"))
    }

    /// How many connections it has made.
    pub async fn connections(&self) -> usize {
        self.kept.lock().await.number
    }

    async fn connection(&self) -> Result<Kept, String> {
        let mut kept = self.kept.lock().await;
        if kept.kube.is_none() {
            let kube = Kube::connect_as(self.address, Caller::ApiServer, self.protocol).await?;
            *kept = Kept { kube: Some(kube), number: kept.number + 1, used: false };
        }
        Ok(kept.clone())
    }

    async fn used(&self, number: usize) {
        let mut kept = self.kept.lock().await;
        kept.used |= kept.number == number;
    }

    async fn gone(&self, number: usize) {
        let mut kept = self.kept.lock().await;
        if kept.number == number {
            kept.kube = None;
        }
    }
}

/// Whether the server has told, or the client knows, that nobody has begun the request.
fn not_begun(error: &str) -> bool {
    ["NO_ERROR", "REFUSED_STREAM", "Canceled", "ChannelClosed"]
        .iter()
        .any(|word| error.contains(word))
}
