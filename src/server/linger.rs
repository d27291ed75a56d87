//! The end of a connection: what the client still sends is read before the socket is closed.
//!
//! A socket that is closed with something unread resets the connection, and a client that is reset
//! may fail with what it has just sent, although a GOAWAY that lies in its buffer would have told it
//! to send that elsewhere. So whoever is told to go gets a moment to go by itself; Go's server does
//! the same (`goAwayTimeout`, golang.org/issue/18701).

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take to close its side.
const MOMENT: Duration = Duration::from_secs(1);
/// And how much it may send meanwhile: what it may send ahead on an HTTP/2 connection.
const BYTES: usize = 1024 * 1024;

/// A stream whose [shutdown](AsyncWrite::poll_shutdown) ends when the client has closed its side, or
/// has not in time, or sends all the same.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    /// Since our own side is closed.
    until: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, until: None, read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let until = match &mut this.until {
            Some(until) => until,
            none => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                none.insert(Box::pin(sleep(MOMENT)))
            }
        };
        let mut scratch = [0; 1024];
        loop {
            if this.read > BYTES || until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut unread = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut unread));
            if read.is_err() || unread.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.read += unread.filled().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_client_has_gone_having_read_what_it_sent() {
        let (mut client, stream) = duplex(8);
        let closing = tokio::spawn(async move { Lingering::new(stream).shutdown().await });
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0, "our side is closed");
        client.write_all(&[0; 10_000]).await.unwrap();
        assert!(!closing.is_finished());
        drop(client);
        closing.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_go_is_not_waited_for() {
        let (mut client, stream) = duplex(8);
        let closing = tokio::spawn(async move { Lingering::new(stream).shutdown().await });
        while client.write_all(b"more").await.is_ok() {
            sleep(MOMENT / 10).await;
        }
        closing.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_on_sending_is_cut_off() {
        let (mut client, stream) = duplex(1024);
        let closing = tokio::spawn(async move { Lingering::new(stream).shutdown().await });
        let mut sent = 0;
        while client.write_all(&[0; 1024]).await.is_ok() {
            sent += 1024;
        }
        closing.await.unwrap().unwrap();
        assert!(sent < 2 * BYTES, "{sent}");
    }
}
