//! Keys of `claimMappings.extra`, by Kubernetes' rules for them.

use crate::claims::reserved::CREDENTIAL_ID;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const PATH: &str = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/// Everything that is wrong with `key`, each as `Invalid value: …`.
///
/// A reserved key may be allowed, but for the one that the verifier itself sets, from `jti`.
pub fn mistakes(key: &str, allow_reserved: bool) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut invalid = |value: &str, detail: &str| {
        mistakes.push(format!("Invalid value: {value:?}: {detail}"));
    };
    match key.split_once('/').filter(|(host, path)| !host.is_empty() && !path.is_empty()) {
        None => invalid(key, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
        Some((host, path)) => {
            if host.len() > MAX_SUBDOMAIN {
                invalid(host, "must be no more than 253 bytes");
            }
            if !is_subdomain(host) {
                invalid(host, SUBDOMAIN);
            }
            if !path.chars().all(is_path_character) {
                invalid(path, PATH);
            }
        }
    }
    if key != key.to_lowercase() {
        invalid(key, "must be lowercase");
    }
    let is_reserved = key.split_once('/').is_some_and(|(host, _)| is_reserved(host));
    if is_reserved && (!allow_reserved || key == CREDENTIAL_ID) {
        invalid(key, "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
    }
    mistakes
}

const MAX_SUBDOMAIN: usize = 253;

/// RFC 1123, as Kubernetes reads it.
fn is_subdomain(host: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    host.split('.').all(|label| {
        label.starts_with(alphanumeric)
            && label.ends_with(alphanumeric)
            && label.chars().all(|c| alphanumeric(c) || c == '-')
    })
}

fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c)
}

fn is_reserved(host: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}
