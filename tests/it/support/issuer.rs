//! An identity provider over real TLS, good or bad: it can rotate and withdraw its keys, go dark,
//! stall, drip, lie, redirect and flood, for each of its paths; and it counts what it is asked. It can
//! be the source of distributed claims, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::manner::Sent;
use super::signing::unique;
use super::{Key, Manner, lay, now, pki, until};

/// The path of the discovery document, below the issuer's own.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// The path of the key set.
pub const KEYS: &str = "/keys";
/// A path of the same key set that nothing points to.
pub const MOVED_KEYS: &str = "/moved-keys";
/// The path of distributed claims.
pub const CLAIMS: &str = "/claims";
/// Another path of the same.
pub const MOVED_CLAIMS: &str = "/moved-claims";

/// A running identity provider. It ends when it is dropped.
pub struct Issuer {
    /// Its issuer URL, unlike any other of the run.
    pub url: String,
    path: String,
    state: Arc<Mutex<State>>,
    serving: JoinSet<()>,
}

struct State {
    keys: Vec<Key>,
    published: Vec<Value>,
    discovery: Value,
    manners: HashMap<&'static str, Manner>,
    asked: HashMap<String, usize>,
    /// By the `Authorization` that has to be shown for it; empty: none.
    claims: HashMap<String, String>,
}

impl Issuer {
    /// Starts a provider with one ES256 key.
    pub async fn start() -> Self {
        Self::signing_with(Key::new("ES256")).await
    }

    /// Starts a provider with this key.
    pub async fn signing_with(key: Key) -> Self {
        Self::with(key, &pki::PROVIDERS.server()).await
    }

    /// Starts a provider that shows this certificate.
    pub async fn showing(certificate: &pki::Leaf) -> Self {
        Self::with(Key::new("ES256"), certificate).await
    }

    async fn with(key: Key, certificate: &pki::Leaf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let path = format!("/{}", unique("issuer"));
        let url = format!("https://{}{path}", listener.local_addr().unwrap());
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}{KEYS}")});
        let state = Arc::new(Mutex::new(State {
            published: vec![key.public()],
            keys: vec![key],
            discovery,
            manners: HashMap::new(),
            asked: HashMap::new(),
            claims: HashMap::new(),
        }));
        let mut serving = JoinSet::new();
        let acceptor = TlsAcceptor::from(certificate.serving());
        serving.spawn(serve(listener, Some(acceptor), path.clone(), state.clone()));
        Self { url, path, state, serving }
    }

    /// Another address of it, for those who ask without TLS.
    pub async fn in_the_clear(&mut self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{}", listener.local_addr().unwrap(), self.path);
        self.serving.spawn(serve(listener, None, self.path.clone(), self.state.clone()));
        url
    }

    /// Its entry in `jwt`: tokens for `kubernetes`, users named by `sub`; with `over` laid over it.
    pub fn entry(&self, over: Value) -> Value {
        let mut entry = json!({
            "issuer": {
                "url": self.url,
                "certificateAuthority": pki::PROVIDERS.pem,
                "audiences": ["kubernetes"],
            },
            "claimMappings": {"username": {"claim": "sub", "prefix": ""}},
        });
        lay(&mut entry, over);
        entry
    }

    /// The claims of an ordinary token of alice's, with `over` laid over them.
    pub fn claims(&self, over: Value) -> Value {
        let mut claims = json!({
            "iss": self.url,
            "aud": "kubernetes",
            "sub": "alice",
            "exp": now() + 3600,
            "iat": now(),
            "jti": unique("jti"),
        });
        lay(&mut claims, over);
        claims
    }

    /// A good token with these claims.
    pub fn token(&self, over: Value) -> String {
        self.key().token(&self.claims(over))
    }

    /// The key that signs.
    pub fn key(&self) -> Key {
        self.state.lock().unwrap().keys.last().unwrap().clone()
    }

    /// Signs with a new key from now on; the old ones stay published.
    pub fn rotate(&self) -> Key {
        let key = Key::new("ES256");
        let mut state = self.state.lock().unwrap();
        state.published.push(key.public());
        state.keys.push(key.clone());
        key
    }

    /// Publishes the key set without this key from now on.
    pub fn withdraw(&self, key: &Key) {
        self.state.lock().unwrap().published.retain(|public| public["kid"] != key.kid.as_str());
    }

    /// Signs with `key` and publishes it alone, among `others`.
    pub fn publish(&self, key: &Key, others: impl IntoIterator<Item = Value>) {
        let mut state = self.state.lock().unwrap();
        state.published = others.into_iter().chain([key.public()]).collect();
        state.keys.push(key.clone());
    }

    /// Lays `over` over the discovery document.
    pub fn claims_to_be(&self, over: Value) {
        lay(&mut self.state.lock().unwrap().discovery, over);
    }

    /// Answers on `path` in that manner from now on.
    pub fn answers(&self, path: &'static str, manner: Manner) {
        self.state.lock().unwrap().manners.insert(path, manner);
    }

    /// Answers everything in that manner from now on.
    pub fn turns(&self, manner: Manner) {
        for path in [DISCOVERY, KEYS, MOVED_KEYS] {
            self.answers(path, manner.clone());
        }
    }

    /// Answers who shows `access_token` (nothing, if it is empty) with `jwt` from now on; who shows
    /// another one, 401.
    pub fn serves(&self, access_token: &str, jwt: &str) {
        let bearer = if access_token.is_empty() { "" } else { "Bearer " };
        let shown = format!("{bearer}{access_token}");
        self.state.lock().unwrap().claims.insert(shown, jwt.to_owned());
    }

    /// How often `path` was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.state.lock().unwrap().asked.get(path).copied().unwrap_or_default()
    }

    /// Waits until `path` was asked for `times` times.
    pub async fn until_asked(&self, path: &str, times: usize) {
        until(&format!("{path} is asked for {times} times"), async || self.asked(path) >= times)
            .await;
    }

    /// The key set as it is now.
    pub fn key_set(&self) -> String {
        json!({"keys": self.state.lock().unwrap().published}).to_string()
    }
}

async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    root: String,
    state: Arc<Mutex<State>>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (acceptor, root, state) = (acceptor.clone(), root.clone(), state.clone());
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let path = request.uri().path().strip_prefix(&root).unwrap_or("/").to_owned();
                let shown = request.headers().get("authorization");
                let shown = shown.map_or("", |value| value.to_str().unwrap()).to_owned();
                let answer = answer(&state, path, &shown);
                async move { answer.await.ok_or("gone dark") }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let Some(acceptor) = acceptor else {
                drop(server.serve_connection(TokioIo::new(socket), service).await);
                return;
            };
            let Ok(stream) = acceptor.accept(socket).await else { return };
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn answer(
    state: &Mutex<State>,
    path: String,
    shown: &str,
) -> impl Future<Output = Option<Response<Sent>>> + use<> {
    let mut state = state.lock().unwrap();
    // What is said is decided when the question arrives: a held answer is an old answer.
    let (manner, well) = match path.as_str() {
        DISCOVERY => (None, state.discovery.to_string()),
        KEYS | MOVED_KEYS => (None, json!({"keys": state.published}).to_string()),
        CLAIMS | MOVED_CLAIMS => match state.claims.get(shown) {
            Some(jwt) => (None, jwt.clone()),
            None => (Some(Manner::Status(401)), String::new()),
        },
        _ => (Some(Manner::Status(404)), String::new()),
    };
    let manner = state.manners.get(path.as_str()).cloned().or(manner).unwrap_or_default();
    *state.asked.entry(path).or_default() += 1;
    manner.answer(well)
}
