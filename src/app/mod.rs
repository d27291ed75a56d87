//! The composition root: builds every floor from its settings, connects, serves and drains.
//!
//! Nothing is a static: everything is made once, in [`start`], and handed down.

mod examination;
mod files;
mod generation;
mod ground;
mod issuer_health;
mod notices;
mod readiness;
mod reload;
mod remedy;
mod token_issuer;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;

use crate::authn::token_file::TokenFileError;
use crate::config::Loaded;
use crate::filewatch::{DirectoryError, FileError, Hurry};
use crate::issuer::{ManifestError, SigningKeysLoadError};
use crate::keys;
use crate::lifecycle::{Drain, caught};
use crate::live::Live;
use crate::metrics::{Metrics, RegistrationError};
use crate::resources::{Admin, Checks};
use crate::server::{self, Bound, Listener, TlsError};

use files::TlsFiles;
use generation::{Current, Generation, forget_departed};
use ground::Ground;
use readiness::Readiness;
use reload::{Reload, describe};

pub use examination::{Examination, examine};

/// The setting that says where the admin listener is.
const ADMIN: &str = "admin.address";

/// Every interval of the process. No file sets them: the default is production's, for which a test
/// over real sockets may not have the patience.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Those of the key sets.
    pub keys: keys::Pace,
    /// How often the configuration and the files that it names are looked at. Default 2 s.
    pub files: Duration,
    /// How often manifests are looked at: an object that is gone must be noticed within a second.
    /// Default 500 ms.
    pub objects: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            keys: keys::Pace::default(),
            files: Duration::from_secs(2),
            objects: Duration::from_millis(500),
        }
    }
}

