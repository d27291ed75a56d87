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
async fn a_first_request_that_is_on_its_way_is_answered() {
    let server = Server::start(limits());
    let client = server.http2().await;
    server.drain.begin();
    soon(async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    soon(client.ended()).await;
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

/// Their clients believe that they are connected, and kube-apiserver's does not ask twice.
#[tokio::test]
async fn a_drain_serves_the_connections_that_are_queued() {
    let server = Server::start(limits());
    // Once it accepts it has looked, and knows of nothing more.
    assert_eq!(server.http2().await.post("/", Sending::of(5)).await.0, StatusCode::OK);
    // The system completes these without the server, which has no turn before the drain begins.
    let queued: Vec<_> =
        (0..5).map(|_| std::net::TcpStream::connect(server.address).unwrap()).collect();
    server.drain.begin();
    for stream in queued {
        stream.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(stream).unwrap();
        let stream = server.client().connect_on(stream, b"h2").await.unwrap();
        let client = Http2::new(stream).await;
        assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
        soon(client.ended()).await;
    }
    assert!(TcpStream::connect(server.address).await.is_err());
    soon(server.serving).await.unwrap();
}

#[tokio::test]
async fn another_client_ca_sends_everybody_away_and_another_certificate_nobody() {
    let server = Server::start(limits());
    let publish = |settings: &Settings| assert!(server.tls.publish(Tls::load(settings).unwrap()));
    let client = server.http2().await;
    let waiting = client.start_post("/wait", Sending::of(5));
    server.waits(1).await;

    let (scratch, other) = (Scratch::new(), Authority::new());
    let mut settings = settings(&scratch.0, &server.authority, limits());
    publish(&settings);
    let newer = server.http2().await;
    for client in [&client, &newer] {
        assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    }

    settings.client_ca_file = Some(scratch.write("other-ca.crt", &other.pem));
    publish(&settings);
    soon(newer.ended()).await;
    soon(async { while client.try_post("/", Sending::of(5)).await.is_ok() {} }).await;
    server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap().0, StatusCode::OK, "what was begun is answered");
    soon(client.ended()).await;
    let identity = other.issue_client("kube-apiserver", "masters");
    let stream = Client::new(&server, &[&TLS13], Some(identity)).connect(b"h2").await.unwrap();
    let (_, names) = Http2::new(stream).await.post("/", Sending::of(0)).await;
    assert_eq!(names, r#"0 Some(("kube-apiserver", ["masters"]))"#);
}
