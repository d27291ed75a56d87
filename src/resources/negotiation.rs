//! Which media types a caller sends and takes.

use http::{HeaderMap, header};

use crate::api::Status;

/// The one media type of the webhook.
const JSON: &str = "application/json";

/// Checks that the body is JSON and that JSON may be answered.
///
/// No `Content-Type` and no `Accept` mean JSON, as in Kubernetes. Parameters and letter case do not
/// matter.
///
/// # Errors
///
/// 415 for another body, 406 for a caller that takes no JSON.
pub fn json_only(headers: &HeaderMap) -> Result<(), Status> {
    let sent = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    if sent.is_some_and(|sent| !essence(sent).eq_ignore_ascii_case(JSON)) {
        return Err(Status::unsupported_media_type(JSON));
    }
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    let takes_json = accepted.peek().is_none()
        || accepted.any(|value| {
            value.to_str().unwrap_or_default().split(',').any(|clause| {
                let offered = essence(clause);
                ["*/*", "application/*", JSON].iter().any(|want| offered.eq_ignore_ascii_case(want))
                    && !refuses(clause)
            })
        });
    if takes_json { Ok(()) } else { Err(Status::not_acceptable(JSON)) }
}

/// A media type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Whether a clause of `Accept` has the quality 0 (RFC 9110, section 12.4.2).
fn refuses(clause: &str) -> bool {
    clause.split(';').skip(1).any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, quality)| {
            name.trim().eq_ignore_ascii_case("q") && quality.trim().parse() == Ok(0.0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: header::HeaderName, value: &str) -> Option<u16> {
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        json_only(&headers).err().map(|status| status.code.as_u16())
    }

    #[test]
    fn takes_json_however_it_is_written() {
        for sent in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(check(header::CONTENT_TYPE, sent), None, "{sent}");
        }
        for sent in ["application/yaml", "text/plain", "", "application/jsonx"] {
            assert_eq!(check(header::CONTENT_TYPE, sent), Some(415), "{sent}");
        }
        for taken in ["application/json, */*", "text/html, application/*;q=0.1", "*/*"] {
            assert_eq!(check(header::ACCEPT, taken), None, "{taken}");
        }
        for taken in ["application/yaml", "application/json;q=0", ""] {
            assert_eq!(check(header::ACCEPT, taken), Some(406), "{taken}");
        }
        assert_eq!(json_only(&HeaderMap::new()), Ok(()));
    }
}
