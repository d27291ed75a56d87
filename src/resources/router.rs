//! From paths to resources, and the count of what was answered.
//!
//! Everything is served to somebody in particular, but for the version and what the embedded issuer
//! publishes: the webhook to whose certificate is named for it, the API to whoever is somebody, and
//! its reviews and tokens to those in `callers`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;

use crate::api::Status;
use crate::metrics::Metrics;
use crate::server::{Handler, Peer};

use super::accept;
use super::api_discovery::{ApiDiscovery, Document};
use super::callers::Callers;
use super::exchange::Exchange;
use super::pool::Pool;
use super::token_request::Asked;
use super::{IssuerDiscovery, TokenRequests, TokenReviews, Webhook, answer, self_subject_review};

/// The HTTPS listener's paths.
pub struct Router {
    /// `/authenticate`.
    pub webhook: Webhook,
    /// Who may use the API.
    pub callers: Callers,
    /// TokenReview.
    pub token_reviews: TokenReviews,
    /// TokenRequest and what its issuer publishes, if there is an embedded issuer.
    pub issuer: Option<(TokenRequests, IssuerDiscovery)>,
    /// What is served, for those who look before they ask.
    pub discovery: ApiDiscovery,
    /// What reads large bodies.
    pub reading: Pool,
    /// Where answers are counted.
    pub metrics: Arc<Metrics>,
}

/// What a path leads to.
enum Route<'a> {
    Webhook,
    TokenReviews,
    SelfSubjectReviews,
    Token {
        namespace: &'a str,
        name: &'a str,
    },
    /// Something to read, perhaps.
    Document(&'a str),
}

/// What is read often enough to be counted by itself.
const DOCUMENTS: [&str; 8] = [
    "/.well-known/openid-configuration",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/authentication.k8s.io/v1",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/version",
];

impl<'a> Route<'a> {
    /// Where a decoded path leads.
    fn of(path: &'a str) -> Self {
        if path == "/authenticate" {
            return Self::Webhook;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        match path {
            "/apis/authentication.k8s.io/v1/tokenreviews" => Self::TokenReviews,
            "/apis/authentication.k8s.io/v1/selfsubjectreviews" => Self::SelfSubjectReviews,
            _ => Self::token(path).unwrap_or(Self::Document(path)),
        }
    }

    fn token(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/api/v1/namespaces/")?.strip_suffix("/token")?;
        let (namespace, rest) = rest.split_once('/')?;
        let name = rest.strip_prefix("serviceaccounts/")?;
        let is_name = |segment: &str| !segment.is_empty() && !segment.contains('/');
        (is_name(namespace) && is_name(name)).then_some(Self::Token { namespace, name })
    }

    /// The `path` label: fixed words.
    fn label(&self) -> &'static str {
        match self {
            Self::Webhook => "/authenticate",
            Self::TokenReviews => "/apis/authentication.k8s.io/v1/tokenreviews",
            Self::SelfSubjectReviews => "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            Self::Token { .. } => "/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
            Self::Document(path) => {
                DOCUMENTS.into_iter().find(|known| known == path).unwrap_or("other")
            }
        }
    }
}

impl Router {
    /// A create of the API, by somebody.
    async fn create(
        &self,
        route: &Route<'_>,
        request: &Request<Bytes>,
        peer: &Peer,
    ) -> Response<Bytes> {
        let (mut exchange, callers) = (Exchange::of(request, &self.reading), &self.callers);
        let caller = match callers.authenticate(&mut exchange, peer).await {
            Ok(caller) => caller,
            Err(status) => return exchange.refuse(&status),
        };
        match (route, &self.issuer) {
            (Route::TokenReviews, _) => {
                let review = self.token_reviews.create(&mut exchange, &caller, peer, callers).await;
                exchange.answer(review)
            }
            (Route::SelfSubjectReviews, _) => {
                let review = self_subject_review::create(&mut exchange, caller).await;
                exchange.answer(review)
            }
            (Route::Token { namespace, name }, Some((token_requests, _))) => {
                let asked = Asked { namespace, name, caller: &caller, peer };
                let token = token_requests.create(&mut exchange, &asked, callers).await;
                exchange.answer(token)
            }
            _ => exchange.refuse(&Status::not_found()),
        }
    }

    /// What can be read: by anybody, or by somebody.
    async fn read(&self, path: &str, request: &Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        let mut exchange = Exchange::of(request, &self.reading);
        let is_get = request.method() == Method::GET;
        let published = self.issuer.as_ref().and_then(|(_, discovery)| discovery.find(path));
        if published.is_none()
            && path != "/version"
            && let Err(status) = self.callers.authenticate(&mut exchange, peer).await
        {
            return exchange.refuse(&status);
        }
        let found = published.map(Ok).or_else(|| {
            let accept = accept::values(request.headers());
            let query = request.uri().query();
            let document = self.discovery.find(path, query, &accept, exchange.is_pretty())?;
            Some(document.map(|document| respond(document, request.headers())))
        });
        match found {
            Some(_) if !is_get => exchange.refuse(&Status::method_not_allowed()),
            Some(Ok(response)) => response,
            Some(Err(status)) => exchange.refuse(&status),
            None => exchange.refuse(&Status::not_found()),
        }
    }
}

/// The answer with a document, or that the caller has it already.
fn respond(document: Document, headers: &HeaderMap) -> Response<Bytes> {
    let Document { media_type, body, cache_control, etag } = document;
    let known = headers.get(header::IF_NONE_MATCH).map(|value| value.as_bytes());
    let is_known = etag.as_ref().is_some_and(|etag| known == Some(etag.as_bytes()));
    let (code, body) = match is_known {
        true => (StatusCode::NOT_MODIFIED, Bytes::new()),
        false => (StatusCode::OK, body),
    };
    let mut response = answer(code, media_type, body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(header::ETAG, etag);
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    response
}

impl Handler for Router {
    async fn handle(&self, request: &Request<Bytes>, peer: &Peer) -> Response<Bytes> {
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let route = Route::of(&path);
        let response = match route {
            Route::Webhook => self.webhook.answer(request, peer).await,
            // In boxes: every request's task would be as large as the largest of them, and that is
            // allocated, moved and paged in for each review.
            Route::Document(_) => Box::pin(self.read(&path, request, peer)).await,
            _ => Box::pin(self.create(&route, request, peer)).await,
        };
        self.metrics.http_answered(route.label(), response.status());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_namespace_and_a_name() {
        let found = |path| match Route::of(path) {
            Route::Token { namespace, name } => Some((namespace, name)),
            _ => None,
        };
        let path = "/api/v1/namespaces/ns/serviceaccounts/sa/token";
        assert_eq!(found(path), Some(("ns", "sa")));
        let path = "/api/v1/namespaces/ns/serviceaccounts/sa/token/";
        assert_eq!(found(path), Some(("ns", "sa")));
        for path in [
            "/api/v1/namespaces/ns/serviceaccounts/sa",
            "/api/v1/namespaces//serviceaccounts/sa/token",
            "/api/v1/namespaces/ns/serviceaccounts//token",
            "/api/v1/namespaces/ns/serviceaccounts/a/b/token",
            "/api/v1/namespaces/a/b/serviceaccounts/sa/token",
            "/api/v1/namespaces/ns/pods/sa/token",
            "/api/v1/serviceaccounts/sa/token",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
