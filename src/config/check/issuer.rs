//! `jwt[].issuer`, and with it the entry of `jwt`.

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use crate::authn::{AudienceScope, JwtSettings};
use crate::document::{Entry, Report, nearest};
use crate::fetch::{CertificateAuthority, CertificateAuthorityError};
use crate::keys::{Location, Source};
use crate::token::{Algorithm, Jwks};

use super::super::file::{Issuer, Jwt, Schema};
use super::super::files::Files;
use super::url::{self, Query};
use super::{claims, distinct, lasting, set, unset};

/// Beyond this it is not the clock that is wrong.
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(10);

/// One entry of `jwt`, in upstream's order.
pub fn check(
    jwt: Jwt,
    api_audiences: &[String],
    authorities: &mut HashSet<CertificateAuthority>,
    files: &mut Files,
    report: &Report,
) -> Option<JwtSettings> {
    let issuer = jwt.issuer;
    let place = place(&issuer, jwt.schema);
    let url = issuer_url(&issuer, report);
    let location = location(&issuer, url.as_deref(), files, report);
    let audiences = audiences(&issuer, report);
    let certificate_authority = certificate_authority(&issuer, authorities, files, report);
    egress(&issuer, report);
    let scope = audience_scope(&issuer.audience_scope, report);
    if let (Some(audiences), Some(AudienceScope::ApiServer)) = (&audiences, scope) {
        shared(audiences, api_audiences, &issuer, jwt.schema, report);
    }
    let signing_algorithms = signing_algorithms(&issuer.signing_algorithms, report);
    let skew = Duration::ZERO..=MAX_CLOCK_SKEW;
    let clock_skew = lasting(issuer.clock_skew, Duration::ZERO, skew, report);
    let max_token_lifetime = issuer.max_token_lifetime.or(Duration::ZERO);
    let allow_reserved = allow_reserved(issuer.allow_reserved, report);
    let mut context = claims::Context::new(jwt.schema, allow_reserved.unwrap_or(true), report);
    let claim_rules = context.claim_rules(&jwt.claim_rules);
    let claim_mapping = context.mapping(&jwt.username, &jwt.groups, &jwt.uid, &jwt.extra);
    let user_rules = context.user_rules(&jwt.user_rules);
    Some(JwtSettings {
        place,
        source: Source {
            issuer: url?,
            location: location?,
            certificate_authority: certificate_authority?,
        },
        audiences: audiences?,
        audience_scope: scope?,
        signing_algorithms: signing_algorithms?,
        clock_skew: clock_skew?,
        max_token_lifetime: max_token_lifetime?,
        allow_reserved: allow_reserved?,
        claim_mapping: claim_mapping?,
        claim_rules: claim_rules?,
        user_rules: user_rules?,
    })
}

fn place(issuer: &Issuer, schema: Schema) -> String {
    let entry = issuer.url.place.path().trim_end_matches(".issuer.url");
    match schema {
        Schema::Ours => entry.to_owned(),
        Schema::Upstream => format!("{entry} in authenticationConfigurationFile"),
    }
}

fn allow_reserved(entry: Entry<bool>, report: &Report) -> Option<bool> {
    if entry.value() == Some(&true) {
        let text = "whoever controls this issuer can name any user and group of Kubernetes' own, \
                    system:masters among them";
        report.warning(&entry.place, text);
    }
    entry.or(false)
}

/// Warns where a token for something else opens the API server.
fn shared(
    audiences: &[String],
    api_audiences: &[String],
    issuer: &Issuer,
    schema: Schema,
    report: &Report,
) {
    let others = audiences.iter().filter(|audience| !api_audiences.contains(audience));
    let others = others.map(|audience| format!("{audience:?}")).collect::<Vec<_>>();
    if others.len() < 2 {
        return;
    }
    let remedy = match schema {
        Schema::Ours => "audienceScope: Token lets each open only what it is for",
        Schema::Upstream => "list only audiences that are the API server's alone",
    };
    let others = others.join(" or ");
    let text =
        format!("a token for {others} opens the API server, whatever else it is for: {remedy}");
    report.warning(&issuer.audiences.place, text);
}

fn issuer_url(issuer: &Issuer, report: &Report) -> Option<String> {
    if unset(&issuer.url) {
        report.problem(&issuer.url.place, "Required value");
        return None;
    }
    good(&issuer.url, Query::Forbidden, report).map(str::to_owned)
}

