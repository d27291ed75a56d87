//! `metav1.Status`: how Kubernetes says that a request failed.
//!
//! The text of a message is read by people and by kube-apiserver's log; `reason` and `code` by
//! client-go, which retries on some of them (the contract, section 1.5).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::codec::{self, Format};
use super::quote::quoted;

/// A failure, as `k8s.io/apimachinery/pkg/apis/meta/v1.Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status code, which the body repeats.
    pub code: StatusCode,
    /// The machine-readable word, `metav1.StatusReason`.
    pub reason: &'static str,
    /// What happened and what to do about it. Never part of a token.
    pub message: String,
    /// What it is about, where that is something.
    pub details: Option<Box<Details>>,
}

/// What a failure is about: `metav1.StatusDetails`.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize)]
pub struct Details {
    /// The object's name.
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its API group; empty for the core group.
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Its kind, or its resource.
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What is wrong with it, each by itself.
    #[prost(message, repeated, tag = "4")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// One thing that is wrong with an object: `metav1.StatusCause`.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize)]
pub struct Cause {
    /// `metav1.CauseType`, a word such as `FieldValueInvalid`.
    #[prost(string, tag = "1")]
    pub reason: String,
    /// What is wrong.
    #[prost(string, tag = "2")]
    pub message: String,
    /// Where.
    #[prost(string, tag = "3")]
    pub field: String,
}

impl Cause {
    /// A value that is not right: `value` as it is to be shown, and why.
    pub fn invalid(field: &str, value: &str, why: &str) -> Self {
        Self::new("FieldValueInvalid", field, format!("Invalid value: {value}: {why}"))
    }

    /// A value that is none of the `supported` ones.
    pub fn not_supported(field: &str, value: &str, supported: &[&str]) -> Self {
        let supported: Vec<_> = supported.iter().map(|value| quoted(value)).collect();
        let supported = supported.join(", ");
        let text = format!("Unsupported value: {value}: supported values: {supported}");
        Self::new("FieldValueNotSupported", field, text)
    }

    /// A value of more than `bytes` bytes.
    pub fn too_long(field: &str, bytes: usize) -> Self {
        let text = format!("Too long: may not be more than {bytes} bytes");
        Self::new("FieldValueTooLong", field, text)
    }

    fn new(reason: &str, field: &str, message: String) -> Self {
        Self { reason: reason.to_owned(), message, field: field.to_owned() }
    }
}

impl Status {
    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401: the caller showed no certificate.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    /// 403: the caller is somebody who may not ask.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// 404: nothing is served at this path.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            "the server could not find the requested resource",
        )
        .about(Details::default())
    }

    /// 404: there is no such object. `resource` is its kind as in paths.
    pub fn no_such_object(resource: &str, name: &str) -> Self {
        let details =
            Details { name: name.to_owned(), kind: resource.to_owned(), ..Details::default() };
        let message = format!("{resource} {} not found", quoted(name));
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).about(details)
    }

    /// 409: the object is not the one that is meant.
    pub fn conflict(group: &str, kind: &str, name: &str, why: &str) -> Self {
        let qualified = qualified(kind, group);
        let message =
            format!("Operation cannot be fulfilled on {qualified} {}: {why}", quoted(name));
        let details = Details {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            causes: Vec::new(),
        };
        Self::new(StatusCode::CONFLICT, "Conflict", message).about(details)
    }

    /// 422: the object is well formed, and wrong.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: Vec<Cause>) -> Self {
        let errors: Vec<_> =
            causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let errors = match errors.as_slice() {
            [error] => error.clone(),
            errors => format!("[{}]", errors.join(", ")),
        };
        let message = format!("{} {} is invalid: {errors}", qualified(kind, group), quoted(name));
        let details = Details {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: kind.to_owned(),
            causes,
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).about(details)
    }

    /// 405: the path exists, but not for this method.
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .about(Details::default())
    }

    /// 406: the caller takes none of the media types that can be answered.
    pub fn not_acceptable(offered: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            format!("only the following media types are accepted: {offered}"),
        )
    }

    /// 406: there is no route to any of the types that the caller takes.
    pub fn no_representation(offered: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "NotAcceptable",
            format!("406: Not Acceptable\n\nAvailable representations: {offered}"),
        )
        .about(Details::default())
    }

    /// 408: the body did not arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "Timeout",
            "the body of the request did not arrive in time",
        )
    }

    /// 413: the body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {limit}"),
        )
    }

    /// 415: the body is of a type that is not read here.
    pub fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            ),
        )
    }

    /// 500: a bug of ours.
    pub fn internal_error(message: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            format!("Internal error occurred: {message}"),
        )
    }

    /// 503: too much at once. Sent without `Retry-After`, which would multiply one call into up to
    /// 55 (the contract, section 1.5).
    pub fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "the server is currently unable to handle the request: too many requests in flight",
        )
    }

    /// 503: the answer was not ready within `limits.requestTimeout`. Not 504, which kube-apiserver
    /// would repeat.
    pub fn took_too_long() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "the server is currently unable to handle the request: the answer took too long",
        )
    }

    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    /// The same, about something.
    #[must_use]
    pub fn about(self, details: Details) -> Self {
        Self { details: Some(Box::new(details)), ..self }
    }

    /// The whole answer, as JSON.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.encode(Format::Json, false).into());
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    /// The body, in upstream's order of members.
    pub fn encode(&self, format: Format, pretty: bool) -> Vec<u8> {
        let wire = Wire {
            metadata: ListMeta {},
            status: "Failure".to_owned(),
            message: self.message.clone(),
            reason: self.reason.to_owned(),
            details: self.details.as_deref().cloned(),
            code: self.code.as_u16().into(),
        };
        codec::encode(&wire, format, pretty)
    }
}

