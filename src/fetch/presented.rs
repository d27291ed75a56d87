//! What a server's certificate says of itself, for the words about one that was refused.
//!
//! rustls says that a signer is unknown, and not who it is. An operator who has to configure an
//! authority needs its name. All names here are a stranger's: they are quoted and cut.

use std::fmt::Write;
use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error, OtherError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 4;
/// How much of a name is shown.
const MAX_NAME_CHARS: usize = 100;

/// A certificate that was refused: why, and what it says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Presented {
    pub(super) problem: CertificateError,
    /// What is said about it after `the certificate of <host>`, and what to do.
    pub(super) words: String,
}

impl Presented {
    /// `error`, with the certificate that it is about if it is about one; `configured` are those
    /// that were trusted instead of the system's.
    pub(super) fn in_error(
        error: Error,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        configured: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Error {
        let Error::InvalidCertificate(problem) = error else { return error };
        let Ok((_, leaf)) = X509Certificate::from_der(end_entity) else {
            return Error::InvalidCertificate(problem);
        };
        let problem = match problem {
            // webpki looks at what it is good for before it asks who signed it: such as
            // `openssl req -x509` makes is an authority's.
            CertificateError::Other(_) if leaf.issuer() == leaf.subject() => {
                CertificateError::UnknownIssuer
            }
            problem => problem,
        };
        let words = match &problem {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                unknown_authority(&leaf, intermediates, configured)
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                other_names(&leaf)
            }
            problem => match outside_its_time(problem, &leaf, now) {
                Some(words) => words,
                None => return Error::InvalidCertificate(problem.clone()),
            },
        };
        let presented = Self { problem, words };
        CertificateError::Other(OtherError(std::sync::Arc::new(presented))).into()
    }
}

fn unknown_authority(
    leaf: &X509Certificate<'_>,
    intermediates: &[CertificateDer<'_>],
    configured: &[CertificateDer<'_>],
) -> String {
    const CONFIGURE: &str = "configure that authority as issuer.certificateAuthority or \
                             certificateAuthorityFile";
    let signer = last_signer(leaf, intermediates);
    let shown = quoted(&signer);
    if leaf.issuer() == leaf.subject() {
        return format!(
            "is self-signed, by {shown}, and not trusted: configure the certificate itself as \
             issuer.certificateAuthority or certificateAuthorityFile"
        );
    }
    if configured.is_empty() {
        return format!(
            "is signed by {shown}, an unknown authority to this machine: {CONFIGURE}, or have the \
             server send its intermediate certificates"
        );
    }
    let ours = configured.iter().filter_map(|ours| X509Certificate::from_der(ours).ok());
    let ours: Vec<_> = ours.map(|(_, ours)| ours.subject().to_string()).collect();
    if ours.contains(&signer) {
        return format!(
            "is signed by {shown}, but not with the key of the configured authority of that name, \
             which was perhaps made anew: {CONFIGURE}"
        );
    }
    format!(
        "is signed by {shown}, and not by the configured authority ({}): {CONFIGURE}, or have the \
         server send its intermediate certificates",
        listed(&ours)
    )
}

/// Who signed the last certificate of the chain that the server sent.
fn last_signer(leaf: &X509Certificate<'_>, intermediates: &[CertificateDer<'_>]) -> String {
    let above = intermediates.iter().filter_map(|der| X509Certificate::from_der(der).ok());
    let above: Vec<_> = above.map(|(_, certificate)| certificate).collect();
    let mut signer: &X509Name<'_> = leaf.issuer();
    // Each may lead one step up, and none for ever.
    for _ in &above {
        match above.iter().find(|certificate| certificate.subject() == signer) {
            Some(certificate) => signer = certificate.issuer(),
            None => break,
        }
    }
    signer.to_string()
}

fn other_names(leaf: &X509Certificate<'_>) -> String {
    let names = leaf.subject_alternative_name().ok().flatten();
    let names = names.map_or(&[][..], |names| &names.value.general_names);
    let names: Vec<_> = names.iter().filter_map(name).collect();
    if names.is_empty() {
        return "is for no name: it has no subject alternative name, and has to be issued anew"
            .to_owned();
    }
    format!(
        "is not valid for that name, but for {}: use one of these in issuer.url, discoveryURL or \
         jwksURL, or have it issued for that name, too",
        listed(&names)
    )
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

fn outside_its_time(
    problem: &CertificateError,
    leaf: &X509Certificate<'_>,
    now: UnixTime,
) -> Option<String> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = leaf.validity();
    let (begins, ends) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let context =
        |time: &UnixTime| i64::try_from(time.as_secs()).ok().map(date).unwrap_or_default();
    Some(match problem {
        _ if now > ends => format!("has expired at {}: the provider has to renew it", date(ends)),
        _ if now < begins => {
            format!("is not valid before {}: check the clocks, here and there", date(begins))
        }
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "rests on one that has expired at {}, an intermediate or the authority: the provider \
             has to renew it, or issuer.certificateAuthority has to follow",
            context(not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "rests on one that is not valid before {}: check the clocks, here and there",
            context(not_before)
        ),
        _ => return None,
    })
}

fn date(timestamp: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(timestamp).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

fn listed(names: &[String]) -> String {
    let mut list =
        names.iter().take(MAX_NAMES).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = names.len().checked_sub(MAX_NAMES) {
        // Writing to a String cannot fail.
        let _ = write!(list, " and {more} more");
    }
    list
}

fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(MAX_NAME_CHARS).collect::<String>())
}
