//! The composition root: builds every floor from its settings, connects, serves and drains.
//!
//! Nothing is a static: everything is made once, in [`start`], and handed down.

mod issuer_health;
mod readiness;
mod reload;
mod token_issuer;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
use crate::lifecycle::Drain;
use crate::metrics::{Metrics, RegistrationError};
use crate::resources::{
    Admin, ApiDiscovery, Callers, IssuerDiscovery, Pool, Router, TokenRequests, TokenReviews,
    Webhook,
};
use crate::server::{self, Bound, Limits, Listener, TlsError};

use readiness::{Issuer, Readiness};

/// One issuer's keys may be waited for by this part of the requests in flight; as many for a signature
/// of ours, and for large bodies to be read.
const SHARE_OF_ONE_ISSUER: usize = 4;

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
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// `listen.address` or `admin.address`.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The unix socket cannot be made.
    #[error("cannot listen on admin.socket {}: {source}; its folder has to exist and be writable", path.display())]
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
    drain: Drain,
    serving: JoinSet<()>,
    _background: JoinSet<()>,
    /// The admin listener outlives the reviews: until the end it says that we are not ready.
    _admin: JoinSet<()>,
}

impl Running {
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
    let webhook = bind(config.server.address)?;
    let admin = bind(config.admin)?;
    let mut running = Running {
        webhook: webhook.address(),
        admin: admin.address(),
        drain: Drain::default(),
        serving: JoinSet::new(),
        _background: background,
        _admin: JoinSet::new(),
    };

    let Config { server, client_names, admin_socket, authn, cache, .. } = config;
    let Config { keys, service_account_issuer, callers, .. } = config;
    let limits = server.limits;
    let api_audiences: Arc<[String]> = authn.api_audiences.clone().into();
    let token_file = match &authn.token_file {
        None => None,
        Some(settings) => {
            let background = &mut running._background;
            let file = reload::token_file(settings, pace.files, &metrics, background)?;
            Some(TokenFileAuthenticator::new(settings, file, api_audiences.clone()))
        }
    };
    let (mut authenticators, issuers) =
        open_issuers(&authn, keys, &limits, &pace, &api_audiences, &metrics)?;
    let mut token_issuer = None;
    if let Some(settings) = &service_account_issuer {
        let background = &mut running._background;
        let issuer = token_issuer::open(settings, &pace, &metrics, background)?;
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
    let router = Router {
        webhook: Webhook::new(reviews.clone(), client_names, metrics.clone()),
        callers: Callers::new(callers, reviews.clone(), metrics.clone()),
        token_reviews: TokenReviews::new(reviews.clone(), metrics.clone()),
        discovery: ApiDiscovery::new(running.webhook, token_issuer.is_some()),
        issuer: token_issuer.map(|issuer| {
            let requests = TokenRequests::new(issuer.clone(), &authn, share, metrics.clone());
            (requests, IssuerDiscovery::new(issuer))
        }),
        reading: Pool::new(share, metrics.clone()),
        metrics: metrics.clone(),
    };
    let readiness = Readiness::new(issuers, running.drain.clone());
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

    let drain = running.drain.clone();
    running.serving.spawn(async move {
        let address = webhook.address();
        let listening = async {
            readiness.issuers_tried().await;
            webhook.listen_when_possible().await
        };
        let listener = tokio::select! {
            () = drain.begun() => return,
            listener = listening => listener,
        };
        readiness.listens();
        let (issuers, dark) = readiness.issuers_and_dark();
        tracing::info!(webhook.addr = %address, issuers, dark, "serving");
        server::serve(listener, tls, limits, router, metrics, drain).await;
    });
    Ok(running)
}

fn bind(address: SocketAddr) -> Result<Bound, StartError> {
    Bound::to(address).map_err(|source| StartError::Listen { address, source })
}

fn listen(bound: Bound) -> Result<Listener, StartError> {
    let address = bound.address();
    bound.listen().map_err(|source| StartError::Listen { address, source })
}

/// What judges an issuer's tokens, under the issuer's name.
type NamedAuthenticator = (Arc<str>, Box<dyn Authenticator>);

/// An authenticator for each issuer, and its keys for the readiness.
fn open_issuers(
    authn: &authn::Settings,
    keys: keys::Settings,
    limits: &Limits,
    pace: &Pace,
    api_audiences: &Arc<[String]>,
    metrics: &Arc<Metrics>,
) -> Result<(Vec<NamedAuthenticator>, Vec<Issuer>), StartError> {
    let (network, workers) = (Network::of_this_machine(), Workers::of_this_machine());
    keys::forget_departed(&keys, authn.jwt.iter().map(|settings| &settings.source));
    let shared = keys::Shared::new(keys);
    let max_waiters = (limits.max_requests_in_flight / SHARE_OF_ONE_ISSUER).max(1);
    let mut authenticators: Vec<NamedAuthenticator> = Vec::with_capacity(authn.jwt.len());
    let mut issuers = Vec::with_capacity(authn.jwt.len());
    for settings in &authn.jwt {
        let source = &settings.source;
        let fetcher =
            network.fetcher(source.certificate_authority.as_deref()).map_err(|error| {
                StartError::CertificateAuthority { issuer: source.issuer.clone(), source: error }
            })?;
        let (shared, pace) = (shared.clone(), pace.keys);
        let keys =
            keys::open(source, fetcher.clone(), pace, shared.clone(), max_waiters, metrics.clone());
        issuers.push(Issuer { url: source.issuer.clone(), keys: keys.clone() });
        // Only groups may be kept elsewhere, as a claim.
        let distributed = settings.claim_mapping.groups_claim().is_some().then(|| {
            let foreign = ForeignKeys::new(fetcher.clone(), pace, shared, max_waiters);
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
