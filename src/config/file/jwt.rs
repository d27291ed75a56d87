//! An entry of `jwt`, as it is written, in either kind of configuration.

use std::time::Duration;

use crate::document::{Cursor, Entry, Fields, Place};

use super::super::units::duration;
use super::{list, strings};

/// Whose keys an entry of `jwt` may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Those of `AuthenticationConfiguration` and no others.
    Upstream,
    /// Those, and ours.
    Ours,
}

/// An entry of `jwt`: upstream's `AuthenticationConfiguration` v1, and what we have beside it.
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
    /// `userValidationRules`.
    pub user_rules: Entry<Vec<UserRule>>,
    /// Whose keys it may have.
    pub schema: Schema,
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
    /// Ours: CEL that says it.
    pub message_expression: Entry<String>,
    /// Where they stand.
    pub place: Place,
}

/// An entry of `userValidationRules`.
pub struct UserRule {
    /// Required: CEL.
    pub expression: Entry<String>,
    /// What to say if the expression is false.
    pub message: Entry<String>,
    /// Ours: CEL that says it.
    pub message_expression: Entry<String>,
}

impl Schema {
    /// The cursor at a field of ours.
    fn own<'a>(self, fields: &mut Fields<'a>, name: &'static str) -> Cursor<'a> {
        match self {
            Self::Ours => fields.take(name),
            Self::Upstream => fields.refuse(
                name,
                "unknown field: countersign's own keys belong into the jwt list of its Configuration",
            ),
        }
    }
}

impl Jwt {
    pub(super) fn read(cursor: Cursor<'_>, schema: Schema) -> Self {
        let mut fields = cursor.object();
        let issuer = Issuer::read(fields.take("issuer").object(), schema);
        let mut mappings = fields.take("claimMappings").object();
        let jwt = Self {
            issuer,
            username: Mapping::read(mappings.take("username").object(), true),
            groups: Mapping::read(mappings.take("groups").object(), true),
            uid: Mapping::read(mappings.take("uid").object(), false),
            extra: list(mappings.take("extra"), |cursor| Extra::read(cursor, schema)),
            claim_rules: list(fields.take("claimValidationRules"), |cursor| {
                Rule::read(cursor, schema)
            }),
            user_rules: list(fields.take("userValidationRules"), |cursor| {
                UserRule::read(cursor, schema)
            }),
            schema,
        };
        mappings.finish(&[]);
        fields.finish(&[]);
        jwt
    }
}

impl Issuer {
    fn read(mut fields: Fields<'_>, schema: Schema) -> Self {
        let issuer = Self {
            url: fields.take("url").string(),
            discovery_url: fields.take("discoveryURL").string(),
            certificate_authority: fields.take("certificateAuthority").string(),
            certificate_authority_file: schema
                .own(&mut fields, "certificateAuthorityFile")
                .string(),
            audiences: strings(fields.take("audiences")),
            audience_match_policy: fields.take("audienceMatchPolicy").string(),
            egress_selector_type: fields.take("egressSelectorType").string(),
            audience_scope: schema.own(&mut fields, "audienceScope").string(),
            jwks_url: schema.own(&mut fields, "jwksURL").string(),
            jwks_file: schema.own(&mut fields, "jwksFile").string(),
            signing_algorithms: strings(schema.own(&mut fields, "signingAlgorithms")),
            clock_skew: duration(schema.own(&mut fields, "clockSkew")),
            max_token_lifetime: duration(schema.own(&mut fields, "maxTokenLifetime")),
            allow_reserved: schema.own(&mut fields, "allowReserved").boolean(),
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
    fn read(cursor: Cursor<'_>, schema: Schema) -> Self {
        let mut fields = cursor.object();
        let extra = Self {
            key: fields.take("key").string(),
            claim: schema.own(&mut fields, "claim").string(),
            value_expression: fields.take("valueExpression").string(),
        };
        fields.finish(&[]);
        extra
    }
}

impl Rule {
    fn read(cursor: Cursor<'_>, schema: Schema) -> Self {
        let mut fields = cursor.object();
        let rule = Self {
            claim: fields.take("claim").string(),
            required_value: fields.take("requiredValue").string(),
            expression: fields.take("expression").string(),
            message: fields.take("message").string(),
            message_expression: schema.own(&mut fields, "messageExpression").string(),
            place: fields.place().clone(),
        };
        fields.finish(&[]);
        rule
    }
}

impl UserRule {
    fn read(cursor: Cursor<'_>, schema: Schema) -> Self {
        let mut fields = cursor.object();
        let rule = Self {
            expression: fields.take("expression").string(),
            message: fields.take("message").string(),
            message_expression: schema.own(&mut fields, "messageExpression").string(),
        };
        fields.finish(&[]);
        rule
    }
}
