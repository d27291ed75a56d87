//! `POST /api/v1/namespaces/{namespace}/serviceaccounts/{name}/token`: the TokenRequest API.
//!
//! The checks are upstream's, in upstream's order (the contract, section 5.6), with one of our own:
//! the audiences must be the caller's to ask for. Two differences are on purpose: a dry run issues
//! nothing, and no token lasts longer than it says. Each token that is issued is one line in the log.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::api::meta::{ObjectMeta, Time};
use crate::api::quote::quoted;
use crate::api::status::Cause;
use crate::api::token_request::{BoundObjectReference, Spec, Status as RequestStatus};
use crate::api::{AUTHENTICATION_GROUP, Status, TokenRequest, UserInfo};
use crate::authn;
use crate::issuer::{Bound, Grant, Issued, NodeReference, Object, Objects, Reference, TokenIssuer};
use crate::metrics::{Issuance, Metrics};
use crate::server::Peer;

use super::callers::{Callers, Grants};
use super::exchange::{Created, Exchange};
use super::managed_fields;
use super::pool::Pool;

/// How long a token lasts for which nobody says it, in seconds.
const DEFAULT_SECONDS: i64 = 3600;
/// The shortest that may be asked for, in seconds.
const MIN_SECONDS: i64 = 600;
/// The longest that may be asked for, in seconds.
const MAX_SECONDS: i64 = 1 << 32;

/// The TokenRequest API.
pub struct TokenRequests {
    issuer: Arc<TokenIssuer>,
    api_audiences: Vec<String>,
    max_token_bytes: usize,
    /// What signs: a signature of a large RSA key takes tens of milliseconds.
    signing: Pool,
    metrics: Arc<Metrics>,
}

/// Whose token is asked for, and by whom.
pub struct Asked<'a> {
    /// Of the service account.
    pub namespace: &'a str,
    /// The service account's name.
    pub name: &'a str,
    /// Who asks.
    pub caller: &'a UserInfo,
    /// Where from.
    pub peer: &'a Peer,
}

impl TokenRequests {
    /// Has `issuer` issue tokens: for `apiAudiences` where none are asked for, and none that is longer
    /// than `limits.maxTokenBytes`, since it would be refused when it comes back. At most
    /// `max_in_flight` requests wait for a signature; more are shed.
    pub fn new(
        issuer: Arc<TokenIssuer>,
        authn: &authn::Settings,
        max_in_flight: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        let api_audiences = authn.api_audiences.clone();
        let max_token_bytes = authn.max_token_bytes;
        let signing = Pool::new(max_in_flight, metrics.clone());
        Self { issuer, api_audiences, max_token_bytes, signing, metrics }
    }

    /// Issues the token that was asked for.
    ///
    /// # Errors
    ///
    /// 403, 404, 409, 422 and the like, or 503: then nothing was issued.
    pub async fn create(
        &self,
        exchange: &mut Exchange<'_>,
        asked: &Asked<'_>,
        callers: &Callers,
    ) -> Result<TokenRequest, Status> {
        let result = self.issue(exchange, asked, callers).await;
        let outcome = match &result {
            Ok(request) if request.status.token.is_empty() => Issuance::DryRun,
            Ok(_) => Issuance::Issued,
            Err(status) if status.code.is_server_error() => Issuance::Failed,
            Err(_) => Issuance::Refused,
        };
        self.metrics.token_requested(outcome);
        result
    }

