//! Everything that is to be said about one token, in the words of its output: what `--output json`
//! prints, and `text` lays out.
//!
//! Whatever a claim says has been taken out of it, unless it was asked for.

use serde::Serialize;
use serde_json::Value;

use crate::app::Examination;
use crate::authn::NEWER_KEYS;
use crate::config::Config;
use crate::keys::Health;
use crate::metrics;
use crate::secret::Secret;
use crate::transcript::{self, Outcome};

use super::nearest::{Nearest, nearest};
use super::place::Place;
use super::remedy::{Scene, remedy};
use super::server::Server;
use super::unproven::Token;
use super::veil::Veil;
use super::words::{Voice, printable};

/// What was asked.
pub(super) struct Question<'a> {
    pub(super) config: &'a Config,
    pub(super) token: &'a Secret,
    pub(super) show_claims: bool,
}

/// The whole of it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) token: Token,
    /// Those that were asked, in order; the last one decided.
    pub(super) sources: Vec<Source>,
    /// If no configured issuer claims the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nearest: Option<Nearest>,
    pub(super) answer: Answer,
    /// What to change where; absent if the token is authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server: Option<Server>,
}

/// One that was asked about the token.
#[derive(Serialize)]
pub(super) struct Source {
    pub(super) name: String,
    /// Its entry in the configuration.
    pub(super) place: String,
    /// How its keys are, if they have to be got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<Keys>,
    pub(super) checks: Vec<Check>,
}

#[derive(Serialize)]
pub(super) struct Keys {
    pub(super) held: usize,
    /// Why they could not be got, and what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Check {
    pub(super) check: &'static str,
    /// Where the configuration asks for it; empty if it does not.
    pub(super) field: String,
    /// `passed`, `failed` or `noted`.
    pub(super) outcome: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
    /// What is checked: `token`, or `distributedClaim`.
    pub(super) of: &'static str,
}

/// What an API server would get.
#[derive(Default, Serialize)]
pub(super) struct Answer {
    /// `authenticated`, `no_opinion`, `rejected` or `unavailable`.
    pub(super) result: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) http: u16,
    /// `status` of the TokenReview.
    pub(super) status: Value,
}

impl Report {
    pub(super) fn new(
        question: &Question<'_>,
        examination: &Examination,
        server: Option<Server>,
    ) -> Self {
        let &Question { config, token, show_claims } = question;
        let Examination { answer, reason, sources, keys, now } = examination;
        let voice = Voice { now: *now, shows_claims: show_claims };
        let status: Value = serde_json::from_slice(&answer.status).unwrap_or_default();
        let server = server.map(|server| server.compared_with(&status, config, *now));
        let veil = Veil::over(sources, show_claims);
        let mut report = Self {
            token: Token::new(token.expose(), &voice),
            sources: sources
                .iter()
                .map(|source| Source::new(source, config, keys.as_ref(), &voice))
                .collect(),
            nearest: None,
            answer: Answer {
                result: answer.outcome.as_str(),
                reason: *reason,
                http: 200,
                status: veil.veiled(status),
            },
            remedy: None,
            server: server.map(|server| {
                // The same is told in the same words; of anything else nobody here knows what it is made of.
                let veil = if server.agrees() { veil } else { Veil::over_all(show_claims) };
                server.map_status(|status| veil.veiled(status))
            }),
        };
        if let (metrics::Outcome::NoOpinion, Some(issuer)) = (answer.outcome, &report.token.issuer)
        {
            report.nearest = nearest(issuer, issuers(config));
        }
        report.remedy = reason.and_then(|reason| {
            let place = sources.last().map(|source| Place::of(config, &source.name));
            let (report, max_token_bytes) = (&report, config.authn.max_token_bytes);
            let has_token_file = config.authn.token_file.is_some();
            remedy(reason, &Scene { report, place, max_token_bytes, has_token_file })
        });
        report
    }

    /// Whether everybody who was asked takes the token.
    pub(super) fn is_authenticated(&self) -> bool {
        self.answer.reason.is_none() && self.server.as_ref().is_none_or(Server::agrees)
    }

    /// The check that decided against the token.
    pub(super) fn failed(&self) -> Option<&Check> {
        self.sources.last()?.checks.iter().find(|check| check.outcome == FAILED)
    }
}

/// `of` of a check of the token itself.
pub(super) const TOKEN: &str = "token";
/// `outcome` of a check that failed.
pub(super) const FAILED: &str = "failed";

/// Every issuer that could be meant, and where its URL is configured.
fn issuers(config: &Config) -> impl Iterator<Item = (&str, String)> {
    let jwt = config.authn.jwt.iter().map(|settings| {
        (settings.source.issuer.as_str(), Place::Jwt(settings.place.clone()).field("issuer.url"))
    });
    let own = config.service_account_issuer.iter();
    let own = own.map(|settings| (&*settings.url, Place::ServiceAccountIssuer.field("issuer.url")));
    jwt.chain(own)
}

impl Source {
    fn new(
        source: &transcript::Source,
        config: &Config,
        keys: Option<&Health>,
        voice: &Voice,
    ) -> Self {
        let place = Place::of(config, &source.name);
        let keys = keys.filter(|_| matches!(place, Place::Jwt(_)));
        let error = keys.and_then(|health| health.error.as_deref()).map(printable);
        let mut checks: Vec<_> =
            source.checks.iter().map(|check| Check::new(check, &place, voice)).collect();
        // In the words for operators instead of those for callers.
        let wanted = checks.iter_mut().find(|check| check.check == NEWER_KEYS);
        if let (Some(check), Some(error)) = (wanted, &error) {
            check.found.clone_from(error);
        }
        Self {
            name: printable(&source.name),
            place: place.entry().to_owned(),
            keys: keys.map(|health| Keys { held: health.keys, error }),
            checks,
        }
    }
}

impl Check {
    fn new(check: &transcript::Check, place: &Place, voice: &Voice) -> Self {
        Self {
            check: check.what,
            field: place.field(&check.place),
            outcome: match check.outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => FAILED,
                Outcome::Noted => "noted",
            },
            expected: voice.say(&check.expected),
            found: voice.say_about(check.what, &check.found),
            of: if check.aside { "distributedClaim" } else { TOKEN },
        }
    }
}
