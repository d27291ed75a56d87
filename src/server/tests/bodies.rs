//! Bodies: whole, too large, too slow, without end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const LIMIT: usize = 64 * 1024;

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let server = Server::start(limits());
    let client = server.http2().await;
    for announced in [true, false] {
        for (bytes, expected) in [
            (0, StatusCode::OK),
            (1, StatusCode::OK),
            (LIMIT - 1, StatusCode::OK),
            (LIMIT, StatusCode::OK),
            (LIMIT + 1, StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            let (code, text) = client.post("/", Sending { announced, ..Sending::of(bytes) }).await;
            assert_eq!(code, expected, "{bytes}");
            if code == StatusCode::OK {
                assert_eq!(text, format!("{bytes} None"));
            } else {
                assert!(text.contains("Request entity too large: limit is 65536"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn too_large_bodies_in_parallel_are_all_refused_and_the_connection_lives() {
    let server = Server::start(limits());
    let client = server.http2().await;
    let answers: Vec<Answer> =
        (0..100).map(|_| client.start_post("/", Sending::of(LIMIT * 2))).collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap().0, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
    let counted = r#"countersign_http_requests_total{code="413",path="other"} 100"#;
    assert!(server.has_metric(counted));
}

#[tokio::test]
async fn of_200_megabytes_hardly_more_than_the_limit_is_ever_taken() {
    let server = Server::start(limits());
    let client = server.http2().await;
    for announced in [true, false] {
        let body = Sending { announced, ..Sending::of(200_000_000) };
        let sent = body.sent.clone();
        assert_eq!(client.post("/", body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        // The body is dropped once the server has reset the stream.
        soon(async {
            while Arc::strong_count(&sent) > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // The limit, twice as much thrown away, and what the windows let the client send ahead.
        let most = 3 * LIMIT + 2 * 1024 * 1024;
        assert!(sent.load(Ordering::Relaxed) < most, "{sent:?}");
    }
    assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn http1_hears_413_and_is_closed() {
    let server = Server::start(limits());
    for head in ["content-length: 200000000", "transfer-encoding: chunked"] {
        let (mut read, mut write) = tokio::io::split(server.raw().await);
        let head = format!("POST / HTTP/1.1\r\nhost: h\r\n{head}\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        let chunk = [b"2000\r\n".as_slice(), &[b'x'; 0x2000], b"\r\n"].concat();
        let writing = tokio::spawn(async move {
            let mut sent = 0;
            while sent < 200_000_000 && write.write_all(&chunk).await.is_ok() {
                sent += chunk.len();
            }
            sent
        });
        let mut text = String::new();
        // The end may be a reset: the server does not wait for all of it.
        let _ = soon(read.read_to_string(&mut text)).await;
        let text = text.to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 413 ") && text.contains("connection: close"), "{text}");
        // Beside what the server takes, the system's socket buffers hold some.
        let sent = soon(writing).await.unwrap();
        assert!(sent < 32 * 1024 * 1024, "{sent}");
    }
}

#[tokio::test]
async fn a_slow_body_is_a_408_and_holds_up_nobody() {
    let limits = Limits { request_timeout: Duration::from_millis(500), ..limits() };
    let server = Server::start(limits);
    let client = server.http2().await;
    let slow: Vec<Answer> =
        (0..20).map(|_| client.start_post("/", Sending::stalling_after(10))).collect();
    let mut served = 0;
    while !slow.iter().all(Answer::is_finished) {
        assert_eq!(client.post("/", Sending::of(5)).await.0, StatusCode::OK);
        served += 1;
    }
    assert!(served > 0);
    for answer in slow {
        assert_eq!(answer.await.unwrap().0, StatusCode::REQUEST_TIMEOUT);
    }

    let mut stream = server.raw().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc").await.unwrap();
    let mut text = String::new();
    let _ = soon(stream.read_to_string(&mut text)).await;
    let text = text.to_ascii_lowercase();
    assert!(text.starts_with("http/1.1 408 ") && text.contains("connection: close"), "{text}");
}

#[tokio::test]
async fn large_bodies_have_a_bound_together_and_those_in_one_piece_are_served_beside_them() {
    let max_body_bytes = 256 * 1024;
    let server = Server::start(Limits { max_requests_in_flight: 10, max_body_bytes, ..limits() });
    let client = server.http2().await;
    // There is room for four of the largest.
    let held: Vec<Answer> = (0..4)
        .map(|_| client.start_post("/", Sending::stalling_after(max_body_bytes - 10_000)))
        .collect();
    // Refused as soon as they have arrived.
    soon(async {
        while client.post("/", Sending::of(100_000)).await.0 != StatusCode::SERVICE_UNAVAILABLE {}
    })
    .await;
    assert_eq!(client.post("/", Sending::of(10_000)).await.0, StatusCode::OK);
    for answer in held {
        answer.abort();
    }
    // What they held comes back.
    soon(async { while client.post("/", Sending::of(100_000)).await.0 != StatusCode::OK {} }).await;
}

/// An answer can be as large as what it echoes, and goes on taking room after its request is no
/// longer in flight: sixty clients that did not read had 600 MiB held.
#[tokio::test]
async fn answers_that_nobody_reads_are_bounded() {
    let server = Server::start(limits());
    let ask = async || {
        let mut stream = server.raw().await;
        let request = b"POST /long HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut code = [0; "HTTP/1.1 200".len()];
        soon(stream.read_exact(&mut code)).await.unwrap();
        (String::from_utf8_lossy(&code).into_owned(), stream)
    };
    let room = limits().max_requests_in_flight * 64 * 1024;
    let mut unread = Vec::new();
    for _ in 0..room / LONG {
        let (code, stream) = ask().await;
        assert_eq!(code, "HTTP/1.1 200");
        unread.push(stream);
    }
    assert_eq!(ask().await.0, "HTTP/1.1 503");
    assert!(server.has_metric("countersign_requests_shed_total 1"));
    assert_eq!(
        server.http2().await.post("/", Sending::of(5)).await.0,
        StatusCode::OK,
        "small ones"
    );
    unread.pop();
    soon(async { while ask().await.0 != "HTTP/1.1 200" {} }).await;
}