    async fn issue(
        &self,
        exchange: &mut Exchange<'_>,
        asked: &Asked<'_>,
        callers: &Callers,
    ) -> Result<TokenRequest, Status> {
        let Asked { namespace, name, caller, peer } = *asked;
        let grants = callers.grants(caller, namespace, name, peer)?;
        let Created { object, dry_run, manager } = exchange.read::<TokenRequest>().await?;
        let TokenRequest { mut metadata, mut spec, .. } = object;
        metadata.managed_fields.clear();
        spec.expiration_seconds.get_or_insert(DEFAULT_SECONDS);
        let now = SystemTime::now();
        let sent = TokenRequest { metadata, spec, status: RequestStatus::default() };
        let entry = managed_fields::entry(&sent, manager, "token", now);
        let TokenRequest { mut metadata, mut spec, .. } = sent;

        let objects = self.issuer.objects();
        let account = account(&objects, &metadata, asked)?;
        if spec.audiences.is_empty() {
            spec.audiences.clone_from(&self.api_audiences);
        }
        let longest = self.longest(&grants, &spec).ok_or_else(|| {
            let why = ": no entry of callers allows all audiences of the token";
            callers.forbidden_token(caller, namespace, name, why, peer)
        })?;
        let wished = spec.expiration_seconds.unwrap_or(DEFAULT_SECONDS);
        check_seconds(wished)?;
        let bound = match &spec.bound_object_ref {
            Some(reference) => Some(bound(&objects, reference, asked)?),
            None => None,
        };
        let seconds = wished.min(longest);
        if seconds < wished {
            exchange.warnings.add(format!(
                "requested expiration of {wished} seconds shortened to {seconds} seconds"
            ));
            spec.expiration_seconds = Some(seconds);
        }

        let grant = Grant {
            namespace: namespace.to_owned(),
            service_account: account.clone(),
            bound,
            audiences: spec.audiences.clone(),
            expiration_seconds: seconds.unsigned_abs(),
        };
        let status = match dry_run {
            true => RequestStatus {
                token: String::new(),
                expiration_timestamp: Some(expiry(now, seconds)),
            },
            false => self.sign(grant, now, asked).await?,
        };
        metadata.name = name.to_owned();
        metadata.namespace = namespace.to_owned();
        metadata.uid = account.uid;
        metadata.creation_timestamp = Some(now.into());
        metadata.managed_fields.push(entry);
        Ok(TokenRequest { metadata, spec, status })
    }

    /// How long the token may last, in seconds, if it may be issued at all.
    fn longest(&self, grants: &Grants<'_>, spec: &Spec) -> Option<i64> {
        let longest = grants.max_expiration(&spec.audiences, self.issuer.max_expiration())?;
        Some(i64::try_from(longest.as_secs()).unwrap_or(i64::MAX))
    }

    async fn sign(
        &self,
        grant: Grant,
        now: SystemTime,
        asked: &Asked<'_>,
    ) -> Result<RequestStatus, Status> {
        let issuer = self.issuer.clone();
        let signing = move || (issuer.issue(&grant, now), grant);
        let (issued, grant) = self.signing.run(signing).await?;
        let issued = issued.map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            Status::internal_error("failed to generate token")
        })?;
        let Issued { token, id, expires_at } = issued;
        if token.expose().len() > self.max_token_bytes {
            let why = "the token would be longer than limits.maxTokenBytes";
            let shown = format!("{} audiences", grant.audiences.len());
            let cause = Cause::invalid("spec.audiences", &shown, why);
            return Err(invalid("", cause));
        }
        let bound = grant.bound.as_ref().map(|bound| match bound {
            Bound::Pod { pod, .. } => format!("Pod/{}", pod.name),
            Bound::Secret(secret) => format!("Secret/{}", secret.name),
            Bound::Node(node) => format!("Node/{}", node.name),
        });
        let expires_at = Time::from_unix(i64::try_from(expires_at).unwrap_or(i64::MAX));
        tracing::info!(
            user.name = asked.caller.username,
            client.addr = %asked.peer.address,
            service_account = format!("{}/{}", grant.namespace, grant.service_account.name),
            audiences = ?grant.audiences,
            bound,
            expires_at = expires_at.to_string(),
            jti = id,
            "token issued"
        );
        Ok(RequestStatus {
            token: token.expose().to_owned(),
            expiration_timestamp: Some(expires_at),
        })
    }
}

