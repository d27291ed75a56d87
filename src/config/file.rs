//! The configuration as it is written: every field, and where it stands.
//!
//! Reading finds what is unknown, double or of the wrong type. Whether the values are right, and what
//! stands in for those that are missing, is for [`check`](super::check) to say.

mod api;
mod authentication;
mod jwt;

use std::net::SocketAddr;
use std::time::Duration;

use crate::document::{Cursor, Document, Entry, Fields, Report};

use super::units::{address, bytes, count, duration};

pub use api::{Caller, ServiceAccountIssuer};
pub use authentication::{Anonymous, AuthenticationFile};
pub use jwt::{Extra, Issuer, Jwt, Mapping, Rule, Schema, UserRule};

/// The kind of configuration that this file describes.
pub const KIND: &str = "Configuration";
/// The version of [`KIND`].
pub const API_VERSION: &str = "countersign.dev/v1alpha1";

/// The top level.
pub struct File {
    /// What the API server calls itself, `--api-audiences`. Required.
    pub api_audiences: Entry<Vec<Entry<String>>>,
    /// The HTTPS listener.
    pub listen: Listen,
    /// The plain HTTP listener of probes and metrics.
    pub admin: Admin,
    /// The caches of answers.
    pub cache: Cache,
    /// What the HTTPS listener takes on.
    pub limits: Limits,
    /// When the process is ready.
    pub readiness: Readiness,
    /// How long keys are used, and where they are kept.
    pub keys: Keys,
    /// The trusted issuers. Default: none.
    pub jwt: Entry<Vec<Jwt>>,
    /// The API server's own file, whose issuers are trusted beside those. Default: none.
    pub authentication_configuration_file: Entry<String>,
    /// Tokens in a file. Default: none.
    pub token_file: Option<TokenFile>,
    /// The issuers of the API servers that ask here. Default: none is known.
    pub api_server_issuers: Entry<Vec<Entry<String>>>,
    /// The embedded issuer. Default: none.
    pub service_account_issuer: Option<ServiceAccountIssuer>,
    /// Who may use the API endpoints. Default: nobody.
    pub callers: Entry<Vec<Caller>>,
}

/// `listen`.
pub struct Listen {
    /// Default: `127.0.0.1:8443`.
    pub address: Entry<SocketAddr>,
    /// Default: `tls.crt`.
    pub certificate_file: Entry<String>,
    /// Default: `tls.key`.
    pub private_key_file: Entry<String>,
    /// Default: none, and no client certificates.
    pub client_ca_file: Entry<String>,
    /// Default, with a client CA: `[kube-apiserver]`.
    pub client_names: Entry<Vec<Entry<String>>>,
    /// Default: `false`.
    pub allow_unauthenticated_webhook: Entry<bool>,
}

/// `admin`.
pub struct Admin {
    /// Default: `127.0.0.1:9443`.
    pub address: Entry<SocketAddr>,
    /// Default: none.
    pub socket: Entry<String>,
}

/// `cache`.
pub struct Cache {
    /// Default: `2m`.
    pub authenticated_ttl: Entry<Duration>,
    /// Default: `30s`; 0 turns negative caching off.
    pub rejected_ttl: Entry<Duration>,
    /// Default: `64Mi`.
    pub max_bytes: Entry<u64>,
    /// Default: `8Mi`.
    pub rejected_max_bytes: Entry<u64>,
}

/// `limits`.
pub struct Limits {
    /// Default: 4096.
    pub max_connections: Entry<u64>,
    /// Default: `5m`.
    pub max_connection_age: Entry<Duration>,
    /// Default: 1024.
    pub max_requests_in_flight: Entry<u64>,
    /// Default: `3Mi`.
    pub max_body_bytes: Entry<u64>,
    /// Default: `64Ki`.
    pub max_token_bytes: Entry<u64>,
    /// Default: `10s`.
    pub request_timeout: Entry<Duration>,
    /// Default: `10s`.
    pub handshake_timeout: Entry<Duration>,
    /// Default: `25s`.
    pub shutdown_timeout: Entry<Duration>,
}

/// `readiness`.
pub struct Readiness {
    /// Default: `Tried`.
    pub require_issuers: Entry<String>,
}

/// `keys`.
pub struct Keys {
    /// Default: 0, the last good keys serve for ever.
    pub max_stale: Entry<Duration>,
    /// Default: none.
    pub cache_dir: Entry<String>,
}

/// `tokenFile`.
pub struct TokenFile {
    /// Required.
    pub path: Entry<String>,
    /// Default: `false`.
    pub allow_reserved: Entry<bool>,
}

/// What the design has for a later version. Named, so that nobody searches for a typing mistake.
const LATER: &[&str] = &["clusters", "denyList", "introspection"];

