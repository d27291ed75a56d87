//! A client that speaks as kube-apiserver does: its request byte for byte, and the judgement that
//! its `webhook.go` passes on the answer, returned audiences included.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{API, pki, within};

/// Whose certificate a client shows.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    /// The API server's.
    ApiServer,
    /// One of the right authority, for this name.
    Named(&'static str),
    /// The same, and of this organization.
    Of(&'static str, &'static str),
    /// One of an authority that nobody here trusts, for the API server's name.
    Impostor,
    /// None.
    Nobody,
}

/// How much of HTTP it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// One connection. Clones share it.
#[derive(Clone)]
pub struct Kube {
    sender: Sender,
    address: SocketAddr,
    version: &'static str,
}

#[derive(Clone)]
enum Sender {
    Http1(Arc<tokio::sync::Mutex<http1::SendRequest<Body>>>),
    Http2(http2::SendRequest<Body>),
}

type Body = BoxBody<Bytes, Infallible>;

/// What kube-apiserver makes of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The user, and the audiences it is authenticated for.
    User(User, Vec<String>),
    /// Unauthenticated, and nobody will ever read why. Cached for two minutes.
    Nobody,
    /// This error is logged, and nothing is cached.
    Error(String),
    /// The webhook failed with this status.
    Failed(u16, String),
}

/// `UserInfo`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct User {
    pub username: String,
    pub uid: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Verdict {
    /// The user's name, of one who is authenticated.
    #[track_caller]
    pub fn username(&self) -> &str {
        match self {
            Self::User(user, _) => &user.username,
            other => panic!("not authenticated: {other:?}"),
        }
    }

    /// The error that kube-apiserver logs.
    #[track_caller]
    pub fn error(&self) -> &str {
        match self {
            Self::Error(error) => error,
            other => panic!("no error: {other:?}"),
        }
    }
}

