//! From a file as it is written to settings that cannot be wrong.
//!
//! Every check reports what it finds and gives `None` then; the caller goes on with the next one, and
//! only the whole needs all parts. Problems with upstream's fields are worded as in Kubernetes.

mod callers;
mod claims;
mod extra_key;
mod issuer;
mod keys;
mod listen;
mod names;
mod service_account_issuer;
mod trust;
mod url;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::authn::{self, CacheSettings, JwtSettings, TokenFileSettings};
use crate::document::{Entry, Place, Report};

use super::file::{Anonymous, AuthenticationFile, Cache, File, TokenFile};
use super::files::Files;
use super::units;
use super::{Config, RequireIssuers};

use self::trust::{Trust, Whose};

/// Durations that a mistyped unit would leave.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(10);
/// From nothing to what nobody means to wait for.
const TTL: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);
/// What a process may hold.
const BYTES: RangeInclusive<u64> = 1..=1 << 40;

/// Checks all of it, with what `authenticationConfigurationFile` holds and the report on that.
pub fn config(
    file: File,
    upstream: Option<(AuthenticationFile, &Report)>,
    files: &mut Files,
    report: &Report,
) -> Option<Config> {
    let audiences = api_audiences(&file.api_audiences, report);
    let client_names = listen::client_names(&file.listen, report);
    let admin_place = file.admin.address.place.clone();
    let admin_socket = listen::socket(file.admin.socket, files, report);
    let admin = file.admin.address.or(SocketAddr::from(([127, 0, 0, 1], 9443)));
    let max_token_bytes = size(file.limits.max_token_bytes.clone(), 64 << 10, report);
    let server = listen::check(file.listen, file.limits, files, report);
    let cache = cache(file.cache, report);
    let require_issuers = require_issuers(file.readiness.require_issuers, report);
    let keys = keys::check(file.keys, files, report);
    let has_issuer = file.service_account_issuer.is_some();
    let has_file = !file.authentication_configuration_file.is_absent();
    let foreign = distinct(&file.api_server_issuers, report);
    let mut trust = Trust::new(
        audiences.as_deref().unwrap_or_default(),
        foreign.as_deref().unwrap_or_default(),
    );
    let jwt_place = file.jwt.place.clone();
    let jwt = trust.issuers(file.jwt, Whose::Jwt, files, report);
    // A file that cannot be read is a mistake already.
    let upstream = match upstream {
        Some((upstream, report)) => {
            anonymous(upstream.anonymous.as_ref(), report);
            trust.issuers(upstream.jwt, Whose::File, files, report)
        }
        None => (!has_file).then(Vec::new),
    };
    let jwt = jwt.zip(upstream).map(|(ours, theirs)| [ours, theirs].concat());
    if jwt.as_ref().is_some_and(Vec::is_empty) && file.token_file.is_none() && !has_issuer {
        let text = "neither jwt nor tokenFile nor serviceAccountIssuer: no token is anybody's";
        report.warning(&jwt_place, text);
    }
    let service_account_issuer = match file.service_account_issuer {
        None => Some(None),
        Some(written) => {
            let place = written.url.place.clone();
            trust.issuer(&written.url, Whose::ServiceAccountIssuer, report);
            let issuer = service_account_issuer::check(written, files, report);
            if let Some(issuer) = &issuer {
                trust.service_accounts(issuer, &place, report);
            }
            issuer.map(Some)
        }
    };
    let callers = callers::check(file.callers, has_issuer, report);
    let token_file = token_file(file.token_file, &mut trust, files, report);
    trust.warn_of_equal_names();
    if let (Some(server), Some(admin)) = (&server, admin) {
        apart(server.address, admin, &admin_place, report);
    }
    let server = server?;
    Some(Config {
        client_names: client_names?,
        admin: admin?,
        admin_socket: admin_socket?,
        authn: authn::Settings {
            api_audiences: audiences?,
            token_file: token_file?,
            jwt: jwt?,
            max_token_bytes: max_token_bytes?,
            review_timeout: review_timeout(server.limits.request_timeout),
        },
        cache: cache?,
        keys: keys?,
        service_account_issuer: service_account_issuer?,
        callers: callers?,
        hash: files.hash_of_all(),
        require_issuers: require_issuers?,
        server,
    })
}

