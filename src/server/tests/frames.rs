//! Bodies that arrive after the refusal, frame by frame: the trap of HTTP/2.
//!
//! A stream that is answered and then forgotten is reset. What its client still sends on it counts
//! against the connection, which h2 closes after about a thousand such frames, with everybody else's
//! requests on it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// An HTTP/2 client that never looks at what it is told before it has said all it wanted.
struct Frames(TlsStream<TcpStream>);

impl Frames {
    async fn new(server: &Server) -> Self {
        let mut stream = server.client().connect(b"h2").await.unwrap();
        // The preface and empty settings.
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut client = Self(stream);
        // Room for all answers.
        client.write(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes()).await;
        client
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = &u32::try_from(payload.len()).unwrap().to_be_bytes()[1..];
        let frame = [length, &[kind, flags], &stream.to_be_bytes(), payload].concat();
        self.0.write_all(&frame).await.unwrap();
    }

    /// `POST /` with a body of `length` to follow.
    async fn head(&mut self, stream: u32, length: usize) {
        let length = length.to_string();
        // HPACK's static table: method POST, scheme https, path /; then content-length.
        let head =
            [&[0x83, 0x87, 0x84, 0x0f, 0x0d, length.len() as u8], length.as_bytes()].concat();
        self.write(HEADERS, END_HEADERS, stream, &head).await;
    }

    /// Reads until `wanted` streams were answered to the end. None may be reset.
    async fn answered(&mut self, mut wanted: usize) {
        self.0.flush().await.unwrap();
        while wanted > 0 {
            let mut head = [0; 9];
            soon(self.0.read_exact(&mut head)).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            soon(self.0.read_exact(&mut vec![0; length as usize])).await.unwrap();
            assert!(![RST_STREAM, GOAWAY].contains(&head[3]), "{head:?}, {wanted} not answered");
            wanted -= usize::from(head[3] == DATA && head[4] & END_STREAM != 0);
        }
    }
}

#[tokio::test]
async fn bodies_after_their_refusal_reset_no_stream_and_do_not_end_the_connection() {
    let server = Server::start(Limits { max_body_bytes: 1000, ..limits() });
    let mut client = Frames::new(&server).await;
    for round in 0..15 {
        let streams: Vec<u32> = (0..100).map(|nth| 200 * round + 2 * nth + 1).collect();
        for stream in &streams {
            client.head(*stream, 2000).await;
        }
        client.answered(100).await;
        for stream in &streams {
            client.write(DATA, END_STREAM, *stream, &[0; 2000]).await;
        }
    }
    assert!(server.has_metric(r#"countersign_http_requests_total{code="413",path="other"} 1500"#));
}