/// The URL at `entry`, if nothing is wrong with it.
pub(super) fn good<'e>(entry: &'e Entry<String>, query: Query, report: &Report) -> Option<&'e str> {
    let text = entry.value()?;
    let mistakes = url::mistakes(text, query);
    for mistake in &mistakes {
        report.problem(&entry.place, mistake);
    }
    mistakes.is_empty().then_some(text)
}

/// Where the keys come from: at most one of three fields, else discovery at the issuer.
fn location(
    issuer: &Issuer,
    url: Option<&str>,
    files: &Files,
    report: &Report,
) -> Option<Location> {
    let ways = [
        ("discoveryURL", &issuer.discovery_url),
        ("jwksURL", &issuer.jwks_url),
        ("jwksFile", &issuer.jwks_file),
    ];
    let mut given = ways.into_iter().filter(|(_, entry)| set(entry).is_some());
    let (first, rest) = (given.next(), given);
    if let Some((name, _)) = first {
        for (_, entry) in rest {
            report.problem(&entry.place, format!("may not be specified when {name} is set"));
        }
    }
    match first {
        None if ways.iter().all(|(_, entry)| unset(entry)) => {
            // As go-oidc: one slash is trimmed, not all.
            let url = url?;
            let base = url.strip_suffix('/').unwrap_or(url);
            let url = format!("{base}/.well-known/openid-configuration");
            fetchable(&url, &issuer.url, report).map(|url| Location::Discovery { url })
        }
        None => None,
        Some(("jwksFile", entry)) => {
            let named = files.read(entry, report)?;
            has_keys(&named.bytes, entry, report).then_some(Location::File { path: named.path })
        }
        Some(("jwksURL", entry)) => {
            let url = good(entry, Query::Allowed, report)?;
            fetchable(url, entry, report).map(|url| Location::Jwks { url })
        }
        Some((_, entry)) => discovery(entry, issuer, report),
    }
}

/// Whether `jwksFile` is a key set, and at least one of its keys can be used.
fn has_keys(bytes: &[u8], entry: &Entry<String>, report: &Report) -> bool {
    let (keys, skipped) = match Jwks::parse(bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            report.problem(&entry.place, format!("{error}{cause}"));
            return false;
        }
    };
    for key in &skipped {
        if keys.is_empty() {
            report.problem(&entry.place, key.to_string());
        } else {
            report.warning(&entry.place, key.to_string());
        }
    }
    if keys.is_empty() && skipped.is_empty() {
        report.problem(&entry.place, "the key set is empty");
    }
    !keys.is_empty()
}

fn discovery(entry: &Entry<String>, issuer: &Issuer, report: &Report) -> Option<Location> {
    let trimmed = |text: &str| text.trim_end_matches('/').to_owned();
    let text = set(entry)?;
    let same = set(&issuer.url).is_some_and(|url| trimmed(url) == trimmed(text));
    if same {
        let text = format!("Invalid value: {text:?}: discoveryURL must be different from URL");
        report.problem(&entry.place, text);
    }
    let url = good(entry, Query::Forbidden, report).filter(|_| !same)?;
    fetchable(url, entry, report).map(|url| Location::Discovery { url })
}

/// What Go takes for a URL and an HTTP client here does not, such as letters beyond ASCII.
pub(super) fn fetchable(url: &str, entry: &Entry<String>, report: &Report) -> Option<String> {
    match http::Uri::try_from(url) {
        Ok(_) => Some(url.to_owned()),
        Err(error) => {
            report.problem(&entry.place, format!("Invalid value: {url:?}: {error}"));
            None
        }
    }
}

fn audiences(issuer: &Issuer, report: &Report) -> Option<Vec<String>> {
    let entry = &issuer.audiences;
    let audiences = distinct(entry, report);
    let policy = &issuer.audience_match_policy;
    match entry.value().map_or(0, Vec::len) {
        0 if audiences.is_some() => {
            let path = entry.place.path();
            let text = format!("Required value: at least one {path} is required");
            report.problem(&entry.place, text);
        }
        0 => {}
        1 => match set(policy) {
            None | Some("MatchAny") => {}
            Some(other) => report.problem(
                &policy.place,
                format!(
                    "Invalid value: {other:?}: audienceMatchPolicy must be empty or MatchAny for single \
                     audience"
                ),
            ),
        },
        _ => match policy.value().map_or("", String::as_str) {
            "MatchAny" => {}
            other => report.problem(
                &policy.place,
                format!(
                    "Invalid value: {other:?}: audienceMatchPolicy must be MatchAny for multiple \
                     audiences"
                ),
            ),
        },
    }
    audiences
}

