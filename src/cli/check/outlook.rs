//! What a configuration will do: whom it trusts, where their keys come from, and who can come of it.
//!
//! `<sub>` stands for the value of a claim, and what follows a `=` is an expression.

use std::io::{self, Write};

use crate::authn::{AudienceScope, JwtSettings};
use crate::claims::expression::Expression;
use crate::claims::{ClaimOrExpression, PrefixedClaim, PrefixedClaimOrExpression};
use crate::config::Config;
use crate::issuer;
use crate::keys::Location;

/// Every source of a configuration, in the order in which they are asked.
pub fn configuration(config: &Config, out: &mut impl Write) -> io::Result<()> {
    if let Some(file) = &config.authn.token_file {
        let reserved = if file.allow_reserved { RESERVED } else { "" };
        writeln!(out, "  token file {}{reserved}", file.path.display())?;
    }
    if let Some(settings) = &config.service_account_issuer {
        service_accounts(settings, out)?;
    }
    issuers(&config.authn.jwt, out)
}

/// Each issuer of a `jwt` list.
pub fn issuers(issuers: &[JwtSettings], out: &mut impl Write) -> io::Result<()> {
    issuers.iter().try_for_each(|settings| issuer(settings, out))
}

/// What is said of a source that is not guarded.
const RESERVED: &str = ", names of Kubernetes' own included";

fn issuer(settings: &JwtSettings, out: &mut impl Write) -> io::Result<()> {
    let JwtSettings { source, claim_mapping: mapping, .. } = settings;
    writeln!(out, "  issuer {}", source.issuer)?;
    match &source.location {
        Location::Discovery { url } => writeln!(out, "    keys: discovered at {url}")?,
        Location::Jwks { url } => writeln!(out, "    keys: from {url}")?,
        Location::File { path } => writeln!(out, "    keys: in {}", path.display())?,
    }
    let audiences = settings.audiences.iter().map(|audience| format!("{audience:?}"));
    let good_for = match settings.audience_scope {
        AudienceScope::ApiServer => "good for the API audiences",
        AudienceScope::Token => "good for what they are for",
    };
    let audiences = audiences.collect::<Vec<_>>().join(" or ");
    writeln!(out, "    tokens: for {audiences}, {good_for}")?;
    let reserved = if settings.allow_reserved { RESERVED } else { "" };
    writeln!(out, "    users: {}{reserved}", prefixed(&mapping.username))?;
    match &mapping.groups {
        Some(groups) => writeln!(out, "    groups: {}", prefixed(groups))?,
        None => writeln!(out, "    groups: none")?,
    }
    if let Some(uid) = &mapping.uid {
        writeln!(out, "    uid: {}", plain(uid))?;
    }
    for extra in &mapping.extra {
        writeln!(out, "    extra: {} {}", extra.key, plain(&extra.value))?;
    }
    let (claims, users) = (settings.claim_rules.len(), settings.user_rules.len());
    if claims + users > 0 {
        writeln!(out, "    rules: {claims} on claims, {users} on users")?;
    }
    Ok(())
}

fn service_accounts(settings: &issuer::Settings, out: &mut impl Write) -> io::Result<()> {
    let issuer::Settings { username_prefix: user, groups_prefix: group, .. } = settings;
    writeln!(out, "  service account issuer {}", settings.url)?;
    let keys = settings.signing_key_files.iter().map(|file| file.display().to_string());
    writeln!(out, "    keys: in {}", keys.collect::<Vec<_>>().join(", "))?;
    let refused = user.is_empty() && !settings.allow_reserved;
    let refused = if refused { ", refused at /authenticate" } else { "" };
    writeln!(out, "    users: {user}system:serviceaccount:<namespace>:<name>{refused}")?;
    writeln!(
        out,
        "    groups: {group}system:serviceaccounts, {group}system:serviceaccounts:<namespace>"
    )
}

fn prefixed(mapping: &PrefixedClaimOrExpression) -> String {
    match mapping {
        PrefixedClaimOrExpression::Claim(PrefixedClaim { claim, prefix }) => {
            format!("{prefix}<{claim}>")
        }
        PrefixedClaimOrExpression::Expression(expression) => shown(expression),
    }
}

fn plain(mapping: &ClaimOrExpression) -> String {
    match mapping {
        ClaimOrExpression::Claim(claim) => format!("<{claim}>"),
        ClaimOrExpression::Expression(expression) => shown(expression),
    }
}

/// An expression, in one line.
fn shown(expression: &Expression) -> String {
    format!("= {}", expression.source().split_whitespace().collect::<Vec<_>>().join(" "))
}
