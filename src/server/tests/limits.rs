//! One too many, and those who take too long.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn refusals_in_parallel_on_one_connection_all_arrive() {
    let server = Server::start(Limits { max_requests_in_flight: 1, ..limits() });
    let client = server.http2().await;
    let waiting = client.start_post("/wait", Sending::of(5));
    server.waits(1).await;
    let answers: Vec<Answer> =
        (0..100).map(|_| client.start_post("/", Sending::of(40_000))).collect();
    for answer in answers {
        let (code, text) = answer.await.unwrap();
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains(r#""reason":"ServiceUnavailable""#), "{text}");
    }
    server.gate.add_permits(1);
    assert_eq!(waiting.await.unwrap(), (StatusCode::OK, "5 None".to_owned()));
    assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    assert!(server.has_metric("countersign_requests_shed_total 100"));
    let counted = r#"countersign_http_requests_total{code="503",path="other"} 100"#;
    assert!(server.has_metric(counted));
}

#[tokio::test]
async fn hundreds_of_requests_run_on_one_connection() {
    let server = Server::start(limits());
    let client = server.known().await;
    let answers: Vec<Answer> =
        (0..240).map(|_| client.start_post("/wait", Sending::of(1500))).collect();
    server.waits(240).await;
    server.gate.add_permits(240);
    for answer in answers {
        assert_eq!(answer.await.unwrap().0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_handler_that_does_not_end_is_a_503() {
    let limits = Limits { request_timeout: Duration::from_millis(100), ..limits() };
    let server = Server::start(limits);
    let (code, text) = server.http2().await.post("/wait", Sending::of(5)).await;
    assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("took too long"), "{text}");
}

#[tokio::test]
async fn other_limits_are_for_those_who_come_from_then_on() {
    let server = Server::start(limits());
    let old = server.http2().await;
    server.limits.publish(Limits { max_body_bytes: 10, ..limits() });
    let new = server.http2().await;
    assert_eq!(new.post("/", Sending::of(11)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(old.post("/", Sending::of(11)).await.0, StatusCode::OK);
    server.limits.publish(Limits { max_connections: 2, ..limits() });
    let third = server.http2().await;
    assert_eq!(third.post("/", Sending::of(5)).await.0, StatusCode::OK);
    soon(async { while old.try_post("/", Sending::of(5)).await.is_ok() {} }).await;
    server.drain.begin();
    drop((new, third));
    soon(server.serving).await.unwrap();
}

/// Whoever has shown a certificate stays, whoever has not goes, the oldest first.
#[tokio::test]
async fn of_too_many_connections_one_goes_at_once() {
    let server = Server::start(Limits { max_connections: 2, ..limits() });
    let stranger = server.http2().await;
    assert_eq!(stranger.post("/", Sending::of(5)).await.0, StatusCode::OK);
    let first = server.known().await;
    assert_eq!(first.post("/", Sending::of(5)).await.0, StatusCode::OK);
    assert!(server.has_metric("countersign_connections 2"));

    let second = server.known().await;
    soon(async { while stranger.try_post("/", Sending::of(5)).await.is_ok() {} }).await;
    for client in [&first, &second] {
        assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    }
    assert!(server.has_metric("countersign_requests_shed_total 1"));
    assert!(server.client().connect(b"h2").await.is_err(), "both stay");
    assert!(server.has_metric("countersign_requests_shed_total 2"));
    drop(first);
    soon(async { while server.client().connect(b"h2").await.is_err() {} }).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_and_holds_up_nobody() {
    let limits = Limits { handshake_timeout: Duration::from_secs(1), ..limits() };
    let server = Server::start(limits);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(server.http2().await.post("/", Sending::of(5)).await.0, StatusCode::OK);
    for mut stream in silent {
        assert_eq!(soon(stream.read(&mut [0])).await.unwrap_or_default(), 0);
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut() {
    let limits = Limits { request_timeout: Duration::from_millis(100), ..limits() };
    let server = Server::start(limits);
    let mut stream = server.raw().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: h\r\nx: ").await.unwrap();
    let mut text = String::new();
    let _ = soon(stream.read_to_string(&mut text)).await;
    assert_eq!(text, "");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(limits());
    let mut stream = server.raw().await;
    let head = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let _ = soon(stream.read_to_string(&mut text)).await;
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
}

/// A peer that is gone without a word answers no PING.
#[tokio::test]
async fn an_http2_client_that_is_gone_is_noticed() {
    let limits = Limits { request_timeout: Duration::from_millis(100), ..limits() };
    let server = Server::start(limits);
    let mut stream = server.client().connect(b"h2").await.unwrap();
    // The preface and empty settings, and nothing ever after.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    soon(async {
        while !server.has_metric("countersign_connections 0") {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
