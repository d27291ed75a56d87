//! Everything that is to be said about one token, in the words of its output: what `--output json`
//! prints, and `text` lays out.
//!
//! Whatever a claim says has been taken out of it, unless it was asked for.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::app::Examination;
use crate::authn::NEWER_KEYS;
use crate::claims::{Claims, JsonObject};
use crate::config::Config;
use crate::metrics;
use crate::secret::Secret;
use crate::token::UnverifiedJwt;
use crate::transcript::{self, Outcome, Part};

use super::nearest::{Nearest, nearest};
use super::place::Place;
use super::remedy::{Scene, remedy};
use super::server::Server;
use super::words::{Voice, printable, rfc3339};

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

/// What a token says of itself. Nothing of it is proven.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Token {
    /// Why it is no JWT of anybody; absent if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_a_jwt: Option<String>,
    /// What people do to tokens on their way, if it looks like that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oddity: Option<&'static str>,
    pub(super) algorithm: Option<String>,
    #[serde(rename = "keyID")]
    pub(super) key_id: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) issued_at: Option<Instant>,
    pub(super) not_before: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
    pub(super) claims: Vec<Claim>,
}

#[derive(Serialize)]
pub(super) struct Instant {
    pub(super) time: String,
    /// From now, in words.
    pub(super) distance: String,
}

#[derive(Serialize)]
pub(super) struct Claim {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// If it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
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
        let told = sources.iter().map(|source| {
            let place = Place::of(config, &source.name);
            let keys = keys.as_ref().filter(|_| matches!(place, Place::Jwt(_)));
            let keys = keys.map(|health| Keys {
                held: health.keys,
                error: health.error.as_deref().map(printable),
            });
            let checks = source.checks.iter().map(|check| Check::new(check, &place, &voice));
            let mut checks: Vec<_> = checks.collect();
            if let (Some(check), Some(error)) = (
                checks.iter_mut().find(|it| it.check == NEWER_KEYS),
                keys.as_ref().and_then(|it| it.error.as_ref()),
            ) {
                // In the words for operators instead of those for callers.
                check.found.clone_from(error);
            }
            Source { name: printable(&source.name), place: place.entry().to_owned(), keys, checks }
        });
        let mut report = Self {
            token: Token::new(token.expose(), &voice),
            sources: told.collect(),
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

/// `outcome` of a check that failed.
pub(super) const FAILED: &str = "failed";

/// Every issuer that could be meant, and where its URL is configured.
fn issuers(config: &Config) -> impl Iterator<Item = (&str, String)> {
    let jwt = config.authn.jwt.iter().map(|settings| settings.source.issuer.as_str());
    let own = config.service_account_issuer.iter().map(|settings| settings.url.as_str());
    jwt.chain(own).map(|issuer| (issuer, Place::of(config, issuer).field("issuer.url")))
}

impl Token {
    fn new(token: &str, voice: &Voice) -> Self {
        let oddity = oddity(token);
        let jwt = match UnverifiedJwt::read(token) {
            Ok(jwt) => jwt,
            Err(flaw) => {
                return Self { not_a_jwt: Some(flaw.to_string()), oddity, ..Self::default() };
            }
        };
        let payload = jwt.unverified_claims();
        let instant = |what, time: Option<crate::claims::NumericDate>| {
            let time = time?.into();
            let distance = voice.instant(what, time);
            let distance = distance.split_once(", ").map_or("", |(_, distance)| distance);
            Some(Instant { time: rfc3339(time), distance: distance.to_owned() })
        };
        // They are typed as if they were proven, and nothing is concluded from them.
        let claims = Claims::parse(Arc::clone(payload)).ok();
        let claims = claims.as_ref();
        let header = jwt.unverified_header();
        let of_header = |name| {
            let value = header.as_ref()?.get(name)?.string()?;
            Some(printable(&value)).filter(|value| !value.is_empty())
        };
        Self {
            not_a_jwt: None,
            oddity,
            algorithm: of_header("alg"),
            key_id: of_header("kid"),
            issuer: Some(printable(jwt.issuer())),
            audiences: claims
                .map_or(&[][..], Claims::audiences)
                .iter()
                .map(|it| printable(it))
                .collect(),
            issued_at: instant("iat", claims.and_then(Claims::issued_at)),
            not_before: instant("nbf", claims.and_then(Claims::not_before)),
            expires_at: instant("exp", claims.and_then(Claims::expires_at)),
            claims: Claim::all(payload, voice.shows_claims),
        }
    }
}

fn oddity(token: &str) -> Option<&'static str> {
    if token.is_empty() {
        Some("it is empty")
    } else if token.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        Some("it begins with \"Bearer \": the token is what comes after that")
    } else if token.contains(char::is_whitespace) {
        Some("it has white space in it, or more than one line")
    } else if token.matches('.').count() == 4 {
        Some("it has five parts: it is encrypted (a JWE), and only whom it is for can read it")
    } else {
        None
    }
}

