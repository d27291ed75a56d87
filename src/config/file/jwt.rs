//! An entry of `jwt`, as it is written.

use std::time::Duration;

use crate::document::{Cursor, Entry, Fields, Place};

use super::super::units::duration;
use super::{list, strings};

/// An entry of `jwt`: upstream's `AuthenticationConfiguration` v1, and what `issuer` has beside it.
pub struct Jwt {
    /// `issuer`.
    pub issuer: Issuer,
    /// `claimMappings.username`.
    pub username: Mapping,
    /// `claimMappings.groups`.
    pub groups: Mapping,
    /// `claimMappings.uid`.
    pub uid: Mapping,
    /// `claimMappings.extra`.
    pub extra: Entry<Vec<Extra>>,
    /// `claimValidationRules`.
    pub claim_rules: Entry<Vec<Rule>>,
    /// `userValidationRules[].expression`.
    pub user_rules: Entry<Vec<Entry<String>>>,
}

/// `jwt[].issuer`.
pub struct Issuer {
    /// Required.
    pub url: Entry<String>,
    /// Default: the issuer's `/.well-known/openid-configuration`.
    pub discovery_url: Entry<String>,
    /// Default: the system's.
    pub certificate_authority: Entry<String>,
    /// Ours. Default: the system's.
    pub certificate_authority_file: Entry<String>,
    /// Required.
    pub audiences: Entry<Vec<Entry<String>>>,
    /// Required for several audiences.
    pub audience_match_policy: Entry<String>,
    /// Checked, and without meaning here.
    pub egress_selector_type: Entry<String>,
    /// Ours. Default: `APIServer`.
    pub audience_scope: Entry<String>,
    /// Ours. Default: by discovery.
    pub jwks_url: Entry<String>,
    /// Ours. Default: by discovery.
    pub jwks_file: Entry<String>,
    /// Ours. Default: upstream's nine.
    pub signing_algorithms: Entry<Vec<Entry<String>>>,
    /// Ours. Default: `0s`.
    pub clock_skew: Entry<Duration>,
    /// Ours. Default: `0s`, unlimited.
    pub max_token_lifetime: Entry<Duration>,
    /// Ours. Default: `false`.
    pub allow_reserved: Entry<bool>,
}

/// `claim` and `prefix`, or `expression`.
pub struct Mapping {
    /// The claim.
    pub claim: Entry<String>,
    /// What goes before its value; `uid` has none.
    pub prefix: Option<Entry<String>>,
    /// CEL.
    pub expression: Entry<String>,
    /// Where they stand.
    pub place: Place,
}

/// An entry of `claimMappings.extra`.
pub struct Extra {
    /// Required.
    pub key: Entry<String>,
    /// Ours: the claim.
    pub claim: Entry<String>,
    /// CEL.
    pub value_expression: Entry<String>,
}

/// An entry of `claimValidationRules`.
pub struct Rule {
    /// The claim.
    pub claim: Entry<String>,
    /// What it must be. Default: empty, as upstream.
    pub required_value: Entry<String>,
    /// CEL.
    pub expression: Entry<String>,
    /// What to say if the expression is false.
    pub message: Entry<String>,
    /// Where they stand.
    pub place: Place,
}

impl Jwt {
    pub(super) fn read(cursor: Cursor<'_>) -> Self {
        let mut fields = cursor.object();
        let issuer = Issuer::read(fields.take("issuer").object());
        let mut mappings = fields.take("claimMappings").object();
        let jwt = Self {
            issuer,
            username: Mapping::read(mappings.take("username").object(), true),
            groups: Mapping::read(mappings.take("groups").object(), true),
            uid: Mapping::read(mappings.take("uid").object(), false),
            extra: list(mappings.take("extra"), Extra::read),
            claim_rules: list(fields.take("claimValidationRules"), Rule::read),
            user_rules: list(fields.take("userValidationRules"), |cursor| {
                let mut fields = cursor.object();
                let expression = fields.take("expression").string();
                fields.take("message").string();
                fields.finish(&[]);
                expression
            }),
        };
        mappings.finish(&[]);
        fields.finish(&[]);
        jwt
    }
}

impl Issuer {
    fn read(mut fields: Fields<'_>) -> Self {
        let issuer = Self {
            url: fields.take("url").string(),
            discovery_url: fields.take("discoveryURL").string(),
            certificate_authority: fields.take("certificateAuthority").string(),
            certificate_authority_file: fields.take("certificateAuthorityFile").string(),
            audiences: strings(fields.take("audiences")),
            audience_match_policy: fields.take("audienceMatchPolicy").string(),
            egress_selector_type: fields.take("egressSelectorType").string(),
            audience_scope: fields.take("audienceScope").string(),
            jwks_url: fields.take("jwksURL").string(),
            jwks_file: fields.take("jwksFile").string(),
            signing_algorithms: strings(fields.take("signingAlgorithms")),
            clock_skew: duration(fields.take("clockSkew")),
            max_token_lifetime: duration(fields.take("maxTokenLifetime")),
            allow_reserved: fields.take("allowReserved").boolean(),
        };
        fields.finish(&[]);
        issuer
    }
}

impl Mapping {
    fn read(mut fields: Fields<'_>, has_prefix: bool) -> Self {
        let mapping = Self {
            claim: fields.take("claim").string(),
            expression: fields.take("expression").string(),
            prefix: has_prefix.then(|| fields.take("prefix").string()),
            place: fields.place().clone(),
        };
        fields.finish(&[]);
        mapping
    }
}

impl Extra {
    fn read(cursor: Cursor<'_>) -> Self {
        let mut fields = cursor.object();
        let extra = Self {
            key: fields.take("key").string(),
            claim: fields.take("claim").string(),
            value_expression: fields.take("valueExpression").string(),
        };
        fields.finish(&[]);
        extra
    }
}

impl Rule {
    fn read(cursor: Cursor<'_>) -> Self {
        let mut fields = cursor.object();
        let rule = Self {
            claim: fields.take("claim").string(),
            required_value: fields.take("requiredValue").string(),
            expression: fields.take("expression").string(),
            message: fields.take("message").string(),
            place: fields.place().clone(),
        };
        fields.finish(&[]);
        rule
    }
}
