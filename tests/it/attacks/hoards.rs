//! What strangers have the process hold for them: heads, bodies and answers.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::bystander::Besieged;
use crate::support::frames::{DATA, END_HEADERS, END_STREAM, HEAD, HEADERS, frame, hold};

/// Streams on one connection, more than a stranger may have.
const STREAMS: u32 = 250;
/// Connections, nearly as many as there may be.
const CROWD: usize = 60;

/// Sends the same `frames`, for a stream, on every stream of many connections, and keeps them.
async fn hoard(
    besieged: &Besieged,
    streams: u32,
    settings: &[u8],
    frames: impl Fn(u32) -> Vec<u8>,
) -> Vec<TlsStream<TcpStream>> {
    let frames: Vec<u8> = (0..streams).flat_map(|number| frames(2 * number + 1)).collect();
    let mut held = Vec::new();
    for _ in 0..CROWD {
        let connection = hold(besieged.process.webhook, None, settings, &frames).await;
        held.push(connection.expect("its connection lives"));
    }
    held
}

/// A thousand fields of one byte each on the wire, and of eighty in memory, before a body that does
/// not come.
#[tokio::test(flavor = "multi_thread")]
async fn heads_whose_bodies_do_not_come_are_not_hoarded() {
    let besieged = Besieged::start().await;
    let field = [0x40, 1, b'x', 0];
    let held = hoard(&besieged, STREAMS, &[], |stream| {
        let block = [&HEAD[..], &field, &[0x80 | 62; 900]].concat();
        frame(HEADERS, END_HEADERS, stream, &block)
    })
    .await;
    besieged.stays_well().await;
    drop(held);
}

/// A window of nothing, or next to nothing: no answer can be sent.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_are_not_hoarded() {
    let besieged = Besieged::start().await;
    for window in [0, 1] {
        let held = hoard(&besieged, STREAMS, &[0, 4, 0, 0, 0, window], |stream| {
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &HEAD)
        })
        .await;
        besieged.until_answered(20).await;
        drop(held);
    }
    besieged.stays_well().await;
}

/// Of a stranger's bodies, those that come in pieces have a bound of their own.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_strangers_take_no_room_from_an_api_server() {
    let besieged = Besieged::start().await;
    let held = hoard(&besieged, 60, &[], |stream| {
        [frame(HEADERS, END_HEADERS, stream, &HEAD), frame(DATA, 0, stream, &[b' '; 16_000])]
            .concat()
    })
    .await;
    besieged.takes_a_large_one().await;
    besieged.stays_well().await;
    drop(held);
}