fn audience_scope(entry: &Entry<String>, report: &Report) -> Option<AudienceScope> {
    let parse = |text: String| match text.as_str() {
        "APIServer" => Ok(AudienceScope::ApiServer),
        "Token" => Ok(AudienceScope::Token),
        _ => {
            Err(format!("Unsupported value: {text:?}: supported values: \"APIServer\", \"Token\""))
        }
    };
    entry.clone().and_then(report, parse).or(AudienceScope::ApiServer)
}

fn signing_algorithms(
    entry: &Entry<Vec<Entry<String>>>,
    report: &Report,
) -> Option<Vec<Algorithm>> {
    if entry.is_absent() {
        return Some(Algorithm::DEFAULT.to_vec());
    }
    let names = distinct(entry, report);
    if names.as_ref().is_some_and(Vec::is_empty) {
        let text = "Required value: at least one; leave the field out for upstream's nine";
        report.problem(&entry.place, text);
    }
    let items = entry.value()?.iter().filter(|item| set(item).is_some());
    let known = items.map(|item| {
        let name = set(item)?;
        let algorithm = Algorithm::from_name(name);
        if algorithm.is_none() {
            report.problem(&item.place, unsupported(name));
        }
        algorithm
    });
    let algorithms = known.collect::<Vec<_>>();
    names.and_then(|_| algorithms.into_iter().collect())
}

fn unsupported(name: &str) -> String {
    let names = || Algorithm::DEFAULT.into_iter().chain([Algorithm::EdDsa]).map(Algorithm::as_str);
    match nearest(name, names()) {
        Some(known) => format!("unsupported signing algorithm {name:?}; did you mean {known}?"),
        None => {
            let names = names().collect::<Vec<_>>().join(", ");
            format!("unsupported signing algorithm {name:?}; supported: {names}")
        }
    }
}

/// PEM certificates from the one field or the other; neither: the system's. Those that are among the
/// good `authorities` already are not read again.
fn certificate_authority(
    issuer: &Issuer,
    authorities: &mut HashSet<CertificateAuthority>,
    files: &mut Files,
    report: &Report,
) -> Option<Option<CertificateAuthority>> {
    let (inline, file) = (&issuer.certificate_authority, &issuer.certificate_authority_file);
    if set(inline).is_some() && !file.is_absent() {
        report.problem(&file.place, "may not be specified when certificateAuthority is set");
        return None;
    }
    let covered;
    let (pem, entry) = if file.is_absent() {
        match set(inline) {
            Some(pem) => (pem, inline),
            // Empty is absent; a value of the wrong type is neither.
            None => return unset(inline).then_some(None),
        }
    } else {
        let named = files.read(file, report)?;
        covered = files.cover(named);
        // What is not text is not PEM either.
        (std::str::from_utf8(&covered).unwrap_or_default(), file)
    };
    if let Some(known) = authorities.get(pem) {
        return Some(Some(known.clone()));
    }
    // The very thing that will be trusted says whether it can.
    let detail = match CertificateAuthority::parse(pem) {
        Ok(authority) => {
            authorities.insert(authority.clone());
            return Some(Some(authority));
        }
        Err(CertificateAuthorityError::Empty) => {
            "data does not contain any valid RSA or ECDSA certificates".to_owned()
        }
        Err(error) => error.to_string(),
    };
    report.problem(&entry.place, format!("Invalid value: \"<omitted>\": {detail}"));
    None
}

fn egress(issuer: &Issuer, report: &Report) {
    let entry = &issuer.egress_selector_type;
    match set(entry) {
        None => {}
        Some("controlplane" | "cluster") => {
            let text = "has no meaning here: only kube-apiserver has egress selectors; to reach the issuer \
                        through a proxy, set HTTPS_PROXY";
            report.warning(&entry.place, text);
        }
        Some(other) => report.problem(
            &entry.place,
            format!(
                "Invalid value: {other:?}: egress selector must be either controlplane or cluster"
            ),
        ),
    }
}
