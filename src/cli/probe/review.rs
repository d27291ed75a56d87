//! `countersign probe review`: has one token reviewed, as kube-apiserver would.
//!
//! It reads the kubeconfig that kube-apiserver is to be given, from the machine that it is to run
//! on, so that paths, certificates, names and the way to the service are tried before any flag of the
//! API server is changed. The token is never printed. `countersign explain` asks in the same way.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::api::kubeconfig::{KubeconfigError, Webhook};
use crate::api::webhook::{self, Version};
use crate::fetch::{Caller, FetchError, Identity, IdentityError};
use crate::secret::Secret;

use super::super::token::{self, TokenError};
use super::{deadline, failed};

/// Has a token reviewed, as kube-apiserver would
///
/// Prints the status of the review, and exits with 0 only if the token is authenticated.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What --authentication-token-webhook-config-file names
    #[arg(long, value_name = "FILE")]
    kubeconfig: PathBuf,
    /// The token; - for standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// One of the audiences that it should be good for [default: the configuration's apiAudiences]
    #[arg(long = "audience", value_name = "A")]
    audiences: Vec<String>,
    /// How long to wait for an answer; kube-apiserver waits for 30
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ReviewError {
    #[error("{}: cannot be read: {source}; it has to exist and be readable by this user", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Kubeconfig { path: PathBuf, source: KubeconfigError },
    #[error("{}: {source}", path.display())]
    Identity { path: PathBuf, source: IdentityError },
    #[error("the token file {0}")]
    Token(#[from] TokenError),
    #[error("the token is empty")]
    NoToken,
    #[error("{server}: {}", remedy(source))]
    Call { server: String, source: FetchError },
    #[error(
        "{server}: the answer is not a TokenReview of authentication.k8s.io/v1: is that the \
             address of countersign, with its path /authenticate?"
    )]
    NotAReview { server: String },
    #[error("{server}: {code}: {message}{}", path_hint(*code))]
    Status { server: String, code: StatusCode, message: String },
}

/// Where the webhook is, for who asked elsewhere.
fn path_hint(code: StatusCode) -> &'static str {
    if code == StatusCode::NOT_FOUND {
        "; the server in the kubeconfig ends in /authenticate"
    } else {
        ""
    }
}

/// Runs the command.
pub async fn run(args: &Args) -> ExitCode {
    let status = match review(args).await {
        Ok(Review { status, .. }) => status,
        Err(error) => return failed(&error.to_string()),
    };
    if writeln!(io::stdout(), "{status:#}").is_err() {
        return ExitCode::FAILURE;
    }
    match is_authenticated(&status, &args.audiences) {
        true => ExitCode::SUCCESS,
        false => failed(
            "not authenticated; `countersign explain` says what was checked, and what to change",
        ),
    }
}

async fn review(args: &Args) -> Result<Review, ReviewError> {
    let token = token::read(&args.token_file)?;
    if token.expose().is_empty() {
        return Err(ReviewError::NoToken);
    }
    ask(&args.kubeconfig, &token, &args.audiences, args.timeout).await
}

/// What a webhook has answered.
pub(in crate::cli) struct Review {
    /// The status of the TokenReview.
    pub(in crate::cli) status: Value,
    /// The header `Date`: what time it is there.
    pub(in crate::cli) date: Option<String>,
}

/// Asks the webhook that the kubeconfig at `path` leads to.
pub(in crate::cli) async fn ask(
    path: &Path,
    token: &Secret,
    audiences: &[String],
    timeout_seconds: u64,
) -> Result<Review, ReviewError> {
    let text = read_text(path)?;
    let webhook = Webhook::parse(&text)
        .map_err(|source| ReviewError::Kubeconfig { path: path.to_owned(), source })?;
    let caller = caller(path, &webhook)?;

    let server = webhook.server;
    let question = webhook::question(token.expose(), audiences);
    let url = format!("{server}?timeout={timeout_seconds}s");
    let answer = caller.post(&url, question, deadline(timeout_seconds)).await;
    let answer = answer.map_err(|source| ReviewError::Call { server: server.clone(), source })?;
    let code = answer.status();
    let body: Body = serde_json::from_slice(answer.body()).unwrap_or_default();
    if !code.is_success() {
        return Err(ReviewError::Status { server, code, message: body.message });
    }
    if body.kind != "TokenReview" || body.api_version != Version::V1.as_str() {
        return Err(ReviewError::NotAReview { server });
    }
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    Ok(Review { status: body.status, date: date.map(str::to_owned) })
}

