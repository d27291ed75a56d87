//! Connections that take a place and do nothing with it, or next to nothing.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bystander::Besieged;
use crate::support::frames::tls;
use crate::support::{pki, within};

/// More than there are places.
const CROWD: usize = 200;

/// A handshake that does not begin, and one that does not end; as many as there are places, and more.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_does_not_shake_hands_keeps_no_api_server_out() {
    let besieged = Besieged::start().await;
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let mut socket = TcpStream::connect(besieged.process.webhook).await.unwrap();
        if number % 2 == 0 {
            // The beginning of a ClientHello.
            socket.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]).await.unwrap();
        }
        crowd.push(socket);
        if number % 50 == 49 {
            besieged.process.kube().await;
        }
    }
    besieged.stays_well().await;
}

/// Heads and bodies that come byte by byte, from clients without a certificate.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_speaks_slowly_keeps_no_api_server_out() {
    let besieged = Besieged::start().await;
    let starts: [&[u8]; 3] = [
        b"POST /authenticate HTTP/1.1\r\nhost: a\r\nx-slow: ",
        b"POST /authenticate HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n{",
        b"",
    ];
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        // One of those before may have had to go meanwhile.
        if let Ok(mut stream) = tls(besieged.process.webhook, None, "http/1.1").await {
            let _ = stream.write_all(starts[number % starts.len()]).await;
            let _ = stream.flush().await;
            crowd.push(stream);
        }
        for stream in crowd.iter_mut().rev().take(10) {
            let _ = stream.write_all(b"a").await;
        }
    }
    besieged.process.kube().await;
    // Nobody was let in beyond the limit: the oldest had to go.
    let first = crowd.first_mut().unwrap();
    let gone = within(first.read(&mut [0; 10])).await.expect("it is still there");
    assert!(gone.is_err() || gone.is_ok_and(|read| read == 0));
    besieged.stays_well().await;
}

/// Who has shown a certificate keeps his place, and the next one is closed.
#[tokio::test(flavor = "multi_thread")]
async fn those_with_a_certificate_stay_and_are_bounded_too() {
    let besieged = Besieged::start().await;
    let caller = pki::CLIENTS.client("somebody");
    let mut crowd = Vec::new();
    let mut closed = 0;
    for _ in 0..CROWD {
        match tls(besieged.process.webhook, Some(&caller), "http/1.1").await {
            Ok(stream) => crowd.push(stream),
            Err(_) => closed += 1,
        }
    }
    assert!(closed > CROWD / 3, "{closed} of {CROWD} were closed");
    drop(crowd);
    crate::support::until("there is room again", async || {
        tls(besieged.process.webhook, Some(&caller), "h2").await.is_ok()
    })
    .await;
    besieged.stays_well().await;
}

/// Connections that come and go as fast as they can.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_connections_holds_up_nobody() {
    let besieged = Besieged::start().await;
    let address = besieged.process.webhook;
    let storm = crate::support::all((0..8).map(|_| async move {
        for _ in 0..500 {
            drop(TcpStream::connect(address).await);
        }
    }));
    besieged.until_answered(20).await;
    storm.await;
    besieged.stays_well().await;
}
