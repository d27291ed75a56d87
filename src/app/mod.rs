//! The composition root: builds every floor from its settings, connects, serves and drains.
//!
//! Nothing is a static: everything is made once, in [`start`], and handed down.

mod readiness;
mod reload;
mod remedy;
mod token_issuer;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::authn::token_file::{TokenFileAuthenticator, TokenFileError};
use crate::authn::{
    self, Authenticator, Chain, DistributedClaims, JwtAuthenticator, Reviews,
    ServiceAccountAuthenticator, Workers,
};
use crate::config::Config;
use crate::fetch::{CertificateAuthorityError, Network};
use crate::filewatch::{DirectoryError, FileError};
use crate::issuer::{ManifestError, SigningKeysLoadError};
use crate::keys::{self, ForeignKeys};
use crate::lifecycle::{Drain, caught};
use crate::metrics::{Metrics, RegistrationError};
use crate::resources::{
    Admin, ApiDiscovery, Callers, Checks, IssuerDiscovery, Pool, Router, TokenRequests,
    TokenReviews, Webhook,
};
use crate::server::{self, Bound, Limits, Listener, TlsError};

use readiness::{Issuer, Readiness};

/// One issuer's keys may be waited for by this part of the requests in flight; as many for a signature
/// of ours, and for large bodies to be read.
const SHARE_OF_ONE_ISSUER: usize = 4;

/// The setting that says where the admin listener is.
const ADMIN: &str = "admin.address";

/// Every interval of the process. No file sets them: the default is production's, for which a test
/// over real sockets may not have the patience.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Those of the key sets.
    pub keys: keys::Pace,
    /// How often the token file, the signing keys and the files of TLS are looked at. Default 2 s.
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
    /// An issuer's CA has changed since it was checked.
    #[error("{issuer}: {source}")]
    CertificateAuthority {
        /// `issuer.url`.
        issuer: String,
        /// What is wrong with it.
        source: CertificateAuthorityError,
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
    readiness: Readiness,
    metrics: Arc<Metrics>,
    drain: Drain,
    /// Whether the webhook listens.
    listens: watch::Receiver<bool>,
    serving: JoinSet<()>,
    _background: JoinSet<()>,
    /// The admin listener outlives the reviews: until the end it says that we are not ready.
    _admin: JoinSet<()>,
}