/// A TokenReview, or a `metav1.Status`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    kind: String,
    api_version: String,
    /// Of a TokenReview an object, of a Status a word.
    status: Value,
    message: String,
}

/// Whether kube-apiserver would let its bearer in: one of the audiences must be among those that
/// were asked for.
fn is_authenticated(status: &Value, audiences: &[String]) -> bool {
    let good_for = status.get("audiences").and_then(Value::as_array);
    let wanted = audiences.is_empty()
        || good_for.into_iter().flatten().any(|good| audiences.iter().any(|it| good == it));
    status.get("authenticated") == Some(&Value::Bool(true)) && wanted
}

/// Whoever the kubeconfig at `path` says. Relative paths are relative to it.
fn caller(path: &Path, webhook: &Webhook) -> Result<Caller, ReviewError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let authority = webhook.certificate_authority.as_ref();
    let authority = authority.map(|file| read_text(&folder.join(file))).transpose()?;
    let client = match &webhook.client {
        None => None,
        Some((certificate, key)) => {
            Some((read(&folder.join(certificate))?, read(&folder.join(key))?))
        }
    };
    let identity = Identity {
        certificate_authority: authority.as_deref(),
        server_name: webhook.tls_server_name.as_deref(),
        client: client.as_ref().map(|(certificate, key)| (&**certificate, &**key)),
    };
    Caller::new(identity).map_err(|source| {
        let file = match source {
            IdentityError::CertificateAuthority(_) => webhook.certificate_authority.as_ref(),
            IdentityError::Certificate | IdentityError::Pair(_) => {
                webhook.client.as_ref().map(|(certificate, _)| certificate)
            }
            IdentityError::Key => webhook.client.as_ref().map(|(_, key)| key),
            IdentityError::NoSystemRoots | IdentityError::ServerName(_) => None,
        };
        let path = file.map_or_else(|| path.to_owned(), |file| folder.join(file));
        ReviewError::Identity { path, source }
    })
}

fn read(path: &Path) -> Result<Vec<u8>, ReviewError> {
    std::fs::read(path).map_err(|source| ReviewError::Unreadable { path: path.to_owned(), source })
}

fn read_text(path: &Path) -> Result<String, ReviewError> {
    std::fs::read_to_string(path)
        .map_err(|source| ReviewError::Unreadable { path: path.to_owned(), source })
}

/// What to do about a call that failed, in the words of a kubeconfig.
fn remedy(error: &FetchError) -> String {
    match error {
        FetchError::UnknownAuthority { .. } => {
            "its certificate is not signed by certificate-authority: that must be the CA of \
             listen.certificateFile"
                .to_owned()
        }
        FetchError::CertificateName { .. } => {
            "its certificate is for another name: set tls-server-name to one that it is for, or have \
             it issued for this host"
                .to_owned()
        }
        FetchError::Connect { .. } => "nobody answers there (refused, unreachable or too slow): is \
                                       countersign running and ready?"
            .to_owned(),
        // In TLS 1.3 a client learns only afterwards that its certificate was refused: by an alert,
        // or by no more than the end of the connection.
        FetchError::Tls { source, .. } => refused(source),
        FetchError::NoAnswer(source) => refused(source),
        error => error.to_string(),
    }
}

fn refused(error: &(dyn Error + 'static)) -> String {
    format!(
        "the connection ended before an answer ({}): is client-certificate signed by \
         listen.clientCAFile?",
        deepest(error)
    )
}

fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, deepest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_authenticated_for_what_was_asked() {
        let status = |audiences: Value| json!({"authenticated": true, "audiences": audiences});
        let asked =
            |audiences: &[&str]| audiences.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(is_authenticated(&status(json!(["a"])), &[]));
        assert!(is_authenticated(&status(json!(["a"])), &asked(&["b", "a"])));
        assert!(!is_authenticated(&status(json!(["a"])), &asked(&["b"])));
        assert!(!is_authenticated(&status(json!([])), &asked(&["b"])));
        assert!(!is_authenticated(&json!({"authenticated": false, "audiences": ["a"]}), &[]));
        assert!(!is_authenticated(&json!({"authenticated": "true"}), &[]));
        assert!(!is_authenticated(&Value::Null, &[]));
    }
}
