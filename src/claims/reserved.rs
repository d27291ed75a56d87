//! Names that Kubernetes keeps for itself.
//!
//! `system:masters` may do anything, `system:node:…` is a node, and extra keys of `kubernetes.io`
//! tell authorizers what only a cluster knows. No source may make them up, unless the operator
//! allows it.

use crate::api::UserInfo;

/// The extra key of a credential's ID, which a verifier itself sets from `jti`, as upstream does.
pub const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// What is reserved about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reserved {
    /// The username.
    #[error("the username starts with \"system:\", which is reserved")]
    Username,
    /// One of the groups.
    #[error("a group starts with \"system:\", which is reserved")]
    Group,
    /// One of the extra keys.
    #[error("an extra key is under kubernetes.io or k8s.io, which are reserved")]
    ExtraKey,
}

impl Reserved {
    /// The fixed word for logs, metrics and documentation.
    pub fn reason(self) -> &'static str {
        "reserved_identity"
    }
}

/// Refuses a user that has a reserved name, group or extra key but [`CREDENTIAL_ID`].
pub fn check(user: &UserInfo) -> Result<(), Reserved> {
    if user.username.starts_with(SYSTEM) {
        return Err(Reserved::Username);
    }
    if user.groups.iter().any(|group| group.starts_with(SYSTEM)) {
        return Err(Reserved::Group);
    }
    if user.extra.keys().any(|key| key != CREDENTIAL_ID && is_reserved_key(key)) {
        return Err(Reserved::ExtraKey);
    }
    Ok(())
}

const SYSTEM: &str = "system:";

/// Whether a key's domain, the part before the first `/`, is Kubernetes' own. In any case, since
/// what carries extra keys in HTTP headers makes them lowercase.
fn is_reserved_key(key: &str) -> bool {
    let domain = key.split('/').next().unwrap_or(key).to_ascii_lowercase();
    ["kubernetes.io", "k8s.io"].iter().any(|&reserved| {
        domain.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_system_are_guarded() {
        for (username, group, key, result) in [
            ("jane", "team", "example.com/x", Ok(())),
            ("systemd:x", "systems", "kubernetes.io.example.com/x", Ok(())),
            ("oidc:system:admin", "System:masters", "notkubernetes.io/x", Ok(())),
            ("jane", "team", "authentication.kubernetes.io/credential-id", Ok(())),
            ("jane", "team", "example.com/kubernetes.io", Ok(())),
            ("system:", "team", "example.com/x", Err(Reserved::Username)),
            ("system:admin", "system:masters", "example.com/x", Err(Reserved::Username)),
            ("jane", "system:masters", "k8s.io/x", Err(Reserved::Group)),
            ("jane", "team", "kubernetes.io/x", Err(Reserved::ExtraKey)),
            ("jane", "team", "k8s.io", Err(Reserved::ExtraKey)),
            ("jane", "team", "authentication.kubernetes.io/pod-name", Err(Reserved::ExtraKey)),
            ("jane", "team", "a.b.k8s.io/x/y", Err(Reserved::ExtraKey)),
            ("jane", "team", "Kubernetes.IO/x", Err(Reserved::ExtraKey)),
        ] {
            let user = UserInfo {
                username: username.into(),
                groups: vec!["first".into(), group.into()],
                extra: [(key.to_owned(), vec![].into())].into(),
                ..UserInfo::default()
            };
            assert_eq!(check(&user), result, "{username} {group} {key}");
        }
    }
}
