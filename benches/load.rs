//! Who asks: one thread with so many connections, and on each so many requests in flight.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::LocalSet;

use crate::process::{Server, cpu};
use crate::support::Caller;
use crate::support::client::{Protocol, handshake};

/// How a server is asked.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    pub protocol: Protocol,
    pub connections: usize,
    /// Requests in flight on each.
    pub streams: usize,
}

/// What is asked, one after the other.
#[derive(Clone)]
pub struct Questions {
    bodies: Rc<Vec<Bytes>>,
    /// Where each body is made another one than all before it.
    number_at: Option<usize>,
    next: Rc<Cell<u64>>,
}

/// Stands for the number that makes a body another one.
pub const NUMBER: &str = "############";

impl Questions {
    /// These in turn, again and again.
    pub fn of(bodies: Vec<String>) -> Self {
        let bodies = bodies.into_iter().map(Bytes::from).collect();
        Self { bodies: Rc::new(bodies), number_at: None, next: Rc::default() }
    }

    /// This one with another number each time in the place of [`NUMBER`].
    pub fn numbered(body: String) -> Self {
        let number_at = Some(body.find(NUMBER).unwrap());
        Self { number_at, ..Self::of(vec![body]) }
    }

    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// The first of them.
    pub fn first(&self, count: usize) -> Vec<String> {
        let text = |body: &Bytes| String::from_utf8(body.to_vec()).unwrap();
        self.bodies.iter().take(count).map(text).collect()
    }

    pub fn next(&self) -> Bytes {
        let number = self.next.replace(self.next.get() + 1);
        let body = &self.bodies[number as usize % self.bodies.len()];
        let Some(at) = self.number_at else { return body.clone() };
        let mut body = body.to_vec();
        let digits = format!("{number:0width$}", width = NUMBER.len());
        body[at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
        body.into()
    }
}

/// A connection of the API server's.
#[derive(Clone)]
pub enum Connection {
    Http1(Rc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>, SocketAddr),
    Http2(http2::SendRequest<Full<Bytes>>, SocketAddr),
}

impl Connection {
    pub async fn open(address: SocketAddr, protocol: Protocol) -> Self {
        let stream = TokioIo::new(handshake(address, Caller::ApiServer, protocol).await.unwrap());
        if protocol == Protocol::Http2 {
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            Self::Http2(sender, address)
        } else {
            let (sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            Self::Http1(Rc::new(sender.into()), address)
        }
    }

    /// Asks, and gives the answer's body.
    pub async fn ask(&mut self, body: Bytes) -> Bytes {
        let answer = match self {
            Self::Http2(sender, address) => {
                let request = question(format!("https://{address}{PATH}"), *address, body);
                sender.ready().await.unwrap();
                sender.send_request(request).await
            }
            Self::Http1(sender, address) => {
                let mut sender = sender.lock().await;
                sender.ready().await.unwrap();
                sender.send_request(question(PATH.to_owned(), *address, body)).await
            }
        };
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body().collect().await.unwrap().to_bytes()
    }
}

const PATH: &str = "/authenticate?timeout=30s";

fn question(url: String, address: SocketAddr, body: Bytes) -> Request<Full<Bytes>> {
    let request = Request::post(url)
        .header("accept", "application/json, */*")
        .header("accept-encoding", "gzip")
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .header("user-agent", "Go-http-client/2.0");
    // HTTP/2 has it in the address.
    let request = match request.uri_ref().is_some_and(|url| url.scheme().is_some()) {
        true => request,
        false => request.header("host", address.to_string()),
    };
    request.body(Full::new(body)).unwrap()
}

/// What one server did under load for a while.
pub struct Measured {
    pub requests: usize,
    pub time: Duration,
    pub server: Duration,
    pub client: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Measured {
    /// What the server's threads worked for one request, in microseconds.
    pub fn cpu(&self) -> f64 {
        self.server.as_secs_f64() * 1e6 / self.requests as f64
    }

    /// The same of this client.
    pub fn client_cpu(&self) -> f64 {
        self.client.as_secs_f64() * 1e6 / self.requests as f64
    }

    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }

    /// So many of a thousand answers came in this time, in microseconds.
    pub fn latency(&self, of_a_thousand: usize) -> f64 {
        let at = (self.latencies.len() * of_a_thousand / 1000).min(self.latencies.len() - 1);
        self.latencies[at].as_secs_f64() * 1e6
    }
}

/// Asks `server` for so long, on connections that are open before and warm.
pub async fn run(
    server: &Server,
    shape: Shape,
    questions: &Questions,
    window: Duration,
) -> Measured {
    run_beside(server, shape, questions, window, None).await
}

/// The same beside `others`, so many of which are asked at a time on each connection, and of which
/// nothing is measured.
pub async fn run_beside(
    server: &Server,
    shape: Shape,
    questions: &Questions,
    window: Duration,
    others: Option<(&Questions, usize)>,
) -> Measured {
    let mut connections = Vec::new();
    for _ in 0..shape.connections {
        connections.push(Connection::open(server.address, shape.protocol).await);
    }
    let on = Clock { opens: Rc::default(), ends: Rc::default(), latencies: Rc::default() };
    LocalSet::new()
        .run_until(async {
            let mut asking = tokio::task::JoinSet::new();
            for connection in &connections {
                for _ in 0..shape.streams {
                    let (connection, questions) = (connection.clone(), questions.clone());
                    asking.spawn_local(on.clone().ask(connection, questions));
                }
                let Some((others, streams)) = others else { continue };
                for _ in 0..streams {
                    let unseen = Clock { opens: Rc::default(), ..on.clone() };
                    asking.spawn_local(unseen.ask(connection.clone(), others.clone()));
                }
            }
            tokio::time::sleep(window / 5).await;
            let before = (Instant::now(), cpu(server.id), cpu(std::process::id()));
            on.opens.set(true);
            tokio::time::sleep(window).await;
            on.opens.set(false);
            let after = (Instant::now(), cpu(server.id), cpu(std::process::id()));
            on.ends.set(true);
            while let Some(ended) = asking.join_next().await {
                ended.unwrap();
            }
            let mut latencies = on.latencies.take();
            latencies.sort_unstable();
            Measured {
                requests: latencies.len(),
                time: after.0 - before.0,
                server: after.1 - before.1,
                client: after.2 - before.2,
                latencies,
            }
        })
        .await
}

/// When it counts, and what was counted.
#[derive(Clone)]
struct Clock {
    opens: Rc<Cell<bool>>,
    ends: Rc<Cell<bool>>,
    latencies: Rc<Cell<Vec<Duration>>>,
}

impl Clock {
    async fn ask(self, mut connection: Connection, questions: Questions) {
        while !self.ends.get() {
            let began = Instant::now();
            connection.ask(questions.next()).await;
            if self.opens.get() {
                let mut latencies = self.latencies.take();
                latencies.push(began.elapsed());
                self.latencies.set(latencies);
            }
        }
    }
}

/// Asks each of `questions` once, many at a time.
pub async fn each_once(server: &Server, questions: &Questions) {
    let connection = Connection::open(server.address, Protocol::Http2).await;
    let left = Rc::new(Cell::new(questions.len()));
    LocalSet::new()
        .run_until(async {
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..64 {
                let (mut connection, questions) = (connection.clone(), questions.clone());
                let left = left.clone();
                asking.spawn_local(async move {
                    while let Some(rest) = left.get().checked_sub(1) {
                        left.set(rest);
                        connection.ask(questions.next()).await;
                    }
                });
            }
            while let Some(ended) = asking.join_next().await {
                ended.unwrap();
            }
        })
        .await;
}