fn api_audiences(entry: &Entry<Vec<Entry<String>>>, report: &Report) -> Option<Vec<String>> {
    let audiences = distinct(entry, report);
    if audiences.as_ref().is_some_and(Vec::is_empty) {
        let text = "Required value: what the API server calls itself (its --api-audiences)";
        report.problem(&entry.place, text);
    }
    audiences
}

/// Checks an `AuthenticationConfiguration` by itself.
pub fn authentication(
    file: AuthenticationFile,
    files: &mut Files,
    report: &Report,
) -> Option<Vec<JwtSettings>> {
    if file.jwt.value().is_none_or(Vec::is_empty) {
        report.warning(&file.jwt.place, "no issuer: no token is anybody's");
    }
    anonymous(file.anonymous.as_ref(), report);
    let mut trust = Trust::new(&[], &[]);
    let issuers = trust.issuers(file.jwt, Whose::Jwt, files, report);
    trust.warn_of_equal_names();
    issuers
}

/// `anonymous`: upstream's rule, and why it says nothing to us.
fn anonymous(anonymous: Option<&Anonymous>, report: &Report) {
    let Some(anonymous) = anonymous else { return };
    let conditions = anonymous.conditions.value().map_or(&[][..], Vec::as_slice);
    let disabled = anonymous.enabled.is_absent() || anonymous.enabled.value() == Some(&false);
    if disabled && !conditions.is_empty() {
        let shown = conditions.iter().map(|path| {
            let path = path.value().map_or("", String::as_str);
            format!("{{\"Path\":{path:?}}}")
        });
        let text = format!(
            "Invalid value: [{}]: enabled should be set to true when conditions are defined",
            shown.collect::<Vec<_>>().join(",")
        );
        report.problem(&anonymous.conditions.place, text);
    }
    let text = "has no meaning here: a request without a token never comes to a webhook, only the API \
                server can say what is to become of it";
    report.warning(&anonymous.place, text);
}

fn token_file<'r>(
    file: Option<TokenFile>,
    trust: &mut Trust<'r>,
    files: &Files,
    report: &'r Report,
) -> Option<Option<TokenFileSettings>> {
    let Some(file) = file else { return Some(None) };
    if file.path.is_absent() {
        report.problem(&file.path.place, "Required value: the path of a file");
    }
    let named = files.read(&file.path, report);
    let allow_reserved = file.allow_reserved.or(false);
    match named.as_ref().map(|named| authn::token_file::TokenFile::parse(&named.bytes)) {
        Some(Ok(tokens)) => {
            let reserved = allow_reserved == Some(true);
            trust.token_file(tokens.usernames(), reserved, &file.path.place, report);
        }
        Some(Err(error)) => report.problem(&file.path.place, error.to_string()),
        None => {}
    }
    Some(Some(TokenFileSettings { path: named?.path, allow_reserved: allow_reserved? }))
}

fn cache(cache: Cache, report: &Report) -> Option<CacheSettings> {
    let authenticated = lasting(cache.authenticated_ttl, Duration::from_mins(2), TTL, report);
    let rejected = lasting(cache.rejected_ttl, Duration::from_secs(30), TTL, report);
    let max_bytes = within(cache.max_bytes, BYTES, u64::to_string, report).or(64 << 20);
    let rejected_max_bytes =
        within(cache.rejected_max_bytes, BYTES, u64::to_string, report).or(8 << 20);
    Some(CacheSettings {
        authenticated_ttl: authenticated?,
        rejected_ttl: rejected?,
        max_bytes: max_bytes?,
        rejected_max_bytes: rejected_max_bytes?,
    })
}

