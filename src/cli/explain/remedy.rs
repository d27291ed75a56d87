//! What to change, and where: a remedy for every reason.

use super::place::Place;
use super::report::{Report, TOKEN};

/// What a remedy is for.
pub(super) struct Scene<'a> {
    pub(super) report: &'a Report,
    /// The entry of the source that decided; absent if none did.
    pub(super) place: Option<Place>,
    /// `limits.maxTokenBytes`.
    pub(super) max_token_bytes: usize,
    /// Whether there is a `tokenFile`.
    pub(super) has_token_file: bool,
}

/// What to do about a token that is refused for `reason`; absent if there is no such reason.
pub(super) fn remedy(reason: &str, scene: &Scene<'_>) -> Option<String> {
    let remedy = of(reason, scene)?;
    match scene.report.failed() {
        Some(check) if check.of != TOKEN && reason != "claims_source_unavailable" => Some(format!(
            "Not the token is refused, but what its source of groups answered. For that: {remedy}"
        )),
        _ => Some(remedy),
    }
}

fn of(reason: &str, scene: &Scene<'_>) -> Option<String> {
    Some(match reason {
        "no_issuer" => scene.nobody(),
        "malformed" => scene.malformed(),
        "algorithm_not_allowed" => scene.algorithm(),
        "unknown_key" => format!(
            "Get a new token: its key may have been withdrawn. If new ones are refused too, they are of another \
             realm or environment of the provider than {}",
            scene.keys_field()
        ),
        "bad_signature" => format!(
            "Look at what the client sends: the token was changed or cut on its way. If the provider's own copy is \
             refused too, {} leads to another provider's keys",
            scene.keys_field()
        ),
        "expired" if scene.report.failed().is_some_and(|check| check.found == "no exp") => {
            "Have the provider put exp into its tokens: one without an end is not taken".to_owned()
        }
        "expired" => format!(
            "Get a new token. If it is fresh, compare the clocks of the provider and of this machine{}",
            scene.field("issuer.clockSkew", "; {} forgives a difference")
        ),
        "not_yet_valid" => {
            "Compare the clocks of the provider and of this machine: one of them is wrong by more than a minute"
                .to_owned()
        }
        "lifetime_too_long" => format!(
            "Have the provider issue shorter tokens{}",
            scene.field("issuer.maxTokenLifetime", ", or raise {}")
        ),
        "audience_mismatch" => scene.audiences(),
        "missing_claim" => format!(
            "Have the provider put the claim into its tokens (a scope, a mapper){}",
            scene.failed_field(", or change {}")
        ),
        "invalid_claim" => format!(
            "Have the provider write the claim as it is wanted: a name is a string, groups are a string or a list of \
             strings{}",
            scene.failed_field("; or map another one in {}")
        ),
        "email_not_verified" => format!(
            "Have the user's address verified at the provider{}",
            scene.field("claimMappings.username.claim", ", or map another claim than email in {}")
        ),
        "empty_username" => format!(
            "Map a claim that everybody has{}",
            scene.field("claimMappings.username", ": {}")
        ),
        "claim_rule" => format!(
            "The configuration does not want this token. If it should, change the rule{}; or have the provider \
             issue what it asks for",
            scene.failed_field(" {}")
        ),
        "user_rule" => format!(
            "The configuration does not want this user. If it should, change the rule{}, or the mapping that made \
             the user",
            scene.failed_field(" {}")
        ),
        "expression_error" => format!(
            "Make the expression good for tokens like this one{}. Mostly it reads a claim that is not in every token: \
             has(claims.x), claims.?x.orValue('')",
            scene.failed_field(": {}")
        ),
        "reserved_identity" => scene.reserved(),
        "bound_object_gone" => format!(
            "Get a new token: what this one is bound to is gone, or another one of the same name. If it should be \
             there, look at its manifest in {}, and its uid",
            Place::ServiceAccountIssuer.field("objectsDir")
        ),
        "keys_unavailable" => scene.keys(),
        "claims_source_unavailable" => {
            "Ask the endpoint that the token names from this machine, or have the provider put the groups into the \
             token"
                .to_owned()
        }
        "timeout" => {
            "Look at the load of this machine, and at limits.requestTimeout: the checks took longer".to_owned()
        }
        _ => return None,
    })
}

