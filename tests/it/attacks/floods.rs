//! Frames of HTTP/2 that cost less to send than to take, from strangers and from a caller that is let in.

use crate::support::bystander::Besieged;
use crate::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEAD, HEADERS, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, flood, frame,
};
use crate::support::pki;

/// More frames than any connection may send that ends.
const ALL: u32 = 100_000;

/// Sends `frames` as a stranger and as the API server: either connection must be ended for it.
async fn ends(frames: impl Fn(u32) -> Vec<u8>) {
    let besieged = Besieged::start().await;
    let caller = pki::CLIENTS.client("kube-apiserver");
    for leaf in [None, Some(&caller)] {
        let ended = flood(besieged.process.webhook, leaf, true, (0..ALL).map(&frames)).await;
        assert!(ended, "its connection lives");
    }
    besieged.stays_well().await;
}

fn stream(number: u32) -> u32 {
    2 * number + 1
}

/// CVE-2023-44487.
#[tokio::test(flavor = "multi_thread")]
async fn a_rapid_reset_ends_its_connection() {
    ends(|number| {
        let head = frame(HEADERS, END_HEADERS, stream(number), &HEAD);
        [head, frame(RST_STREAM, 0, stream(number), &8_u32.to_be_bytes())].concat()
    })
    .await;
}

/// CVE-2024-27316 and its like.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_goes_on_for_ever_ends_its_connection() {
    // Each with fields of its own, never indexed, so that the head really grows.
    let field = [&[0x10, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000]].concat();
    ends(move |number| match number {
        0 => frame(HEADERS, 0, 1, &HEAD),
        _ => frame(CONTINUATION, 0, 1, &field),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_nothing_for_ever_ends_its_connection() {
    ends(|number| match number {
        0 => frame(HEADERS, 0, 1, &HEAD),
        _ => frame(CONTINUATION, 0, 1, &[]),
    })
    .await;
}

/// A field of 4 KB is sent once, and then named with one byte each, thousands of times.
#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_of_headers_is_not_unpacked() {
    let besieged = Besieged::start().await;
    let field = [&[0x40, 1, b'x', 0x7f, 0x81, 0x1e][..], &[b'y'; 3968]].concat();
    let bomb = move |number: u32| {
        let named = vec![0x80 | 62; 16_000];
        let block = [&HEAD[..], if number == 0 { &field } else { &[] }, &named].concat();
        frame(HEADERS, END_HEADERS | END_STREAM, stream(number), &block[..block.len().min(16_384)])
    };
    for _ in 0..4 {
        flood(besieged.process.webhook, None, true, (0..500).map(&bomb)).await;
    }
    besieged.stays_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_control_frames_hold_up_nobody() {
    type Frames = fn(u32) -> Vec<u8>;
    let floods: [(&str, Frames); 5] = [
        ("pings", |_| frame(PING, 0, 0, &[0; 8])),
        ("settings", |_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff])),
        ("empty data", |number| match number {
            0 => frame(HEADERS, END_HEADERS, 1, &HEAD),
            _ => frame(DATA, 0, 1, &[]),
        }),
        ("windows", |_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes())),
        ("priorities", |number| frame(2, 0, stream(number), &[0, 0, 0, 0, 1])),
    ];
    for (what, frames) in floods {
        let besieged = Besieged::start().await;
        for reads in [true, false] {
            let before = besieged.answered();
            flood(besieged.process.webhook, None, reads, (0..50_000).map(frames)).await;
            assert!(besieged.answered() > before, "{what}: the honest one goes on meanwhile");
        }
        besieged.stays_well().await;
    }
}
