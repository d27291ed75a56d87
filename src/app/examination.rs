//! One token, judged as a server of the configuration would judge it, without one.
//!
//! What judges is what [`start`](super::start) would build; nothing listens, nothing is remembered, and
//! of the issuers only the one is asked for its keys whose token it says it is.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::JoinSet;

use crate::authn::token_file::TokenFileAuthenticator;
use crate::authn::{Answer, Chain, Reviews, ServiceAccountAuthenticator, Surface};
use crate::config::Config;
use crate::keys::Health;
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::token::UnverifiedJwt;
use crate::transcript::{Source, Transcript};

use super::{Pace, StartError, open_issuers, reload, token_issuer};

/// How a token was judged.
pub struct Examination {
    /// What the API server would be told.
    pub answer: Answer,
    /// Why it is not authenticated; absent if it is.
    pub reason: Option<&'static str>,
    /// What was checked, by whom.
    pub sources: Vec<Source>,
    /// How the keys are of the issuer that was asked, unless it is the embedded one.
    pub keys: Option<Health>,
    /// When it was judged.
    pub now: SystemTime,
}

/// Judges `token` for `audiences` (none: `apiAudiences`), as for an API server at the webhook. The
/// keys that it needs have been fetched, or could not be, before it is judged.
///
/// # Errors
///
/// What can still be wrong after the configuration was checked: a file that changed meanwhile.
pub async fn examine(
    config: Config,
    pace: Pace,
    token: Secret,
    audiences: &[String],
) -> Result<Examination, StartError> {
    let Config { mut authn, server, service_account_issuer, .. } = config;
    let issuer = UnverifiedJwt::parse(token.expose()).map(|jwt| jwt.issuer().to_owned());
    authn.jwt.retain(|settings| Some(&settings.source.issuer) == issuer.as_ref());

    let metrics = Arc::new(Metrics::new()?);
    let mut background = JoinSet::new();
    let api_audiences: Arc<[String]> = authn.api_audiences.clone().into();
    let token_file = match &authn.token_file {
        None => None,
        Some(settings) => {
            let file = reload::token_file(settings, pace.files, &metrics, &mut background)?;
            Some(TokenFileAuthenticator::new(settings, file, api_audiences.clone()))
        }
    };
    let (mut authenticators, issuers) =
        open_issuers(&authn, &server.limits, &pace, &api_audiences, &metrics)?;
    if let Some(settings) = &service_account_issuer {
        let issuer = token_issuer::open(settings, &pace, &metrics, &mut background)?;
        let authenticator = ServiceAccountAuthenticator::new(settings, issuer, api_audiences);
        authenticators.push((authenticator.name().clone(), Box::new(authenticator)));
    }
    let chain = Chain::new(token_file, authenticators, &metrics);
    let reviews = Reviews::new(chain, &authn, config.cache, 1, metrics);

    for issuer in &issuers {
        issuer.keys.tried().await;
    }
    let (transcript, now) = (Transcript::on(), SystemTime::now());
    let examined = reviews.examine(token, audiences, Surface::Webhook, &transcript).await;
    let (answer, reason) = examined;
    let keys = issuers.first().map(|issuer| issuer.keys.health());
    Ok(Examination { answer, reason, sources: transcript.read(), keys, now })
}
