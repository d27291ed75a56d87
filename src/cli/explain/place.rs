//! Where something stands in the configuration, as an operator has to find it.

use crate::authn::token_file;
use crate::config::Config;

/// The entry of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `jwt[1]`, or `jwt[0] in authenticationConfigurationFile`.
    Jwt(String),
    /// The embedded issuer's.
    ServiceAccountIssuer,
    /// The token file's.
    TokenFile,
}

impl Place {
    /// That of the source of this name.
    pub(super) fn of(config: &Config, name: &str) -> Self {
        let jwt = config.authn.jwt.iter().find(|settings| settings.source.issuer == name);
        match jwt {
            Some(settings) => Self::Jwt(settings.place.clone()),
            None if name == token_file::NAME => Self::TokenFile,
            None => Self::ServiceAccountIssuer,
        }
    }

    /// The entry.
    pub(super) fn entry(&self) -> &str {
        match self {
            Self::Jwt(entry) => entry,
            Self::ServiceAccountIssuer => "serviceAccountIssuer",
            Self::TokenFile => "tokenFile",
        }
    }

    /// A field in it, given as in an entry of `jwt`; empty if there is none.
    pub(super) fn field(&self, field: &str) -> String {
        let entry = self.entry();
        match self {
            _ if field.is_empty() => String::new(),
            Self::Jwt(_) => match entry.split_once(' ') {
                Some((entry, file)) => format!("{entry}.{field} {file}"),
                None => format!("{entry}.{field}"),
            },
            _ => match field.trim_start_matches("issuer.") {
                field @ ("url" | "allowReserved" | "usernamePrefix" | "objectsDir") => {
                    format!("{entry}.{field}")
                }
                _ => String::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_where_it_has_to_be_changed() {
        let jwt = Place::Jwt("jwt[1]".to_owned());
        let theirs = Place::Jwt("jwt[0] in authenticationConfigurationFile".to_owned());
        for (place, field, path) in [
            (&jwt, "issuer.audiences", "jwt[1].issuer.audiences"),
            (&jwt, "", ""),
            (&theirs, "issuer.url", "jwt[0].issuer.url in authenticationConfigurationFile"),
            (&Place::TokenFile, "issuer.allowReserved", "tokenFile.allowReserved"),
            (&Place::ServiceAccountIssuer, "objectsDir", "serviceAccountIssuer.objectsDir"),
            (&Place::ServiceAccountIssuer, "issuer.signingAlgorithms", ""),
        ] {
            assert_eq!(place.field(field), path);
        }
    }
}