impl Running {
    /// Waits until reviews are answered.
    pub async fn serves(&self) {
        if self.listens.clone().wait_for(|listens| *listens).await.is_err() {
            // It ended before it began.
            std::future::pending().await
        }
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

/// Starts to serve `config`: probes at once, reviews as soon as every issuer has been tried. Until
/// then nobody listens on the webhook's port, so that a process which was there before keeps it.
///
/// # Errors
///
/// What can still be wrong after the configuration was checked: an address that is taken, a file
/// that changed meanwhile.
pub async fn start(config: Config, pace: Pace) -> Result<Running, StartError> {
    let metrics = Arc::new(Metrics::new()?);
    metrics.config_loaded(&config.hash, SystemTime::now());
    let mut background = JoinSet::new();
    let tls = reload::tls(&config.server, pace.files, &metrics, &mut background)?;
    let webhook = bind("listen.address", config.server.address)?;
    let admin = bind(ADMIN, config.admin)?;
    let Config { server, client_names, admin_socket, authn, cache, .. } = config;
    let Config { service_account_issuer, callers, .. } = config;
    let limits = server.limits;
    let api_audiences: Arc<[String]> = authn.api_audiences.clone().into();
    let token_file = match &authn.token_file {
        None => None,
        Some(settings) => {
            let file = reload::token_file(settings, pace.files, &metrics, &mut background)?;
            Some(TokenFileAuthenticator::new(settings, file, api_audiences.clone()))
        }
    };
    let (mut authenticators, issuers) =
        open_issuers(&authn, &limits, &pace, &api_audiences, &metrics)?;
    let mut token_issuer = None;
    if let Some(settings) = &service_account_issuer {
        let issuer = token_issuer::open(settings, &pace, &metrics, &mut background)?;
        let audiences = api_audiences.clone();
        let authenticator = ServiceAccountAuthenticator::new(settings, issuer.clone(), audiences);
        authenticators.push((authenticator.name().clone(), Box::new(authenticator)));
        token_issuer = Some(issuer);
    }
    let chain = Chain::new(token_file, authenticators, &metrics);
    let reviews = Arc::new(Reviews::new(
        chain,
        &authn,
        cache,
        // Twice what may be in flight: a load goes on although its caller has hung up.
        limits.max_requests_in_flight * 2,
        metrics.clone(),
    ));

    let share = (limits.max_requests_in_flight / SHARE_OF_ONE_ISSUER).max(1);
    let router = Arc::new(Router {
        webhook: Webhook::new(reviews.clone(), client_names, metrics.clone()),
        callers: Callers::new(callers, reviews.clone(), metrics.clone()),
        token_reviews: TokenReviews::new(reviews.clone(), metrics.clone()),
        discovery: ApiDiscovery::new(webhook.address(), token_issuer.is_some()),
        issuer: token_issuer.map(|issuer| {
            let requests = TokenRequests::new(issuer.clone(), &authn, share, metrics.clone());
            (requests, IssuerDiscovery::new(issuer))
        }),
        reading: Pool::new(share, metrics.clone()),
        metrics: metrics.clone(),
    });
    let drain = Drain::default();
    let readiness = Readiness::new(issuers, drain.clone());
    let (listens, listening) = watch::channel(false);
    let mut running = Running {
        webhook: webhook.address(),
        admin: admin.address(),
        readiness: readiness.clone(),
        metrics: metrics.clone(),
        drain: drain.clone(),
        listens: listening,
        serving: JoinSet::new(),
        _background: background,
        _admin: JoinSet::new(),
    };
    let probes = Arc::new(Admin::new(readiness.clone(), reviews, metrics.clone()));
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

    running.serving.spawn(async move {
        let address = webhook.address();
        let listening = async {
            readiness.issuers_tried().await;
            webhook.listen_when_possible().await
        };
        let mut listener = tokio::select! {
            () = drain.begun() => return,
            listener = listening => listener,
        };
        readiness.listens();
        listens.send_replace(true);
        let (issuers, dark) = readiness.issuers_and_dark();
        tracing::info!(webhook.addr = %address, issuers, dark, "serving");
        let serve = |listener| {
            let (limits, router) = (limits.clone(), router.clone());
            server::serve(listener, tls.clone(), limits, router, metrics.clone(), drain.clone())
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

/// What judges an issuer's tokens, under the issuer's name.
type NamedAuthenticator = (Arc<str>, Box<dyn Authenticator>);

/// An authenticator for each issuer, and its keys for the readiness.
fn open_issuers(
    authn: &authn::Settings,
    limits: &Limits,
    pace: &Pace,
    api_audiences: &Arc<[String]>,
    metrics: &Arc<Metrics>,
) -> Result<(Vec<NamedAuthenticator>, Vec<Issuer>), StartError> {
    let (network, workers) = (Network::of_this_machine(), Workers::of_this_machine());
    let max_waiters = (limits.max_requests_in_flight / SHARE_OF_ONE_ISSUER).max(1);
    let mut authenticators: Vec<NamedAuthenticator> = Vec::with_capacity(authn.jwt.len());
    let mut issuers = Vec::with_capacity(authn.jwt.len());
    for settings in &authn.jwt {
        let source = &settings.source;
        let fetcher =
            network.fetcher(source.certificate_authority.as_deref()).map_err(|error| {
                StartError::CertificateAuthority { issuer: source.issuer.clone(), source: error }
            })?;
        let keys = keys::open(source, fetcher.clone(), pace.keys, max_waiters, metrics.clone());
        issuers.push(Issuer { url: source.issuer.clone(), keys: keys.clone() });
        // Only groups may be kept elsewhere, as a claim.
        let distributed = settings.claim_mapping.groups_claim().is_some().then(|| {
            let foreign = ForeignKeys::new(fetcher.clone(), pace.keys, max_waiters);
            let (verifier, keys) = (settings.verifier(), keys.clone());
            let timeout = authn.review_timeout;
            DistributedClaims::new(verifier, keys, foreign, fetcher, max_waiters, timeout)
        });
        let authenticator = JwtAuthenticator::new(
            settings.clone(),
            keys,
            distributed,
            api_audiences.clone(),
            authn.review_timeout,
            &workers,
        );
        authenticators.push((authenticator.issuer().clone(), Box::new(authenticator)));
    }
    Ok((authenticators, issuers))
}
