//! Everything that one configuration asks for: who judges tokens, what is remembered, what is served.
//!
//! A new configuration is a new generation, built whole beside the present one and published in its
//! place. What it asks for likewise is carried over as it is: keys stay warm, and nothing is read
//! or fetched again because something else has changed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use crate::authn::token_file::{TokenFile, TokenFileAuthenticator};
use crate::authn::{
    Authenticator, Chain, DistributedClaims, JwtAuthenticator, JwtSettings, Reviews,
    ServiceAccountAuthenticator,
};
use crate::config::Config;
use crate::fetch::Fetcher;
use crate::keys::{self, ForeignKeys, IssuerKeys, Source};
use crate::live::Live;
use crate::resources::{
    ApiDiscovery, Callers, IssuerDiscovery, Pool, Router, TokenRequests, TokenReviews, Webhook,
};
use crate::server::{Handler, Peer};

use super::StartError;
use super::files::{self, Followed};
use super::ground::Ground;
use super::token_issuer::OpenIssuer;

/// One issuer's keys may be waited for by this part of the requests in flight; as many for a signature
/// of ours, and for large bodies to be read.
const SHARE_OF_ONE_ISSUER: usize = 4;

/// What is made of one configuration.
pub(super) struct Generation {
    pub(super) config: Config,
    pub(super) issuers: Vec<Issuer>,
    pub(super) reviews: Arc<Reviews>,
    token_file: Option<OpenTokenFile>,
    token_issuer: Option<Arc<OpenIssuer>>,
    router: Router,
}

/// A configured issuer and its keys.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) source: Source,
    pub(super) keys: Arc<dyn IssuerKeys>,
    fetcher: Fetcher,
}

/// A token file that is being followed.
struct OpenTokenFile {
    path: PathBuf,
    followed: Arc<Followed<TokenFile>>,
}

/// What judges an issuer's tokens, under the issuer's name.
type NamedAuthenticator = (Arc<str>, Box<dyn Authenticator>);

impl Generation {
    /// What `config` asks for, blocking, on the runtime of the caller. What `before` has of it is
    /// carried over.
    ///
    /// # Errors
    ///
    /// What can still be wrong after the configuration was checked: a file that changed meanwhile.
    pub(super) fn build(
        config: Config,
        before: Option<&Self>,
        ground: &Ground,
    ) -> Result<Self, StartError> {
        let (authn, limits) = (&config.authn, &config.server.limits);
        let api_audiences: Arc<[String]> = authn.api_audiences.clone().into();
        let share = (limits.max_requests_in_flight / SHARE_OF_ONE_ISSUER).max(1);

        let token_file = match &authn.token_file {
            None => None,
            Some(settings) => Some(OpenTokenFile::open(&settings.path, before, ground)?),
        };
        let issuers = open_issuers(&authn.jwt, share, before, ground);
        let mut authenticators = Vec::with_capacity(authn.jwt.len() + 1);
        for (settings, issuer) in authn.jwt.iter().zip(&issuers) {
            let judge = authenticator(settings, issuer, &config, &api_audiences, share, ground);
            authenticators.push(judge);
        }
        let token_issuer = match &config.service_account_issuer {
            None => None,
            Some(settings) => Some(match before.and_then(|before| before.token_issuer.as_ref()) {
                Some(open) if open.settings == *settings => open.clone(),
                _ => Arc::new(OpenIssuer::open(settings, ground)?),
            }),
        };
        if let Some(open) = &token_issuer {
            let (issuer, audiences) = (open.issuer.clone(), api_audiences.clone());
            let authenticator = ServiceAccountAuthenticator::new(&open.settings, issuer, audiences);
            authenticators.push((authenticator.name().clone(), Box::new(authenticator)));
        }

        let metrics = &ground.metrics;
        let chain = Chain::new(
            authn.token_file.as_ref().zip(token_file.as_ref()).map(|(settings, open)| {
                let tokens = open.followed.live.clone();
                TokenFileAuthenticator::new(settings, tokens, api_audiences.clone())
            }),
            authenticators,
            metrics,
        );
        let reviews = Arc::new(Reviews::new(
            chain,
            authn,
            config.cache.clone(),
            // Twice what may be in flight: a load goes on although its caller has hung up.
            limits.max_requests_in_flight * 2,
            share,
            ground.judges.clone(),
            metrics.clone(),
        ));
        let issuer = token_issuer.as_ref().map(|open| &open.issuer);
        let router = Router {
            webhook: Webhook::new(reviews.clone(), config.client_names.clone(), metrics.clone()),
            callers: Callers::new(config.callers.clone(), reviews.clone(), metrics.clone()),
            token_reviews: TokenReviews::new(reviews.clone(), metrics.clone()),
            discovery: ApiDiscovery::new(ground.webhook, issuer.is_some()),
            issuer: issuer.map(|issuer| {
                let requests = TokenRequests::new(issuer.clone(), authn, share, metrics.clone());
                (requests, IssuerDiscovery::new(issuer.clone()))
            }),
            reading: Pool::new(share, metrics.clone()),
            metrics: metrics.clone(),
        };
        Ok(Self { issuers, reviews, token_file, token_issuer, router, config })
    }
}