/// Where a token may have other tokens: they are shown to nobody.
const CLAIM_SOURCES: &str = "_claim_sources";

impl Claim {
    fn all(payload: &JsonObject, show: bool) -> Vec<Self> {
        let claim = |(name, value): (&str, crate::claims::Value<'_>)| {
            let shown = show && !name.eq_ignore_ascii_case(CLAIM_SOURCES);
            let value_of = |json| serde_json::from_str(json).ok();
            Self {
                name: printable(name),
                kind: value.kind(),
                value: if shown { value_of(value.json()) } else { None },
            }
        };
        payload.members().map(claim).collect()
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
            of: if check.aside { "distributedClaim" } else { "token" },
        }
    }
}

/// Takes what claims say out of a status.
struct Veil {
    /// Whether there is anything to take out.
    is_on: bool,
    /// Whether what a rule says is made of claims.
    message: bool,
    /// What stands for the username, if more is known than that it is a string.
    username: Option<String>,
}

impl Veil {
    fn over(sources: &[transcript::Source], show_claims: bool) -> Self {
        let voice = Voice { now: std::time::SystemTime::UNIX_EPOCH, shows_claims: false };
        let last = sources.last();
        let checks = || last.iter().flat_map(|source| &source.checks);
        let is_said = |check: &transcript::Check| {
            check.found.0.iter().any(|part| matches!(part, Part::Said { .. }))
        };
        Self {
            // Users of the token file are those of a file, and not of a claim.
            is_on: !show_claims && last.is_some_and(|it| it.name != crate::authn::token_file::NAME),
            message: checks().any(|check| check.what == "message" && is_said(check)),
            username: checks()
                .find(|check| check.what == "username")
                .map(|check| voice.say(&check.found)),
        }
    }

    /// For a status of which nobody knows what it is made of.
    fn over_all(show_claims: bool) -> Self {
        Self { is_on: !show_claims, message: true, username: None }
    }

    fn veiled(&self, mut status: Value) -> Value {
        if !self.is_on {
            return status;
        }
        if let Some(user) = status.get_mut("user") {
            veil_strings(user);
            if let (Some(name), Some(veiled)) = (user.get_mut("username"), &self.username) {
                *name = veiled.as_str().into();
            }
        }
        if self.message
            && let Some(Value::String(error)) = status.get_mut("error")
        {
            // Behind this phrase comes what the expression says.
            const PHRASE: &str = "ValidationRules: ";
            if let Some(at) = error.find(PHRASE) {
                error.truncate(at + PHRASE.len());
                error.push_str("<string>");
            }
        }
        status
    }
}

fn veil_strings(value: &mut Value) {
    match value {
        Value::String(text) => "<string>".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(veil_strings),
        Value::Object(members) => members.values_mut().for_each(veil_strings),
        _ => {}
    }
}
