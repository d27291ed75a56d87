//! countersign itself, started as an operator starts it: from a configuration file and the files
//! that it names, in a directory of its own and on ports of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use countersign::app::{self, Pace, Running};
use countersign::config;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::client::Protocol;
use super::metrics::Scrape;
use super::signing::unique;
use super::{Caller, Kube, lay, logs, pki, until, within};

/// What the API server calls itself in these tests.
pub const API: &str = "https://kubernetes.test";

/// A service to be.
pub struct Setup {
    directory: Directory,
    config: String,
    file: &'static str,
    pace: Pace,
}

/// A running service. It ends when it is dropped, or gracefully with [`Service::drain`].
pub struct Service {
    running: Running,
    directory: Directory,
}

impl Setup {
    /// A service that trusts what `config` says beside the addresses and certificates.
    ///
    /// It fetches keys as often as tokens ask for it, waits for them as long as it takes, and looks
    /// at files all the time.
    pub fn new(config: Value) -> Self {
        Self::of(configuration(config).to_string())
    }

    /// A service of this configuration file, all of it, at that pace.
    pub fn of(config: String) -> Self {
        let mut pace = Pace::default();
        pace.keys.cooldown = Duration::from_millis(1);
        pace.keys.patience = Duration::from_secs(60);
        pace.keys.first_backoff = Duration::from_millis(10);
        pace.keys.max_backoff = Duration::from_millis(100);
        pace.files = Duration::from_millis(20);
        pace.objects = Duration::from_millis(20);
        Self { directory: Directory::new(), config, file: "countersign.yaml", pace }
    }

    /// Puts a file beside the configuration.
    pub fn with_file(self, name: &str, content: &str) -> Self {
        self.directory.write(name, content);
        self
    }

    /// Puts a symbolic link beside the configuration.
    pub fn link(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.directory.0.join(name)).unwrap();
    }

    /// Starts from this file, which is there already.
    pub fn at(mut self, file: &'static str) -> Self {
        self.file = file;
        self
    }

    /// Changes the pace in another way.
    pub fn with_pace(mut self, change: impl FnOnce(&mut Pace)) -> Self {
        change(&mut self.pace);
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Service {
        let service = self.launch().await;
        service.until_ready().await;
        service
    }

    /// Starts it.
    pub async fn launch(self) -> Service {
        logs::keep();
        self.directory.write("countersign.yaml", &self.config);
        let file = self.directory.0.join(self.file);
        let loaded = config::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
        let running = app::start(loaded, self.pace).await.unwrap();
        Service { running, directory: self.directory }
    }

    /// Writes everything, for somebody else to start: the directory and the configuration file.
    pub fn write(self) -> (Directory, PathBuf) {
        let file = self.directory.write("countersign.yaml", &self.config);
        (self.directory, file)
    }
}

impl Service {
    /// Starts a service that trusts the issuers in `jwt`, and waits until it is ready.
    pub async fn trusting(jwt: impl IntoIterator<Item = Value>) -> Self {
        Setup::new(json!({"jwt": jwt.into_iter().collect::<Vec<_>>()})).start().await
    }

    /// The address of the webhook.
    pub fn address(&self) -> SocketAddr {
        self.running.webhook
    }

    /// A connection of the API server's.
    pub async fn kube(&self) -> Kube {
        Kube::connect(self.running.webhook).await
    }

    /// A connection of somebody's.
    pub async fn connect(&self, caller: Caller, protocol: Protocol) -> Result<Kube, String> {
        Kube::connect_as(self.running.webhook, caller, protocol).await
    }

    /// Replaces a file in the way that editors and Kubernetes do: whole.
    pub fn write(&self, name: &str, content: &str) {
        self.directory.write(name, content);
    }

    /// Replaces the configuration by what `config` says beside the addresses and certificates.
    pub fn reconfigure(&self, config: Value) {
        self.write("countersign.yaml", &configuration(config).to_string());
    }

    /// Has it look at its files.
    pub fn look(&self) {
        self.running.look();
    }

    /// Removes a file beside the configuration.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.directory.0.join(name)).unwrap();
    }

    /// The path of a file beside the configuration.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path(name)
    }

    /// Where the admin listener is.
    pub fn admin_address(&self) -> SocketAddr {
        self.running.admin
    }

    /// What the admin listener says at `path`.
    pub async fn admin(&self, path: &str) -> (u16, String) {
        get(self.running.admin, path).await.unwrap()
    }

    /// Waits until `/readyz` is green.
    pub async fn until_ready(&self) {
        until("/readyz is green", async || self.admin("/readyz").await.0 == 200).await;
    }

    /// The metrics as they are now.
    pub async fn metrics(&self) -> Scrape {
        Scrape::read(&self.admin("/metrics").await.1)
    }

    /// The sum of some series of a metric.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.metrics().await.sum(name, labels)
    }

    /// Waits until a metric reaches a value.
    pub async fn until_metric(&self, name: &str, labels: &[(&str, &str)], at_least: f64) {
        let what = format!("{name}{labels:?} is {at_least}");
        until(&what, async || self.metric(name, labels).await >= at_least).await;
    }

    /// Begins to end it.
    pub fn drain(&self) {
        self.running.drain();
    }

    /// Waits until it has ended.
    pub async fn ended(self) {
        within(self.running.ended()).await.expect("it never ended");
    }
}

/// Asks a plain HTTP listener for `path`.
///
/// # Errors
///
/// Says why there was no answer.
pub async fn get(address: SocketAddr, path: &str) -> Result<(u16, String), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let socket = TcpStream::connect(address).await.map_err(|error| words(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(|error| words(&error))?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "admin").body(Empty::<Bytes>::new()).unwrap();
    let response = within(sender.send_request(request)).await.expect("no answer came");
    let (head, body) = response.map_err(|error| words(&error))?.into_parts();
    let body = body.collect().await.map_err(|error| words(&error))?.to_bytes();
    Ok((head.status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
}

/// The configuration that says `over` beside addresses and certificates.
pub fn configuration(over: Value) -> Value {
    let mut config = json!({
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Configuration",
        "apiAudiences": [API],
        "listen": {
            "address": "127.0.0.1:0",
            "certificateFile": "tls.crt",
            "privateKeyFile": "tls.key",
            "clientCAFile": "client-ca.crt",
        },
        "admin": {"address": "127.0.0.1:0"},
        "limits": {"requestTimeout": "1m"},
    });
    lay(&mut config, over);
    config
}

/// A directory with the certificates of a service, removed in the end.
pub struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("countersign-{}-{}", std::process::id(), unique("it"));
        let directory = Self(std::env::temp_dir().join(name));
        fs::create_dir(&directory.0).unwrap();
        let leaf = pki::SERVERS.server();
        directory.write("tls.crt", &leaf.certificate);
        directory.write("tls.key", &leaf.key);
        directory.write("client-ca.crt", &pki::CLIENTS.pem);
        directory
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file whole: nobody sees half of it.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        let new = path.with_file_name(format!(".{}.new", path.file_name().unwrap().display()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&new, content).unwrap();
        fs::rename(&new, &path).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