impl Kube {
    /// Connects as the API server does, speaking `v1`.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::connect_as(address, Caller::ApiServer, Protocol::Http2).await.unwrap()
    }

    /// Connects as `caller`.
    ///
    /// # Errors
    ///
    /// Says why there is no connection.
    pub async fn connect_as(
        address: SocketAddr,
        caller: Caller,
        protocol: Protocol,
    ) -> Result<Self, String> {
        let stream = TokioIo::new(handshake(address, caller, protocol).await?);
        let sender = match protocol {
            Protocol::Http1 => {
                let (sender, connection) =
                    http1::handshake(stream).await.map_err(|error| error.to_string())?;
                tokio::spawn(connection);
                Sender::Http1(Arc::new(tokio::sync::Mutex::new(sender)))
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                    .await
                    .map_err(|error| error.to_string())?;
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        };
        Ok(Self { sender, address, version: "v1" })
    }

    /// Speaks that version: `v1` or `v1beta1`.
    pub fn speaking(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Authenticates a request to the API server, with its own audiences.
    pub async fn authenticate(&self, token: &str) -> Verdict {
        self.authenticate_for(token, &[API]).await
    }

    /// Authenticates for any audiences, as on behalf of a TokenReview.
    pub async fn authenticate_for(&self, token: &str, audiences: &[&str]) -> Verdict {
        let response = self.send(self.review(token, audiences)).await.unwrap();
        interpret(self.version, audiences, &response)
    }

    /// The request that kube-apiserver sends.
    pub fn review(&self, token: &str, audiences: &[&str]) -> Request<Body> {
        self.post(question(self.version, token, audiences))
    }

    /// A POST of any body, with the headers that kube-apiserver sends.
    pub fn post(&self, body: impl Into<Bytes>) -> Request<Body> {
        let body = body.into();
        let mut request = self.post_body(Full::new(body.clone()).boxed());
        request.headers_mut().insert("content-length", body.len().into());
        request
    }

    /// A POST of a body of unknown length.
    pub fn post_body(&self, body: Body) -> Request<Body> {
        Request::post(format!("https://{}/authenticate?timeout=30s", self.address))
            .header("accept", "application/json, */*")
            .header("accept-encoding", "gzip")
            .header("content-type", "application/json")
            .header("user-agent", "Go-http-client/2.0")
            .body(body)
            .unwrap()
    }

    /// Sends any request.
    ///
    /// # Errors
    ///
    /// Says why no answer came.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Bytes>, String> {
        let answer = async {
            let response = match &self.sender {
                Sender::Http1(sender) => {
                    let host = self.address.to_string().parse().unwrap();
                    request.headers_mut().insert("host", host);
                    *request.uri_mut() =
                        request.uri().path_and_query().unwrap().as_str().parse().unwrap();
                    let mut sender = sender.lock().await;
                    sender.ready().await.map_err(|error| format!("{error:?}"))?;
                    sender.send_request(request).await
                }
                Sender::Http2(sender) => {
                    let mut sender = sender.clone();
                    sender.ready().await.map_err(|error| format!("{error:?}"))?;
                    sender.send_request(request).await
                }
            };
            let (head, body) = response.map_err(|error| format!("{error:?}"))?.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        within(answer).await.expect("no answer came")
    }
}

/// TLS to `address`, as `caller`.
///
/// # Errors
///
/// Says why there is none.
pub async fn handshake(
    address: SocketAddr,
    caller: Caller,
    protocol: Protocol,
) -> Result<TlsStream<TcpStream>, String> {
    let leaf = match caller {
        Caller::ApiServer => Some(pki::CLIENTS.client("kube-apiserver")),
        Caller::Named(name) => Some(pki::CLIENTS.client(name)),
        Caller::Of(name, organization) => Some(pki::CLIENTS.member(name, organization)),
        Caller::Impostor => Some(pki::Authority::new("clients").client("kube-apiserver")),
        Caller::Nobody => None,
    };
    let alpn = if protocol == Protocol::Http2 { "h2" } else { "http/1.1" };
    let config = pki::SERVERS.trusting(leaf.as_ref(), alpn);
    let name = ServerName::from(address.ip());
    let socket = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    // As Go does: head and body of a request are two writes.
    socket.set_nodelay(true).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(config).connect(name, socket).await;
    stream.map_err(|error| error.to_string())
}

/// The body of the request, as Go's encoder writes it.
pub fn question(version: &str, token: &str, audiences: &[&str]) -> String {
    let mut spec = json!({"token": token});
    if !audiences.is_empty() {
        spec["audiences"] = json!(audiences);
    }
    let spec = spec.to_string();
    let spec = spec.replace('<', r"\u003c").replace('>', r"\u003e").replace('&', r"\u0026");
    format!(
        r#"{{"kind":"TokenReview","apiVersion":"authentication.k8s.io/{version}","metadata":{{}},"spec":{spec},"status":{{"user":{{}}}}}}"#
    ) + "\n"
}

/// What `webhook.go` concludes from an answer, when it asked for `wanted`.
pub fn interpret(version: &str, wanted: &[&str], response: &Response<Bytes>) -> Verdict {
    let code = response.status().as_u16();
    let body: Value = match serde_json::from_slice(response.body()) {
        Ok(body) => body,
        Err(error) => return Verdict::Failed(code, format!("not JSON: {error}")),
    };
    if !(200..=206).contains(&code) {
        return Verdict::Failed(code, body["message"].as_str().unwrap_or_default().to_owned());
    }
    let right = format!("authentication.k8s.io/{version}");
    if body["kind"] != "TokenReview" || body["apiVersion"] != right.as_str() {
        return Verdict::Error(format!("unknown conversion: {body}"));
    }
    let status = &body["status"];
    let got: Vec<String> = match &status["audiences"] {
        Value::Array(got) if !got.is_empty() => {
            got.iter().map(|audience| audience.as_str().unwrap().to_owned()).collect()
        }
        _ => vec![API.to_owned()],
    };
    let audiences: Vec<_> = got.into_iter().filter(|got| wanted.contains(&got.as_str())).collect();
    if !wanted.is_empty() && audiences.is_empty() {
        return Verdict::Nobody;
    }
    match (&status["authenticated"], &status["error"]) {
        (Value::Bool(true), _) => {
            Verdict::User(serde_json::from_value(status["user"].clone()).unwrap(), audiences)
        }
        (_, Value::String(error)) if !error.is_empty() => Verdict::Error(error.clone()),
        _ => Verdict::Nobody,
    }
}

mod tests {
    use super::*;

    /// The contract, section 1.4.
    #[test]
    fn the_client_judges_as_upstream_does() {
        let verdict = |status: Value, wanted: &[&str]| {
            let body = json!({
                "kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status,
            });
            interpret("v1", wanted, &Response::new(body.to_string().into()))
        };
        let user = |audience: &str| {
            let user = User { username: "a".to_owned(), ..User::default() };
            Verdict::User(user, vec![audience.to_owned()])
        };
        let yes = |audiences: Value| json!({"authenticated": true, "user": {"username": "a"}, "audiences": audiences});
        assert_eq!(verdict(yes(json!(["x", "y"])), &["y"]), user("y"));
        assert_eq!(verdict(yes(json!([])), &[API]), user(API), "implicitly for the API server");
        assert_eq!(verdict(yes(json!([])), &["y"]), Verdict::Nobody);
        let no = json!({"error": "why"});
        assert_eq!(verdict(no.clone(), &[API]), Verdict::Error("why".to_owned()));
        assert_eq!(verdict(no, &["y"]), Verdict::Nobody, "the error is lost");
        let both = json!({"error": "why", "audiences": ["y"]});
        assert_eq!(verdict(both, &["y"]), Verdict::Error("why".to_owned()));
        assert_eq!(verdict(json!({}), &[API]), Verdict::Nobody);
    }

    #[test]
    fn the_question_is_written_as_go_writes_it() {
        assert_eq!(
            question("v1beta1", "a<b", &["x"]),
            "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1beta1\",\"metadata\":{},\
             \"spec\":{\"token\":\"a\\u003cb\",\"audiences\":[\"x\"]},\"status\":{\"user\":{}}}\n"
        );
    }
}
