//! The admin listener: probes for the kubelet, metrics for Prometheus.
//!
//! `/livez` says that the process answers. `/readyz` says that it may be asked: every issuer has
//! been tried and the listener serves. With `?verbose` each check, each issuer and each file that is
//! read again has its line, so that one look tells which provider is dark, which file is wrong, and
//! why.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::api::Status;
use crate::metrics::Metrics;
use crate::server::{Handler, Peer};

use super::answer;

/// One line of `/readyz?verbose`.
pub struct Check {
    /// What is checked; the issuer's URL for an issuer.
    pub name: String,
    /// What that means for requests.
    pub state: State,
    /// What a person wants to know beyond that.
    pub detail: String,
}

/// What a check means for those who want to ask us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Good,
    /// They may come, and somebody should have a look.
    Degraded,
    /// They may not come.
    Failing,
}

impl State {
    /// As Kubernetes writes it; there is no sign there for what is only worth a look.
    fn sign(self) -> char {
        match self {
            Self::Good => '+',
            Self::Degraded => '!',
            Self::Failing => '-',
        }
    }
}

/// What readiness rests on, looked at anew for each probe.
pub trait Checks: Send + Sync + 'static {
    /// Every check as it is now.
    fn checks(&self) -> Vec<Check>;

    /// Brings up to date what is only measured when somebody looks.
    fn observe(&self);
}

/// Probes and metrics.
pub struct Admin<C> {
    readiness: C,
    metrics: Arc<Metrics>,
}

impl<C: Checks> Admin<C> {
    /// Answers by `readiness` and `metrics`.
    pub fn new(readiness: C, metrics: Arc<Metrics>) -> Self {
        Self { readiness, metrics }
    }

    fn route(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Status::method_not_allowed().to_response();
        }
        let verbose = request.uri().query().is_some_and(|query| {
            query.split('&').any(|part| part.split('=').next() == Some("verbose"))
        });
        match request.uri().path() {
            "/livez" | "/healthz" => text(StatusCode::OK, "ok".into()),
            "/readyz" => self.readyz(verbose),
            "/metrics" => {
                self.readiness.observe();
                answer(StatusCode::OK, "text/plain; version=0.0.4", self.metrics.to_text())
            }
            _ => Status::not_found().to_response(),
        }
    }

    fn readyz(&self, verbose: bool) -> Response<Bytes> {
        let checks = self.readiness.checks();
        let ready = checks.iter().all(|check| check.state != State::Failing);
        if ready && !verbose {
            return text(StatusCode::OK, "ok".into());
        }
        let mut lines = String::new();
        for Check { name, state, detail } in &checks {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "[{}]{name} {detail}", state.sign());
        }
        if ready {
            lines.push_str("readyz check passed\n");
            text(StatusCode::OK, lines)
        } else {
            lines.push_str("readyz check failed\n");
            text(StatusCode::INTERNAL_SERVER_ERROR, lines)
        }
    }
}

impl<C: Checks> Handler for Admin<C> {
    async fn handle(&self, request: &Request<Bytes>, _: &Peer) -> Response<Bytes> {
        self.route(request)
    }
}

fn text(code: StatusCode, body: String) -> Response<Bytes> {
    answer(code, "text/plain; charset=utf-8", body.into_bytes())
}