/// Lets go what `keys.cacheDir` has of issuers that are not in `generation`.
pub(super) fn forget_departed(generation: &Generation) {
    let sources = generation.issuers.iter().map(|issuer| &issuer.source);
    keys::forget_departed(&generation.config.keys, sources);
}

/// The keys of every issuer, those of an equal source as they are.
fn open_issuers(
    settings: &[JwtSettings],
    max_waiters: usize,
    before: Option<&Generation>,
    ground: &Ground,
) -> Vec<Issuer> {
    let open: HashMap<&str, &Issuer> = before
        .into_iter()
        .flat_map(|before| &before.issuers)
        .map(|issuer| (&*issuer.source.issuer, issuer))
        .collect();
    let sources = settings.iter().map(|settings| &settings.source);
    let issuers = sources.map(|source| match open.get(&*source.issuer) {
        Some(issuer) if issuer.source == *source => (*issuer).clone(),
        _ => Issuer::open(source, max_waiters, ground),
    });
    issuers.collect()
}

impl Issuer {
    fn open(source: &Source, max_waiters: usize, ground: &Ground) -> Self {
        let fetcher = ground.network.fetcher(source.certificate_authority.as_ref());
        let (files, shared, metrics) =
            (&ground.key_files, ground.shared.clone(), ground.metrics.clone());
        let pace = ground.keys;
        let keys = keys::open(source, fetcher.clone(), pace, files, shared, max_waiters, metrics);
        Self { source: source.clone(), keys, fetcher }
    }
}

/// What judges the tokens of one issuer of the list.
fn authenticator(
    settings: &JwtSettings,
    Issuer { keys, fetcher, .. }: &Issuer,
    config: &Config,
    api_audiences: &Arc<[String]>,
    max_waiters: usize,
    ground: &Ground,
) -> NamedAuthenticator {
    let timeout = config.authn.review_timeout;
    // Only groups may be kept elsewhere, as a claim.
    let distributed = settings.claim_mapping.groups_claim().is_some().then(|| {
        let (fetcher, shared) = (fetcher.clone(), ground.shared.clone());
        let foreign = ForeignKeys::new(fetcher.clone(), ground.keys, shared, max_waiters);
        let (verifier, keys) = (settings.verifier(), keys.clone());
        DistributedClaims::new(verifier, keys, foreign, fetcher, max_waiters, timeout)
    });
    let authenticator = JwtAuthenticator::new(
        settings.clone(),
        keys.clone(),
        distributed,
        api_audiences.clone(),
        timeout,
        &ground.workers,
    );
    (authenticator.issuer().clone(), Box::new(authenticator))
}

impl OpenTokenFile {
    fn open(
        path: &PathBuf,
        before: Option<&Generation>,
        ground: &Ground,
    ) -> Result<Self, StartError> {
        let before = before.and_then(|before| before.token_file.as_ref());
        let followed = match before {
            Some(open) if open.path == *path => open.followed.clone(),
            _ => Arc::new(files::token_file(path, ground)?),
        };
        Ok(Self { path: path.clone(), followed })
    }
}

/// Serves what the configuration in force asks for.
#[derive(Clone)]
pub(super) struct Current(pub(super) Live<Generation>);

impl Handler for Current {
    async fn handle(&self, request: &Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        // Held until it is answered: what was asked of one configuration is answered by it.
        let generation = self.0.get();
        generation.router.handle(request, peer).await
    }
}
