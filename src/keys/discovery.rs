//! The discovery document of an issuer (OpenID Connect Discovery 1.0, section 3).

use serde::Deserialize;

/// The longest `jwks_uri`.
const MAX_URL_BYTES: usize = 2048;

/// What is read of it. Everything else in it is none of our business.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// Why a document is not the discovery document of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// It is something else.
    #[error("the answer is not a discovery document, a JSON object with issuer and jwks_uri")]
    NoDocument,
    /// It is another issuer's.
    #[error("the discovery document is of issuer {found:?}, and not of {expected:?}")]
    OtherIssuer {
        /// `issuer.url`.
        expected: String,
        /// What it says, cut.
        found: String,
    },
    /// It leads where no keys are taken from.
    #[error("its jwks_uri is not an absolute https:// address")]
    BadJwksUri,
}

/// The `jwks_uri` in the discovery document of `issuer`.
///
/// # Errors
///
/// Fails if `body` is not one, or the document of an issuer that differs in a single byte (section
/// 4.3): whoever can make us read another issuer's document must not give us its keys.
pub fn jwks_uri(body: &[u8], issuer: &str) -> Result<String, DiscoveryError> {
    // A derived type would also be read from a list of its members.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(DiscoveryError::NoDocument);
    }
    // What serde says would quote the document.
    let document: Document =
        serde_json::from_slice(body).map_err(|_| DiscoveryError::NoDocument)?;
    if document.issuer != issuer {
        return Err(DiscoveryError::OtherIssuer {
            expected: issuer.to_owned(),
            found: document.issuer.chars().take(128).collect(),
        });
    }
    let uri = document.jwks_uri;
    // It will stand in log lines and in the answer of /readyz.
    let is_plain = uri.len() <= MAX_URL_BYTES && uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || !uri.starts_with("https://") {
        return Err(DiscoveryError::BadJwksUri);
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://issuer.example/";

    #[test]
    fn the_address_is_taken_from_the_document_of_this_issuer_only() {
        let good = r#"{"issuer":"https://issuer.example/","more":[1],"jwks_uri":"https://k/"}"#;
        assert_eq!(jwks_uri(good.as_bytes(), ISSUER), Ok("https://k/".to_owned()));
        let error = jwks_uri(good.as_bytes(), "https://issuer.example").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the discovery document is of issuer \"https://issuer.example/\", and not of \"https://issuer.example\""
        );
    }

    #[test]
    fn what_leads_to_no_keys_is_refused() {
        for body in [
            "",
            "<html>",
            "[]",
            r#"["https://issuer.example/","https://k/"]"#,
            r#"{"issuer":"https://issuer.example/"}"#,
            r#"{"issuer":["https://issuer.example/"],"jwks_uri":"https://k/"}"#,
            r#"{"issuer":"https://evil/","issuer":"https://issuer.example/","jwks_uri":"https://k/"}"#,
        ] {
            assert_eq!(
                jwks_uri(body.as_bytes(), ISSUER),
                Err(DiscoveryError::NoDocument),
                "{body}"
            );
        }
        for uri in [
            "https://k/\nissuer ok",
            "",
            "/jwks",
            "http://k/",
            "file:///k",
            &format!("https://{}", "k".repeat(2048)),
        ] {
            let body = serde_json::json!({"issuer": ISSUER, "jwks_uri": uri}).to_string();
            assert_eq!(jwks_uri(body.as_bytes(), ISSUER), Err(DiscoveryError::BadJwksUri), "{uri}");
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let body = serde_json::json!({"issuer": "é".repeat(9999), "jwks_uri": ""}).to_string();
        assert!(jwks_uri(body.as_bytes(), ISSUER).unwrap_err().to_string().len() < 400);
    }
}
