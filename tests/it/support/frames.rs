//! An HTTP/2 client that writes what it likes, frame by frame, and reads as much as it likes.

use std::net::SocketAddr;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::pki::{self, Leaf};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// HPACK's static table: method POST, scheme https, path /.
pub const HEAD: [u8; 3] = [0x83, 0x87, 0x84];

/// TLS without anything said on it.
pub async fn tls(
    address: SocketAddr,
    leaf: Option<&Leaf>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(pki::SERVERS.trusting(leaf, protocol));
    connector.connect(ServerName::from(address.ip()), TcpStream::connect(address).await?).await
}

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = &u32::try_from(payload.len()).unwrap().to_be_bytes()[1..];
    [length, &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Writes preface, settings and then `frames`, until they or the connection end, for five seconds at
/// most; and says whether the other end has ended it. What that says is thrown away if `reads`, and
/// otherwise left lying.
pub async fn flood(
    address: SocketAddr,
    leaf: Option<&Leaf>,
    reads: bool,
    frames: impl Iterator<Item = Vec<u8>>,
) -> bool {
    let Ok(stream) = tls(address, leaf, "h2").await else { return true };
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move {
        let mut thrown = vec![0; 64 << 10];
        while reads && reader.read(&mut thrown).await.is_ok_and(|read| read > 0) {}
        // Kept, or the connection would end.
        if !reads {
            std::future::pending::<()>().await;
        }
    });
    let preface =
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    let writing = async {
        writer.write_all(&preface).await?;
        for frame in frames {
            writer.write_all(&frame).await?;
        }
        writer.flush().await
    };
    let written = tokio::time::timeout(Duration::from_secs(5), writing).await;
    let ended = written.is_ok_and(|written| written.is_err()) || reading.is_finished();
    reading.abort();
    ended
}

/// Writes preface, `settings` and `frames`, and reads until the other end has taken all of it, or has
/// had enough. Whoever keeps what is returned keeps the connection.
pub async fn hold(
    address: SocketAddr,
    leaf: Option<&Leaf>,
    settings: &[u8],
    frames: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut stream = tls(address, leaf, "h2").await?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    stream.write_all(&frame(SETTINGS, 0, 0, settings)).await?;
    taken(&mut stream).await?; // and the windows are open
    stream.write_all(frames).await?;
    taken(&mut stream).await?;
    Ok(stream)
}

/// Waits for the answer to a PING: frames are taken in turn.
async fn taken(stream: &mut TlsStream<TcpStream>) -> std::io::Result<()> {
    stream.write_all(&frame(PING, 0, 0, &[0; 8])).await?;
    stream.flush().await?;
    let mut head = [0; 9];
    while head[3..5] != [PING, 1] {
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize]).await?;
    }
    Ok(())
}
