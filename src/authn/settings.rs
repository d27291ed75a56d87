//! What the authenticators are told by the configuration.

use std::path::PathBuf;
use std::time::Duration;

use crate::claims::{ClaimMapping, ClaimRule, UserRule};
use crate::keys::Source;
use crate::token::{Algorithm, Verifier};

/// What is trusted, in what order: the settings of the whole chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `apiAudiences`: wanted when a review names none.
    pub api_audiences: Vec<String>,
    /// `tokenFile`.
    pub token_file: Option<TokenFileSettings>,
    /// `jwt`, in the order written; issuer URLs are unique.
    pub jwt: Vec<JwtSettings>,
    /// `limits.maxTokenBytes`: a longer token is malformed.
    pub max_token_bytes: usize,
    /// How long one review may take: shorter than `limits.requestTimeout`.
    pub review_timeout: Duration,
}

/// `tokenFile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFileSettings {
    /// kube-apiserver's `--token-auth-file` format.
    pub path: PathBuf,
    /// Whether its users may be reserved identities.
    pub allow_reserved: bool,
}

/// One entry of `jwt`.
#[derive(Clone, Debug, PartialEq)]
pub struct JwtSettings {
    /// Where it is written, for people: `jwt[1]`, or `jwt[0] in authenticationConfigurationFile`.
    pub place: String,
    /// Where the keys come from; its `issuer` is the token's `iss`.
    pub source: Source,
    /// `issuer.audiences`: the token's `aud` must have one of them.
    pub audiences: Vec<String>,
    /// `issuer.audienceScope`.
    pub audience_scope: AudienceScope,
    /// `issuer.signingAlgorithms`.
    pub signing_algorithms: Vec<Algorithm>,
    /// `issuer.clockSkew`: how long past its `exp` a token is still taken.
    pub clock_skew: Duration,
    /// `issuer.maxTokenLifetime`: the longest `exp - iat`; zero: unlimited.
    pub max_token_lifetime: Duration,
    /// `issuer.allowReserved`.
    pub allow_reserved: bool,
    /// `claimMappings`.
    pub claim_mapping: ClaimMapping,
    /// `claimValidationRules`.
    pub claim_rules: Vec<ClaimRule>,
    /// `userValidationRules`.
    pub user_rules: Vec<UserRule>,
}

impl JwtSettings {
    /// Whether what is made of a token's claims may take long.
    pub fn loops(&self) -> bool {
        self.claim_mapping.loops()
            || self.claim_rules.iter().any(ClaimRule::loops)
            || self.user_rules.iter().any(UserRule::loops)
    }
}

impl JwtSettings {
    /// What the issuer's tokens have to be.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            issuer: self.source.issuer.clone(),
            audiences: Some(self.audiences.clone()),
            algorithms: self.signing_algorithms.clone(),
            clock_skew: self.clock_skew,
            max_token_lifetime: self.max_token_lifetime,
            issued_at_leeway: None,
        }
    }
}

/// What a token that is for one of the issuer's audiences is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudienceScope {
    /// The API server's audiences, and its own `aud` entries that the issuer lists (upstream's).
    ApiServer,
    /// Its own `aud` entries only.
    Token,
}

/// `cache`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// `authenticatedTTL`: how long an authentication is kept, never past the token's `exp`.
    pub authenticated_ttl: Duration,
    /// `rejectedTTL`: how long a refusal is kept; zero: not at all.
    pub rejected_ttl: Duration,
    /// `maxBytes` of authentications.
    pub max_bytes: u64,
    /// `rejectedMaxBytes` of refusals, in a cache of their own.
    pub rejected_max_bytes: u64,
}
