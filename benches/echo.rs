//! A bare server of the same stack: hyper's, over tokio-rustls, on tokio's threads. It collects the
//! body and sends a constant answer, and so does nothing but what any server of this kind must do.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::pki::Leaf;

/// The argument that makes a process of this program that server.
pub const ROLE: &str = "echo";

/// Serves until it is killed. The answer has so many bytes; where it serves is the first line of its
/// output.
pub fn run(size: usize, certificate: &str, key: &str) {
    let [certificate, key] = [certificate, key].map(|file| std::fs::read_to_string(file).unwrap());
    let tls = TlsAcceptor::from(Leaf { certificate, key }.serving());
    let answer = Bytes::from(vec![b' '; size]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr().unwrap()).unwrap();
        out.flush().unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (tls, answer) = (tls.clone(), answer.clone());
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let service = service_fn(|request| answered(request, answer.clone()));
                let http = auto::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answered(
    request: Request<Incoming>,
    answer: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(answer));
    let media_type = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    Ok(response)
}
