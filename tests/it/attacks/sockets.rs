//! Connections that take a place and do nothing with it, or next to nothing.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::bystander::{Besieged, PLACES};
use crate::support::frames::tls;
use crate::support::process::Process;
use crate::support::service::Setup;
use crate::support::{Issuer, Verdict, pki, until, within};

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

/// A name that the client CA knows may have three quarters of the places, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_is_let_in_keeps_no_api_server_out() {
    let besieged = Besieged::start().await;
    let caller = pki::CLIENTS.client("somebody");
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        crowd.extend(tls(besieged.process.webhook, Some(&caller), "http/1.1").await);
        if number % 50 == 49 {
            besieged.process.kube().await;
        }
    }
    let mut answered = 0;
    for stream in &mut crowd {
        // The other end may have closed it.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let answer = within(stream.read_u8()).await.expect("neither answered nor closed");
        answered += usize::from(answer.is_ok());
    }
    assert_eq!(answered, PLACES - PLACES / 4);
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

/// Each connection is a file, and so are those that keys come by.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_leaves_files_where_there_are_few() {
    let issuer = Issuer::start().await;
    let setup = Setup::new(json!({"jwt": [issuer.entry(json!({}))]}));
    let process = Process::with_files(setup, 80).await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let stranger = within(tls(process.webhook, None, "h2")).await;
        crowd.push(stranger.expect("nobody is let in any more"));
    }
    let kube = process.kube().await;
    assert_eq!(kube.authenticate(&issuer.token(json!({}))).await.username(), "alice");
    let rotated = issuer.rotate().token(&issuer.claims(json!({})));
    until("its keys are fetched", async || {
        matches!(kube.authenticate(&rotated).await, Verdict::User(..))
    })
    .await;
}