fn require_issuers(entry: Entry<String>, report: &Report) -> Option<RequireIssuers> {
    let known = entry.and_then(report, |word| {
        RequireIssuers::ALL.into_iter().find(|known| known.as_str() == word).ok_or_else(|| {
            let words = RequireIssuers::ALL.map(|known| format!("{:?}", known.as_str()));
            format!("Unsupported value: {word:?}: supported values: {}", words.join(", "))
        })
    });
    known.or(RequireIssuers::Tried)
}

/// A tenth of the request's time, a second at most, is left to say that the review took too long.
fn review_timeout(request_timeout: Duration) -> Duration {
    request_timeout - (request_timeout / 10).min(Duration::from_secs(1))
}

/// Both listeners share their ports with whoever comes next (SO_REUSEPORT), so the system would let
/// them take each other's connections.
fn apart(webhook: SocketAddr, admin: SocketAddr, place: &Place, report: &Report) {
    let (one, other) = (webhook.ip().to_canonical(), admin.ip().to_canonical());
    let overlap = one == other || one.is_unspecified() || other.is_unspecified();
    if overlap && webhook.port() == admin.port() && admin.port() != 0 {
        let text = format!("Invalid value: \"{admin}\": listen.address ({webhook}) has that port");
        report.problem(place, text);
    }
}

/// A list of strings, none empty and none twice; absent is empty.
fn distinct(entry: &Entry<Vec<Entry<String>>>, report: &Report) -> Option<Vec<String>> {
    let Some(items) = entry.value() else { return entry.is_absent().then(Vec::new) };
    let mut seen = HashSet::new();
    for item in items {
        if item.value().is_some_and(String::is_empty) {
            report.problem(&item.place, "Required value");
        } else {
            once(item, &mut seen, report);
        }
    }
    items.iter().map(|item| item.value().cloned()).collect()
}

/// Whether a value was not `seen` before, and a complaint if it was; empty is unset.
fn once(entry: &Entry<String>, seen: &mut HashSet<String>, report: &Report) -> bool {
    let Some(value) = set(entry) else { return true };
    let is_new = seen.insert(value.to_owned());
    if !is_new {
        report.problem(&entry.place, format!("Duplicate value: {value:?}"));
    }
    is_new
}

/// The value, unless it is empty: upstream tells no difference between that and absent.
fn set(entry: &Entry<String>) -> Option<&str> {
    entry.value().map(String::as_str).filter(|value| !value.is_empty())
}

/// Whether nothing, or nothing but an empty string, is written: not so after a problem.
fn unset(entry: &Entry<String>) -> bool {
    entry.is_absent() || entry.value().is_some_and(String::is_empty)
}

/// A duration within a range.
fn lasting(
    entry: Entry<Duration>,
    default: Duration,
    range: RangeInclusive<Duration>,
    report: &Report,
) -> Option<Duration> {
    within(entry, range, units::written, report).or(default)
}

/// A number of bytes that is held in memory at once.
fn size(entry: Entry<u64>, default: u64, report: &Report) -> Option<usize> {
    number(entry, default, 1 << 30, report)
}

/// A number of at least one.
fn number(entry: Entry<u64>, default: u64, most: u64, report: &Report) -> Option<usize> {
    let number = within(entry, 1..=most, u64::to_string, report).or(default);
    // The bound lies within every usize there is.
    number.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

fn within<T: PartialOrd>(
    entry: Entry<T>,
    range: RangeInclusive<T>,
    show: fn(&T) -> String,
    report: &Report,
) -> Entry<T> {
    entry.and_then(report, |value| {
        if range.contains(&value) {
            return Ok(value);
        }
        let [value, low, high] = [&value, range.start(), range.end()].map(show);
        Err(format!("Invalid value: {value}: must be from {low} to {high}"))
    })
}
