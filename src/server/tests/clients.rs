//! Which clients are served, and who the handler sees.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn http2_and_http1_are_answered_on_one_port() {
    let server = Server::start(limits());
    let answered = (StatusCode::OK, "5 None".to_owned());
    assert_eq!(server.http2().await.post("/", Sending::of(5)).await, answered);

    let stream = TokioIo::new(server.raw().await);
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let request = Request::post("/").header("host", "h").body(Sending::of(5)).unwrap();
        assert_eq!(answer(sender.send_request(request).await.unwrap()).await.unwrap(), answered);
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let server = Server::start(limits());
    for version in [&TLS12, &TLS13] {
        let stream = Client::new(&server, &[version], None).connect(b"h2").await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(Http2::new(stream).await.post("/", Sending::of(0)).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_names_in_a_client_certificate_arrive_on_every_connection() {
    let server = Server::start(limits());
    let identity = server.authority.issue_client("kube-apiserver", "masters");
    for version in [&TLS12, &TLS13] {
        // The same client, with what it remembers of the first session.
        let client = Client::new(&server, &[version], Some(identity.clone()));
        for _ in 0..2 {
            let stream = client.connect(b"h2").await.unwrap();
            let kind = stream.get_ref().1.handshake_kind();
            assert_eq!(kind, Some(rustls::HandshakeKind::Full), "sessions are not resumed");
            let (_, names) = Http2::new(stream).await.post("/", Sending::of(0)).await;
            assert_eq!(names, r#"0 Some(("kube-apiserver", ["masters"]))"#);
        }
    }
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_gets_no_answer() {
    let server = Server::start(limits());
    let foreign = Authority::new().issue_client("kube-apiserver", "masters");
    // In TLS 1.3 the client has finished before the server has judged it.
    if let Ok(mut stream) =
        Client::new(&server, &[&TLS13], Some(foreign)).connect(b"http/1.1").await
    {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
        let error = soon(stream.read_to_end(&mut Vec::new())).await.unwrap_err();
        assert!(error.to_string().contains("fatal alert"), "{error}");
    }
    assert_eq!(server.http2().await.post("/", Sending::of(0)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_lives() {
    let server = Server::start(limits());
    let client = server.http2().await;
    let (code, text) = client.post("/panic", Sending::of(5)).await;
    assert_eq!(code, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(text.contains(r#""reason":"InternalError""#) && !text.contains("as asked"), "{text}");
    assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    assert!(server.has_metric(r#"countersign_http_requests_total{code="500",path="other"} 1"#));
}

#[tokio::test]
async fn the_admin_listener_speaks_plain_http() {
    let bound = Bound::to("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, drain) = (bound.address(), Drain::default());
    let listener = bound.listen().unwrap();
    let handler = Echo { gate: Arc::new(Semaphore::new(0)), waiting: Arc::new(Semaphore::new(0)) };
    let serving = tokio::spawn(serve_plain(listener, Live::new(limits()), handler, drain.clone()));
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get("/readyz").header("host", "h").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::OK);
    drain.begin();
    soon(serving).await.unwrap();
    soon(connection).await.unwrap().unwrap();
}
