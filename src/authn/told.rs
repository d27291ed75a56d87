//! How the checks of this floor are told in a transcript.

use std::time::SystemTime;

use crate::api::UserInfo;
use crate::claims::{ClaimError, ClaimSource, Reserved};
use crate::transcript::{Check, Text};

use super::distributed_claims::NotFound;
use super::{Attempt, Gone};

/// Which audiences were asked for. What the token is good for is for the caller to add.
pub(super) fn audiences(attempt: &Attempt<'_>, place: &'static str) -> Check {
    let wanted = Text::list(&attempt.credential.audiences, "none");
    Check::of("audiences").at(place).expected(Text::from("one of those asked for: ").and(wanted))
}

/// The audiences that a token is good for, and where they are from.
pub(super) fn good_for(audiences: &[String], from: &str) -> Text {
    Text::from(format!("good for {from}: ")).and(Text::list(audiences, "none"))
}

pub(super) fn reserved(guarded: Result<&(), &Reserved>) -> Check {
    let check = Check::of("reserved names").at("issuer.allowReserved");
    let check = check.expected("none of Kubernetes' own");
    match guarded {
        Ok(()) => check.found("none"),
        Err(reserved) => check.found(reserved.to_string()),
    }
}

pub(super) fn no_source(error: &ClaimError) -> Check {
    Check::of("groups source").found(error.to_string())
}

/// Where the token has a claim from that it leaves to others: what it says of that is the token's.
pub(super) fn claim(claim: &str, source: &ClaimSource, failed: Option<&NotFound>) -> Check {
    let endpoint = Text::said("<endpoint>", source.endpoint.as_str());
    let check = Check::of("groups source").at("claimMappings.groups.claim");
    let check = check.expected(Text::from(format!("claim {claim:?} from ")).and(endpoint));
    match failed {
        None => check.found("it is there"),
        Some(error) => check.found(error.cause.to_string()),
    }
}

pub(super) fn private_claims(error: &ClaimError) -> Check {
    Check::of("service account")
        .expected("the claim that Kubernetes writes")
        .found(error.to_string())
}

/// An object that a service account token stands on, and when that ends, if it is terminating.
pub(super) fn object(
    kind: &'static str,
    name: &str,
    uid: &str,
    end: Result<&Option<SystemTime>, &Gone>,
) -> Check {
    let named = Text::said("<name>", name).and(" with uid ").and(Text::said("<uid>", uid));
    let check = Check::of(kind).at("objectsDir").expected(named);
    match end {
        Ok(None) => check.found("it is there"),
        Ok(Some(end)) => check.found(Text::from("it is terminating: its tokens end ").and(*end)),
        Err(gone) => check.found(gone.to_string()),
    }
}

/// The user of a service account, as others may know it.
pub(super) fn stranger(user: Result<&UserInfo, &Reserved>) -> Check {
    let check = Check::of("reserved names").at("usernamePrefix");
    let check = check.expected("at the webhook, none of Kubernetes' own");
    match user {
        Ok(_) => check.found("none"),
        Err(reserved) => check.found(reserved.to_string()),
    }
}

/// What a token file says of a token.
pub(super) fn token_file(user: Option<&str>, tokens: usize) -> Check {
    Check::of("token").expected("one in the file").found(match user {
        Some(user) => format!("it is that of {user:?}"),
        None if tokens == 1 => "it is not the one in there".to_owned(),
        None => format!("it is none of the {tokens} in there"),
    })
}

/// Whom a service account token names, here or elsewhere.
pub(super) fn service_account(user: &UserInfo, prefix: &str) -> Check {
    let instead = format!("{prefix}system:serviceaccount:<namespace>:<name>");
    Check::of("username").at("usernamePrefix").found(Text::said(instead, user.username.as_str()))
}