impl Scene<'_> {
    fn nobody(&self) -> String {
        let token = &self.report.token;
        let Some(issuer) = &token.issuer else {
            let file = if self.has_token_file { ", nor one of those in tokenFile" } else { "" };
            return format!("Look at what the client sends: the token is no JWT{file}");
        };
        if let Some(nearest) = &self.report.nearest {
            let field = &nearest.field;
            return format!(
                "If that is the issuer, make {field} exactly what the token says: {issuer:?}; else have the provider \
                 say what is configured"
            );
        }
        format!(
            "Add the issuer to jwt, with issuer.url {issuer:?}; or get a token of an issuer that is there \
             (countersign check lists them)"
        )
    }

    fn malformed(&self) -> String {
        let bytes = self.max_token_bytes;
        match (self.report.token.oddity, self.report.failed()) {
            (Some(oddity), _) => format!("Look at what the client sends: {oddity}"),
            (None, Some(_)) => "Look at what the client sends, and at what the provider issues: it is not a JWT as \
                                RFC 7515 and RFC 7519 have it"
                .to_owned(),
            (None, None) => format!(
                "Look at what the client sends: it is longer than limits.maxTokenBytes ({bytes} bytes), \
                 which may be raised"
            ),
        }
    }

    fn algorithm(&self) -> String {
        let name = self.report.token.algorithm.as_deref().unwrap_or("none");
        if crate::token::Algorithm::from_name(name).is_none() {
            return format!(
                "Have the provider sign with an asymmetric algorithm, such as RS256 or ES256: {name} proves nothing \
                 to others"
            );
        }
        let add = self.field("issuer.signingAlgorithms", "Add {} to {}, or have");
        let add = if add.is_empty() { "Have".to_owned() } else { add.replacen("{}", name, 1) };
        format!("{add} the provider sign with one that is allowed")
    }

    fn audiences(&self) -> String {
        let own = self.report.token.audiences.iter().map(|it| format!("{it:?}"));
        let own = own.collect::<Vec<_>>().join(" or ");
        match self.report.failed() {
            Some(check) if check.check == "aud" && !own.is_empty() => format!(
                "Request the token for the right client (the provider's setting), or add {own} to {}",
                check.field
            ),
            Some(check) if check.check == "aud" => format!(
                "Have the provider put an audience into the token: {}",
                check.field
            ),
            _ => "Ask for an audience that the token is good for. If the API server asked: its --api-audiences (by \
                  default its --service-account-issuer) have to be apiAudiences"
                .to_owned(),
        }
    }

    fn reserved(&self) -> String {
        let (prefix, allow) = match &self.place {
            Some(Place::Jwt(_)) => (
                self.field("claimMappings.username.prefix", "Set a prefix ({} and that of groups)"),
                self.field("issuer.allowReserved", "{}"),
            ),
            Some(Place::TokenFile) => {
                ("Give the line another name".to_owned(), "tokenFile.allowReserved".to_owned())
            }
            _ => (
                "Set serviceAccountIssuer.usernamePrefix and groupsPrefix".to_owned(),
                "serviceAccountIssuer.allowReserved".to_owned(),
            ),
        };
        format!(
            "{prefix}, or have the provider send other names. {allow}: true is for a source that may name cluster \
                 components"
        )
    }

    fn keys(&self) -> String {
        let keys = self.report.sources.last().and_then(|source| source.keys.as_ref());
        let field = self.keys_field();
        match keys.and_then(|keys| keys.error.as_ref()) {
            Some(_) => format!(
                "Make the issuer's keys reachable from this machine: what went wrong is said above. Where they come \
                 from: {field}"
            ),
            None => {
                format!("Try again: the keys were not there in time. Where they come from: {field}")
            }
        }
    }

    /// Where it is configured from where keys come.
    fn keys_field(&self) -> String {
        let fields = "issuer.url, discoveryURL, jwksURL or jwksFile";
        match &self.place {
            Some(Place::Jwt(entry)) => format!("{entry}: {fields}"),
            _ => "serviceAccountIssuer.signingKeyFiles".to_owned(),
        }
    }

    /// `text` with the path of `field` for its last `{}`; nothing if that is none of the source's.
    fn field(&self, field: &str, text: &str) -> String {
        let path = self.place.as_ref().map(|place| place.field(field)).unwrap_or_default();
        filled(text, &path)
    }

    /// The same, with the field that asked for what failed.
    fn failed_field(&self, text: &str) -> String {
        filled(text, self.report.failed().map_or("", |check| &check.field))
    }
}

fn filled(text: &str, path: &str) -> String {
    match text.rsplit_once("{}") {
        Some((before, after)) if !path.is_empty() => format!("{before}{path}{after}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::REASONS;

    #[test]
    fn every_reason_has_a_remedy() {
        let report = Report::default();
        for place in [
            None,
            Some(Place::Jwt("jwt[1]".to_owned())),
            Some(Place::TokenFile),
            Some(Place::ServiceAccountIssuer),
        ] {
            let scene =
                Scene { report: &report, place, max_token_bytes: 65_536, has_token_file: true };
            for reason in REASONS {
                let text = remedy(reason, &scene).unwrap_or_else(|| panic!("none for {reason}"));
                let is_whole = text.len() > 20 && !text.contains("{}") && !text.contains("  ");
                assert!(is_whole && !text.contains(" ,"), "{reason}: {text}");
            }
            assert_eq!(remedy("bad_luck", &scene), None);
        }
    }
}
