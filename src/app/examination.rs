//! One token, judged as a server of the configuration would judge it, without one.
//!
//! What judges is what [`start`](super::start) would build; nothing listens, nothing is remembered, and
//! of the issuers only the one is asked for its keys whose token it says it is.

use std::sync::Arc;
use std::time::SystemTime;

use crate::api::webhook;
use crate::authn::{Answer, Surface};
use crate::config::Config;
use crate::filewatch::Hurry;
use crate::keys::{self, Health};
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::token::UnverifiedJwt;
use crate::transcript::{Source, Transcript};

use super::generation::Generation;
use super::ground::Ground;
use super::{Pace, StartError, readiness};

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
    let mut config = config;
    let issuer = UnverifiedJwt::parse(token.expose()).map(|jwt| jwt.issuer().to_owned());
    config.authn.jwt.retain(|settings| Some(&settings.source.issuer) == issuer.as_ref());
    let (webhook, metrics) = (config.server.address, Arc::new(Metrics::new()?));
    // Keys that a server has kept on disk are its own.
    let keys = keys::Settings { cache_dir: None, ..config.keys.clone() };
    let ground = Ground::new(webhook, keys, metrics, &pace, &Hurry::default())?;
    let Generation { issuers, reviews, .. } = &Generation::build(config, None, &ground)?;

    readiness::tried(issuers).await;
    let (transcript, now) = (Transcript::on(), SystemTime::now());
    let examined = reviews
        .examine(token, audiences, Surface::Webhook(webhook::Version::V1), &transcript)
        .await;
    let (answer, reason) = examined;
    let keys = issuers.first().map(|issuer| issuer.keys.health());
    Ok(Examination { answer, reason, sources: transcript.read(), keys, now })
}