impl File {
    /// Reads the document, unless it is of another kind: then that is the one problem.
    pub fn read(document: &Document, report: &Report) -> Option<Self> {
        let mut top = document.cursor(report).object();
        let (version, kind) = (top.take("apiVersion").string(), top.take("kind").string());
        is_ours(&version, &kind, report).then_some(())?;
        let file = Self {
            api_audiences: strings(top.take("apiAudiences")),
            listen: Listen::read(top.take("listen").object()),
            admin: Admin::read(top.take("admin").object()),
            cache: Cache::read(top.take("cache").object()),
            limits: Limits::read(top.take("limits").object()),
            readiness: Readiness::read(top.take("readiness").object()),
            keys: Keys::read(top.take("keys").object()),
            jwt: list(top.take("jwt"), |cursor| Jwt::read(cursor, Schema::Ours)),
            authentication_configuration_file: top.take("authenticationConfigurationFile").string(),
            token_file: TokenFile::read(top.take("tokenFile")),
            api_server_issuers: strings(top.take("apiServerIssuers")),
            service_account_issuer: ServiceAccountIssuer::read(top.take("serviceAccountIssuer")),
            callers: list(top.take("callers"), Caller::read),
        };
        top.finish(LATER);
        Some(file)
    }
}

/// Whether `apiVersion` and `kind` are ours.
fn is_ours(version: &Entry<String>, kind: &Entry<String>, report: &Report) -> bool {
    if kind.value().is_some_and(|kind| kind == authentication::KIND) {
        let text = format!(
            "an {} is not served by itself: write a {KIND} of {API_VERSION} that names this file in \
             authenticationConfigurationFile",
            authentication::KIND
        );
        report.problem(&kind.place, text);
        return false;
    }
    let version = is_one_of(version, &[API_VERSION], report);
    is_one_of(kind, &[KIND], report) && version
}

/// Whether the entry has one of these values. If not, that is a problem.
fn is_one_of(entry: &Entry<String>, wanted: &[&str], report: &Report) -> bool {
    match entry.value() {
        Some(found) if wanted.contains(&found.as_str()) => return true,
        Some(found) => {
            let wanted = wanted.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>();
            let wanted = wanted.join(", ");
            let text = format!("Unsupported value: {found:?}: supported values: {wanted}");
            report.problem(&entry.place, text);
        }
        None if entry.is_absent() => {
            let text = format!("Required value: must be {}", wanted.join(" or "));
            report.problem(&entry.place, text);
        }
        None => {}
    }
    false
}

impl Listen {
    fn read(mut fields: Fields<'_>) -> Self {
        let listen = Self {
            address: address(fields.take("address")),
            certificate_file: fields.take("certificateFile").string(),
            private_key_file: fields.take("privateKeyFile").string(),
            client_ca_file: fields.take("clientCAFile").string(),
            client_names: strings(fields.take("clientNames")),
            allow_unauthenticated_webhook: fields.take("allowUnauthenticatedWebhook").boolean(),
        };
        fields.finish(&[]);
        listen
    }
}

impl Admin {
    fn read(mut fields: Fields<'_>) -> Self {
        let admin = Self {
            address: address(fields.take("address")),
            socket: fields.take("socket").string(),
        };
        fields.finish(&[]);
        admin
    }
}

impl Cache {
    fn read(mut fields: Fields<'_>) -> Self {
        let cache = Self {
            authenticated_ttl: duration(fields.take("authenticatedTTL")),
            rejected_ttl: duration(fields.take("rejectedTTL")),
            max_bytes: bytes(fields.take("maxBytes")),
            rejected_max_bytes: bytes(fields.take("rejectedMaxBytes")),
        };
        fields.finish(&[]);
        cache
    }
}

impl Limits {
    fn read(mut fields: Fields<'_>) -> Self {
        let limits = Self {
            max_connections: count(fields.take("maxConnections")),
            max_connection_age: duration(fields.take("maxConnectionAge")),
            max_requests_in_flight: count(fields.take("maxRequestsInFlight")),
            max_body_bytes: bytes(fields.take("maxBodyBytes")),
            max_token_bytes: bytes(fields.take("maxTokenBytes")),
            request_timeout: duration(fields.take("requestTimeout")),
            handshake_timeout: duration(fields.take("handshakeTimeout")),
            shutdown_timeout: duration(fields.take("shutdownTimeout")),
        };
        fields.finish(&[]);
        limits
    }
}

impl Readiness {
    fn read(mut fields: Fields<'_>) -> Self {
        let readiness = Self { require_issuers: fields.take("requireIssuers").string() };
        fields.finish(&[]);
        readiness
    }
}

impl Keys {
    fn read(mut fields: Fields<'_>) -> Self {
        let keys = Self {
            max_stale: duration(fields.take("maxStale")),
            cache_dir: fields.take("cacheDir").string(),
        };
        fields.finish(&[]);
        keys
    }
}

impl TokenFile {
    fn read(cursor: Cursor<'_>) -> Option<Self> {
        let mut fields = cursor.object();
        let file = Self {
            path: fields.take("path").string(),
            allow_reserved: fields.take("allowReserved").boolean(),
        };
        let written = !fields.is_absent();
        fields.finish(&[]);
        written.then_some(file)
    }
}

fn strings(cursor: Cursor<'_>) -> Entry<Vec<Entry<String>>> {
    list(cursor, Cursor::string)
}

fn list<'a, T>(cursor: Cursor<'a>, read: impl Fn(Cursor<'a>) -> T) -> Entry<Vec<T>> {
    cursor.list().map(|items| items.into_iter().map(read).collect())
}
