//! The composition root: builds every floor from its settings, connects, serves and drains.
//!
//! Nothing is a static: everything is made once, in [`start`], and handed down.

mod readiness;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;

use crate::authn::token_file::{TokenFile, TokenFileAuthenticator, TokenFileError};
use crate::authn::{self, Chain, JwtAuthenticator, Reviews};
use crate::config::Config;
use crate::fetch::{CertificateAuthorityError, Network};
use crate::filewatch::{FileError, FileWatch};
use crate::keys;
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::metrics::{Metrics, RegistrationError};
use crate::resources::{Admin, Router, Webhook};
use crate::server::{self, Limits, Listener, Tls, TlsError};

use readiness::{Issuer, Readiness};

/// One issuer's keys may be waited for by this part of the requests in flight.
const SHARE_OF_ONE_ISSUER: usize = 4;

/// Every interval of the process. No file sets them: the default is production's, for which a test
/// over real sockets may not have the patience.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Those of the key sets.
    pub keys: keys::Pace,
    /// How often the token file is looked at. Default 2 s.
    pub files: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { keys: keys::Pace::default(), files: Duration::from_secs(2) }
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
}

/// A started process. Dropping it ends everything at once; [`drain`](Self::drain) does not.
pub struct Running {
    /// Where the HTTPS listener is.
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

/// Starts serving `config`. Ready is what `/readyz` says, once every issuer has been tried.
///
/// # Errors
///
/// What can still be wrong after the configuration was checked: an address that is taken, a file
/// that changed meanwhile.
pub async fn start(config: Config, pace: Pace) -> Result<Running, StartError> {
    let metrics = Arc::new(Metrics::new()?);
    metrics.config_loaded(&config.hash, SystemTime::now());
    let tls = Tls::load(&config.server)?;
    for (file, at) in tls.expiries() {
        metrics.certificate_expires(&file.to_string_lossy(), *at);
    }
    let webhook = listen(config.server.address)?;
    let admin = listen(config.admin)?;
    let mut running = Running {
        webhook: webhook.local_addr(),
        admin: admin.local_addr(),
        drain: Drain::default(),
        serving: JoinSet::new(),
        _background: JoinSet::new(),
        _admin: JoinSet::new(),
    };

    let Config { server, client_names, authn, cache, .. } = config;
    let limits = server.limits;
    let api_audiences: Arc<[String]> = authn.api_audiences.clone().into();
    let token_file = match &authn.token_file {
        None => None,
        Some(settings) => {
            let file = watch_token_file(settings, &pace, &metrics, &mut running._background)?;
            Some(TokenFileAuthenticator::new(settings, file, api_audiences.clone()))
        }
    };
    let (jwt, issuers) = open_issuers(&authn, &limits, &pace, &api_audiences, &metrics)?;
    let chain = Chain::new(token_file, jwt, &metrics);
    let reviews = Arc::new(Reviews::new(
        chain,
        &authn,
        cache,
        // Twice what may be in flight: a load goes on although its caller has hung up.
        limits.max_requests_in_flight * 2,
        metrics.clone(),
    ));

    let router =
        Router::new(Webhook::new(reviews.clone(), client_names, metrics.clone()), metrics.clone());
    running.serving.spawn(server::serve(
        webhook,
        Live::new(tls),
        limits.clone(),
        router,
        metrics.clone(),
        running.drain.clone(),
    ));
    let readiness = Readiness::new(issuers, running.drain.clone());
    running._background.spawn(readiness.clone().log_when_ready());
    let probes = Admin::new(readiness, reviews, metrics);
    running._admin.spawn(server::serve_plain(admin, limits, probes, Drain::default()));
    tracing::info!(
        webhook.addr = %running.webhook,
        admin.addr = %running.admin,
        version = env!("CARGO_PKG_VERSION"),
        "serving"
    );
    Ok(running)
}

fn listen(address: SocketAddr) -> Result<Listener, StartError> {
    Listener::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// An authenticator for each issuer, and its keys for the readiness.
fn open_issuers(
    authn: &authn::Settings,
    limits: &Limits,
    pace: &Pace,
    api_audiences: &Arc<[String]>,
    metrics: &Arc<Metrics>,
) -> Result<(Vec<JwtAuthenticator>, Vec<Issuer>), StartError> {
    let network = Network::of_this_machine();
    let max_waiters = (limits.max_requests_in_flight / SHARE_OF_ONE_ISSUER).max(1);
    let mut authenticators = Vec::with_capacity(authn.jwt.len());
    let mut issuers = Vec::with_capacity(authn.jwt.len());
    for settings in &authn.jwt {
        let source = &settings.source;
        let keys = keys::open(source, &network, pace.keys, max_waiters, metrics.clone()).map_err(
            |error| StartError::CertificateAuthority {
                issuer: source.issuer.clone(),
                source: error,
            },
        )?;
        issuers.push(Issuer { url: source.issuer.clone(), keys: keys.clone() });
        authenticators.push(JwtAuthenticator::new(
            settings.clone(),
            keys,
            api_audiences.clone(),
            authn.review_timeout,
        ));
    }
    Ok((authenticators, issuers))
}

/// Publishes the token file, and again whenever it changes. A file that is wrong changes nothing.
fn watch_token_file(
    settings: &authn::TokenFileSettings,
    pace: &Pace,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Live<TokenFile>, StartError> {
    let (mut watch, content) = FileWatch::open(&settings.path);
    let published = Live::new(TokenFile::parse(&content?)?);
    let (live, metrics, interval) = (published.clone(), metrics.clone(), pace.files);
    let file = settings.path.display().to_string();
    background.spawn(async move {
        loop {
            let content = watch.changed(interval).await.map_err(StartError::File);
            match content.and_then(|content| Ok(TokenFile::parse(&content)?)) {
                Ok(tokens) => {
                    tracing::info!(file, tokens = tokens.len(), "the token file has changed");
                    metrics.config_reloaded(true);
                    live.publish(tokens);
                }
                Err(error) => {
                    tracing::error!(file, %error, "the token file is wrong; the last good one stays");
                    metrics.config_reloaded(false);
                }
            }
        }
    });
    Ok(published)
}