/// The service account, if it is the one that the metadata mean.
fn account(
    objects: &Objects,
    metadata: &ObjectMeta,
    asked: &Asked<'_>,
) -> Result<Reference, Status> {
    let Asked { namespace, name, .. } = *asked;
    if !metadata.namespace.is_empty() && metadata.namespace != namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !metadata.name.is_empty() && metadata.name != name {
        let why = "must match the service account name if specified";
        let shown = quoted(&metadata.name);
        return Err(invalid(name, Cause::invalid("metadata.name", &shown, why)));
    }
    check_name(name)?;
    let account = objects
        .service_account(namespace, name)
        .ok_or_else(|| Status::no_such_object("serviceaccounts", name))?;
    if !metadata.uid.is_empty() && metadata.uid != account.uid {
        let why = format!(
            "the UID in the token request ({}) does not match the UID of the service account ({})",
            metadata.uid, account.uid
        );
        return Err(Status::conflict(AUTHENTICATION_GROUP, "TokenRequest", name, &why));
    }
    Ok(Reference { name: name.to_owned(), uid: account.uid.clone() })
}

/// What can stand in a path: upstream's `IsValidPathSegmentName`.
fn check_name(name: &str) -> Result<(), Status> {
    let why = match name {
        "." | ".." => format!("may not be '{name}'"),
        _ => match ['/', '%'].into_iter().find(|letter| name.contains(*letter)) {
            Some(letter) => format!("may not contain '{letter}'"),
            None => return Ok(()),
        },
    };
    Err(Status::bad_request(format!("Name parameter invalid: {}: {why}", quoted(name))))
}

fn check_seconds(seconds: i64) -> Result<(), Status> {
    let why = match seconds {
        ..MIN_SECONDS => "may not specify a duration less than 10 minutes",
        MIN_SECONDS..=MAX_SECONDS => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    Err(invalid("", Cause::invalid("spec.expirationSeconds", &seconds.to_string(), why)))
}

/// The object that a token is to be bound to.
fn bound(
    objects: &Objects,
    reference: &BoundObjectReference,
    asked: &Asked<'_>,
) -> Result<Bound, Status> {
    let BoundObjectReference { kind, api_version, name, uid } = reference;
    let the = |object: Option<&Object>, resource| {
        let object = object.ok_or_else(|| Status::no_such_object(resource, name))?;
        if !uid.is_empty() && *uid != object.uid {
            let why = format!(
                "the UID in the bound object reference ({uid}) does not match the UID in record. \
                 The object might have been deleted and then recreated"
            );
            return Err(Status::conflict("", kind, name, &why));
        }
        Ok(Reference { name: name.clone(), uid: object.uid.clone() })
    };
    let (group, version) = group_version(api_version);
    if group.is_empty() && ["Pod", "Secret", "Node"].contains(&kind.as_str()) {
        check_name(name)?;
    }
    match (group, kind.as_str()) {
        ("", "Pod") => {
            let found = objects.pod(asked.namespace, name);
            if let Some(pod) = found
                && pod.service_account != asked.name
            {
                return Err(Status::bad_request(format!(
                    "cannot bind token for serviceaccount {} to pod running with different \
                     serviceaccount name.",
                    quoted(asked.name)
                )));
            }
            let pod = the(found.map(|pod| &pod.object), "pods")?;
            let node = found.and_then(|pod| pod.node.as_ref()).map(|node| NodeReference {
                name: node.clone(),
                uid: objects.node(node).map(|node| node.uid.clone()),
            });
            Ok(Bound::Pod { pod, node })
        }
        ("", "Secret") => the(objects.secret(asked.namespace, name), "secrets").map(Bound::Secret),
        ("", "Node") => the(objects.node(name), "nodes").map(Bound::Node),
        _ => Err(Status::bad_request(format!(
            "cannot bind token to object of type {group}/{version}, Kind={kind}"
        ))),
    }
}

/// `schema.ParseGroupVersion`: of what it cannot read nothing is left.
fn group_version(api_version: &str) -> (&str, &str) {
    match api_version.split_once('/') {
        None => ("", api_version),
        Some((_, version)) if version.contains('/') => ("", ""),
        Some(parts) => parts,
    }
}

/// 422 about a TokenRequest of that name.
fn invalid(name: &str, cause: Cause) -> Status {
    Status::invalid(AUTHENTICATION_GROUP, "TokenRequest", name, vec![cause])
}

fn expiry(now: SystemTime, seconds: i64) -> Time {
    let ends = now.checked_add(Duration::from_secs(seconds.unsigned_abs())).unwrap_or(UNIX_EPOCH);
    ends.into()
}
