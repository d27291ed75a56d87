//! How connections end: by the drain, or of old age.

use super::*;

#[tokio::test]
async fn a_drain_answers_what_is_in_flight_and_takes_nothing_new() {
    let server = Server::start(limits());
    let (busy, idle) = (server.http2().await, server.http2().await);
    assert_eq!(idle.post("/", Sending::of(5)).await.0, StatusCode::OK);
    let waiting = busy.start_post("/wait", Sending::of(5));
    server.waits(1).await;
    server.drain.begin();
    // The client has not seen the GOAWAY yet.
    let late = busy.start_post("/", Sending::of(7));
    soon(idle.ended()).await;
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert_eq!(late.await.unwrap(), (StatusCode::OK, "7 None".to_owned()));
    assert!(!server.serving.is_finished());
    server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().0, StatusCode::OK);
    soon(busy.ended()).await;
    soon(server.serving).await.unwrap();
}

#[tokio::test]
async fn a_drain_ends_in_time_whatever_does_not_end() {
    let limits = Limits { shutdown_timeout: Duration::from_millis(200), ..limits() };
    let server = Server::start(limits);
    let client = server.http2().await;
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.try_post("/wait", Sending::of(5)).await })
    };
    let _shaking_hands = TcpStream::connect(server.address).await.unwrap();
    server.waits(1).await;
    server.drain.begin();
    soon(server.serving).await.unwrap();
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_finishes_what_it_has() {
    let limits = Limits { max_connection_age: Duration::from_millis(500), ..limits() };
    let server = Server::start(limits);
    let client = server.http2().await;
    let waiting = client.start_post("/wait", Sending::of(5));
    server.waits(1).await;
    // After GOAWAY the client sends no more requests on it.
    soon(async { while client.try_post("/", Sending::of(5)).await.is_ok() {} }).await;
    server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().0, StatusCode::OK);
    client.ended().await;
    // A new one is welcome.
    assert_eq!(server.http2().await.post("/", Sending::of(5)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_old_connection_that_does_not_go_is_cut() {
    let limits = Limits {
        max_connection_age: Duration::from_millis(100),
        request_timeout: Duration::from_millis(100),
        ..limits()
    };
    let server = Server::start(limits);
    // Says nothing in HTTP/2, not even the preface, so that it cannot hear GOAWAY either.
    let mut stream = server.client().connect(b"h2").await.unwrap();
    let _ = soon(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new())).await;
}