/// `Kind.group`.
fn qualified(kind: &str, group: &str) -> String {
    if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") }
}

/// `metav1.Status` as it is sent.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
struct Wire {
    #[prost(message, required, tag = "1")]
    metadata: ListMeta,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[prost(int32, tag = "6")]
    code: i32,
}

/// `metav1.ListMeta`, of which a Status has nothing.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
struct ListMeta {}

impl codec::Message for Wire {
    fn kind(&self) -> &'static str {
        "Status"
    }

    fn api_version(&self) -> &'static str {
        "v1"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_stand_in_upstreams_order() {
        let body = String::from_utf8(Status::overloaded().encode(Format::Json, false)).unwrap();
        assert!(body.starts_with(
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server"#
        ));
        assert!(body.ends_with("\"reason\":\"ServiceUnavailable\",\"code\":503}\n"));
    }

    /// The contract, section 5.2.
    #[test]
    fn what_it_is_about_is_worded_and_listed_as_upstream_does() {
        let of = |status: Status| String::from_utf8(status.encode(Format::Json, false)).unwrap();
        for (status, ends) in [
            (
                Status::not_found(),
                r#""message":"the server could not find the requested resource","reason":"NotFound","details":{},"code":404}"#,
            ),
            (
                Status::no_such_object("serviceaccounts", "nosa"),
                r#""message":"serviceaccounts \"nosa\" not found","reason":"NotFound","details":{"name":"nosa","kind":"serviceaccounts"},"code":404}"#,
            ),
            (
                Status::conflict("", "Pod", "pod", "why"),
                r#""message":"Operation cannot be fulfilled on Pod \"pod\": why","reason":"Conflict","details":{"name":"pod","kind":"Pod"},"code":409}"#,
            ),
            (
                Status::invalid(
                    "meta.k8s.io",
                    "CreateOptions",
                    "",
                    vec![
                        Cause::too_long("fieldManager", 128),
                        Cause::not_supported("dryRun", r#"["<"]"#, &["All"]),
                    ],
                ),
                r#""message":"CreateOptions.meta.k8s.io \"\" is invalid: [fieldManager: Too long: may not be more than 128 bytes, dryRun: Unsupported value: [\"\u003c\"]: supported values: \"All\"]","reason":"Invalid","details":{"group":"meta.k8s.io","kind":"CreateOptions","causes":[{"reason":"FieldValueTooLong","message":"Too long: may not be more than 128 bytes","field":"fieldManager"},{"reason":"FieldValueNotSupported","message":"Unsupported value: [\"\u003c\"]: supported values: \"All\"","field":"dryRun"}]},"code":422}"#,
            ),
        ] {
            let body = of(status);
            assert!(body.trim_end().ends_with(ends), "{body}");
        }
    }
}