/// Why the process cannot start although its configuration is good.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two metrics have one name.
    #[error("the metrics could not be registered: {0}")]
    Metrics(#[from] RegistrationError),
    /// There are no threads to judge tokens on.
    #[error(
        "no threads to judge tokens on: {0}: allow the process more of them (the pids limit of the \
         container, TasksMax=, ulimit -u)"
    )]
    Judges(#[source] io::Error),
    /// The serving certificate, its key or the client CA has changed since it was checked.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or not ours.
    #[error("{setting}: cannot listen on {address}: {source}: {}", remedy::address(*address, source))]
    Listen {
        /// Which setting says so.
        setting: &'static str,
        /// `listen.address` or `admin.address`.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The unix socket cannot be made.
    #[error("admin.socket: cannot listen on {}: {source}: {}", path.display(), remedy::socket(source))]
    Socket {
        /// `admin.socket`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The token file is gone since it was checked.
    #[error("tokenFile: {0}")]
    File(#[from] FileError),
    /// The token file has changed since it was checked.
    #[error("tokenFile: {0}")]
    TokenFile(#[from] TokenFileError),
    /// A signing key has changed since it was checked.
    #[error("serviceAccountIssuer.signingKeyFiles: {0}")]
    SigningKeys(#[from] SigningKeysLoadError),
    /// The manifests are gone since they were checked.
    #[error("serviceAccountIssuer.objectsDir: {0}")]
    Objects(#[from] DirectoryError),
    /// A manifest has changed since it was checked.
    #[error("serviceAccountIssuer.objectsDir: {0}")]
    Manifest(#[from] ManifestError),
}

/// A started process. Dropping it ends everything at once; [`drain`](Self::drain) does not.
pub struct Running {
    /// Where the HTTPS listener is, or will be once every issuer has been tried.
    pub webhook: SocketAddr,
    /// Where the admin listener is.
    pub admin: SocketAddr,
    hurry: Hurry,
    readiness: Readiness,
    metrics: Arc<Metrics>,
    drain: Drain,
    serving: JoinSet<()>,
    _background: JoinSet<()>,
    /// The admin listener outlives the reviews: until the end it says that we are not ready.
    _admin: JoinSet<()>,
}

impl Running {
    /// Looks at every file at once, and not when its time has come.
    pub fn look(&self) {
        self.hurry.now();
    }

    /// Waits until reviews are answered.
    pub async fn serves(&self) {
        self.readiness.serves().await;
    }

    /// Whether reviews are answered.
    pub fn is_serving(&self) -> bool {
        self.readiness.is_serving()
    }

    /// How it goes, and what it waits for, in a few words.
    pub fn status(&self) -> String {
        self.readiness.checks().into_iter().next().map(|check| check.detail).unwrap_or_default()
    }

    /// What counts a panic.
    pub fn panics(&self) -> impl Fn() + Send + Sync + 'static {
        let metrics = self.metrics.clone();
        move || metrics.panics.inc()
    }

    /// Begins the end: not ready, GOAWAY on every connection, what is in flight is answered.
    pub fn drain(&self) {
        tracing::info!("draining");
        self.drain.begin();
    }

    /// Waits until the last connection has ended, `limits.shutdownTimeout` after the drain began at
    /// most.
    pub async fn ended(mut self) {
        while self.serving.join_next().await.is_some() {}
        tracing::info!("ended");
    }
}

/// Starts to serve a configuration: probes at once, reviews as soon as its issuers are as it requires.
/// Until then nobody listens on the webhook's port, so that a process which was there before keeps it.
///
/// # Errors
///
/// What can still be wrong after the configuration was checked: an address that is taken, a file
/// that changed meanwhile.
pub async fn start(loaded: Loaded, pace: Pace) -> Result<Running, StartError> {
    let Loaded { config, file, watches, .. } = loaded;
    let metrics = Arc::new(Metrics::new()?);
    metrics.config_loaded(&config.hash, SystemTime::now());
    let (tls_watches, tls) = TlsFiles::read(&config.server)?;
    let webhook = bind("listen.address", config.server.address)?;
    let admin = bind(ADMIN, config.admin)?;
    let hurry = Hurry::default();
    let ground = Arc::new(Ground::new(
        webhook.address(),
        config.keys.clone(),
        metrics.clone(),
        &pace,
        &hurry,
    )?);
    let (tls, limits) = (Live::new(tls), Live::new(config.server.limits.clone()));
    let tls_files = TlsFiles::follow(&config.server, tls_watches, &tls, &ground);
    let admin_socket = config.admin_socket.clone();
    let generation = Live::new(Generation::build(config, None, &ground)?);
    forget_departed(&generation.get());
    let drain = Drain::default();
    let readiness = Readiness::new(generation.clone(), ground.notices.clone(), drain.clone());
    let mut running = Running {
        webhook: webhook.address(),
        admin: admin.address(),
        hurry,
        readiness: readiness.clone(),
        metrics: metrics.clone(),
        drain: drain.clone(),
        serving: JoinSet::new(),
        _background: JoinSet::new(),
        _admin: JoinSet::new(),
    };

    let probes = Arc::new(Admin::new(readiness.clone(), metrics.clone()));
    let mut serve_probes = |listener| {
        let (limits, drain) = (limits.clone(), Drain::default());
        running._admin.spawn(server::serve_plain(listener, limits, probes.clone(), drain));
    };
    serve_probes(listen(admin)?);
    if let Some(path) = admin_socket {
        let listener = Listener::at(&path);
        serve_probes(listener.map_err(|source| StartError::Socket { path, source })?);
    }
    tracing::info!(admin.addr = %running.admin, version = env!("CARGO_PKG_VERSION"), "started");

    let handler = Current(generation.clone());
    let in_force = describe(&generation.get(), &generation.get().config.hash);
    let reload = Reload {
        notice: ground.notices.open("configuration", file.display(), in_force),
        file,
        ground,
        generation,
        limits: limits.clone(),
        tls: tls.clone(),
        tls_files,
    };
    running._background.spawn(reload.run(watches));
    running.serving.spawn(async move {
        let address = webhook.address();
        let listening = async {
            readiness.issuers_are_as_required().await;
            webhook.listen_when_possible().await
        };
        let mut listener = tokio::select! {
            () = drain.begun() => return,
            listener = listening => listener,
        };
        readiness.listens();
        let (issuers, dark) = readiness.issuers_and_dark();
        tracing::info!(webhook.addr = %address, issuers, dark, "serving");
        let serve = |listener| {
            let (tls, limits, handler) = (tls.clone(), limits.clone(), handler.clone());
            server::serve(listener, tls, limits, handler, metrics.clone(), drain.clone())
        };
        // A panic in there is a bug as elsewhere: whoever comes next is served again.
        while caught(serve(listener)).await.is_err() {
            listener = webhook.listen_when_possible().await;
        }
    });
    Ok(running)
}

fn bind(setting: &'static str, address: SocketAddr) -> Result<Bound, StartError> {
    Bound::to(address).map_err(|source| StartError::Listen { setting, address, source })
}

fn listen(bound: Bound) -> Result<Listener, StartError> {
    let address = bound.address();
    bound.listen().map_err(|source| StartError::Listen { setting: ADMIN, address, source })
}
