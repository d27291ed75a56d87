//! Reviews all the time, from clients that behave as Go's do, while what answers them is replaced:
//! the process, its certificate, the authority of its clients. None of them fails.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::client::Protocol;
use crate::support::process::Process;
use crate::support::service::Setup;
use crate::support::transport::Transport;
use crate::support::{Issuer, pki, until, within};

/// Clients that ask without a pause, and end with the first failure.
struct Load {
    transports: Vec<Arc<Transport>>,
    state: Arc<State>,
    asking: JoinSet<()>,
}

#[derive(Default)]
struct State {
    answered: AtomicUsize,
    stopping: AtomicBool,
    failed: Mutex<Vec<String>>,
}

impl Load {
    /// Begins to ask `address` about `token` on so many connections of each protocol.
    async fn start(address: SocketAddr, connections: usize, token: &str) -> Self {
        let protocols = [Protocol::Http2, Protocol::Http1];
        let transports: Vec<_> = (0..connections)
            .flat_map(|_| protocols.map(|protocol| Arc::new(Transport::new(address, protocol))))
            .collect();
        let (state, mut asking) = (Arc::<State>::default(), JoinSet::new());
        // On one connection of HTTP/2 there are always several requests at once.
        for transport in transports.iter().chain(transports.iter().step_by(2)) {
            let (transport, token, state) = (transport.clone(), token.to_owned(), state.clone());
            asking.spawn(async move {
                while !state.stopping.load(Ordering::Relaxed) {
                    if let Err(error) = transport.review(&token).await {
                        return state.failed.lock().unwrap().push(error);
                    }
                    state.answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let load = Self { transports, state, asking };
        load.more().await;
        load
    }

    /// Waits until there are some more answers for each client.
    async fn more(&self) {
        let goal = self.answered() + 10 * self.transports.len();
        self.until("more is answered", async || self.answered() >= goal).await;
    }

    /// Waits until `condition` is true, with which nothing may have failed.
    async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        until(what, async || self.has_failed() || condition().await).await;
        let (failed, answered) = (self.state.failed.lock().unwrap(), self.answered());
        assert!(failed.is_empty(), "{} after {answered} answers: {failed:#?}", failed.len());
    }

    /// Stops to ask, and expects that nothing has failed.
    async fn none_failed(mut self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        while within(self.asking.join_next()).await.expect("one has no answer").is_some() {}
        self.until("", async || true).await;
    }

    fn has_failed(&self) -> bool {
        !self.state.failed.lock().unwrap().is_empty()
    }

    fn answered(&self) -> usize {
        self.state.answered.load(Ordering::Relaxed)
    }

    /// How many connections were made by all of them.
    async fn connections(&self) -> usize {
        let mut connections = 0;
        for transport in &self.transports {
            connections += transport.connections().await;
        }
        connections
    }
}

/// A rolling restart, several times over: the next process serves on the same address before the one
/// before it gets SIGTERM.
async fn roll(connections: usize) {
    let issuer = Issuer::start().await;
    let config = |address: Value| {
        Setup::new(json!({"jwt": [issuer.entry(json!({}))], "listen": {"address": address}}))
    };
    let mut serving = Process::start(config(json!("127.0.0.1:0"))).await;
    let address = serving.webhook;
    let load = Load::start(address, connections, &issuer.token(json!({}))).await;
    for _ in 0..4 {
        let next = Process::start(config(json!(address.to_string()))).await;
        let old = std::mem::replace(&mut serving, next);
        load.more().await;
        let before = load.connections().await;
        old.signal("TERM");
        assert_eq!(old.ended().await.code(), Some(0));
        load.more().await;
        assert!(load.connections().await > before, "nobody was on the old one");
    }
    load.none_failed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_review_of_one_connection() {
    roll(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_fails_no_review_of_a_hundred_connections() {
    roll(50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_and_another_client_ca_fail_no_review() {
    let issuer = Issuer::start().await;
    for connections in [1, 50] {
        let service = Setup::new(json!({"jwt": [issuer.entry(json!({}))]})).start().await;
        let load = Load::start(service.address(), connections, &issuer.token(json!({}))).await;
        let success = [("result", "success")];
        let both = format!("{}{}", pki::CLIENTS.pem, pki::PROVIDERS.pem);
        for (round, authorities) in [&both, &pki::CLIENTS.pem, &both].into_iter().enumerate() {
            let reloads = 2.0 * round as f64;
            let leaf = pki::SERVERS.server();
            service.write("tls.crt", &leaf.certificate);
            service.write("tls.key", &leaf.key);
            service.until_metric("config_reloads_total", &success, reloads + 1.0).await;
            load.more().await;
            let before = load.connections().await;
            service.write("client-ca.crt", authorities);
            service.until_metric("config_reloads_total", &success, reloads + 2.0).await;
            load.until("everybody has come again", async || {
                load.connections().await >= before + load.transports.len()
            })
            .await;
            load.more().await;
        }
        load.none_failed().await;
    }
}
