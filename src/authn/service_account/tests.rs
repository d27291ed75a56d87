//! Every way for such a token to end, and what its user is called by whom.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::super::{Class, Credential};
use super::*;
use crate::filewatch::Change;
use crate::issuer::{Bound, Grant, Manifests, NodeReference, Reference, SigningKeys};
use crate::live::Live;
use crate::secret::Secret;

const URL: &str = "https://countersign.example.com";
const NOW: u64 = 1_714_557_600; // 2024-05-01T10:00:00Z

/// An issuer with its keys and objects, and what judges its tokens.
struct Issuer {
    issuer: Arc<TokenIssuer>,
    authenticator: ServiceAccountAuthenticator,
    pem: String,
    keys: Live<SigningKeys>,
    objects: Live<Objects>,
}

impl Issuer {
    fn new() -> Self {
        Self::with("", "", false)
    }

    fn with(username_prefix: &str, groups_prefix: &str, allow_reserved: bool) -> Self {
        let settings = issuer::Settings {
            url: URL.to_owned(),
            signing_key_files: Vec::new(),
            objects_dir: PathBuf::new(),
            max_expiration: Duration::from_hours(24),
            username_prefix: username_prefix.to_owned(),
            groups_prefix: groups_prefix.to_owned(),
            allow_reserved,
        };
        let pem = KeyPair::generate().unwrap().serialize_pem();
        let keys = Live::new(SigningKeys::new(vec![key(&pem)]).unwrap());
        let objects = Live::new(objects(&everything()));
        let issuer = Arc::new(TokenIssuer::new(&settings, keys.clone(), objects.clone()));
        let api_audiences: Arc<[String]> = ["api".to_owned(), "api-2".to_owned()].into();
        let authenticator =
            ServiceAccountAuthenticator::new(&settings, issuer.clone(), api_audiences);
        Self { issuer, authenticator, pem, keys, objects }
    }

    /// A token for an hour, issued now.
    fn token(&self, bound: Option<Bound>, audiences: &[&str]) -> String {
        self.issuer.issue(&grant(bound, audiences), at(NOW)).unwrap().token.expose().to_owned()
    }

    /// A token that says just this.
    fn saying(&self, claims: &Value) -> String {
        key(&self.pem).sign(claims.to_string().as_bytes()).unwrap()
    }

    fn judge(
        &self,
        token: &str,
        audiences: &[&str],
        now: SystemTime,
    ) -> Result<Authentication, AuthnError> {
        self.judge_at(Surface::Api, token, audiences, now)
    }

    fn judge_at(
        &self,
        surface: Surface,
        token: &str,
        audiences: &[&str],
        now: SystemTime,
    ) -> Result<Authentication, AuthnError> {
        let credential = Credential {
            token: Secret::new(token),
            audiences: audiences.iter().copied().map(str::to_owned).collect(),
            surface,
        };
        let attempt = Attempt::new(&credential, now);
        match self.authenticator.judge(attempt.jwt.as_ref().unwrap(), &attempt)? {
            Verdict::Authenticated(authentication) => Ok(authentication),
            Verdict::NoOpinion(_) => panic!("it is its own"),
        }
    }

    /// Reason and text.
    fn refusal(&self, token: &str, now: SystemTime) -> (&'static str, String) {
        let error = self.judge(token, &["api"], now).unwrap_err();
        assert_eq!(error.class(), Class::Rejected);
        (error.reason(), error.cause.to_string())
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn key(pem: &str) -> SigningKey {
    SigningKey::from_pem(pem.as_bytes()).unwrap()
}

fn grant(bound: Option<Bound>, audiences: &[&str]) -> Grant {
    Grant {
        namespace: "ci".to_owned(),
        service_account: reference("builder"),
        bound,
        audiences: audiences.iter().copied().map(str::to_owned).collect(),
        expiration_seconds: 3600,
    }
}

fn reference(name: &str) -> Reference {
    Reference { name: name.to_owned(), uid: format!("{name}-uid") }
}

fn pod(node: Option<&str>) -> Option<Bound> {
    let uid = node.map(str::to_owned);
    let node = Some(NodeReference { name: "node".to_owned(), uid });
    Some(Bound::Pod { pod: reference("web"), node })
}

/// Kind, name, uid, deletion, of what exists.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>);

fn everything() -> Vec<Row> {
    vec![
        ("ServiceAccount", "builder", "builder-uid", None),
        ("Pod", "web", "web-uid", None),
        ("Secret", "secret", "secret-uid", None),
        ("Node", "node", "node-uid", None),
    ]
}

fn objects(rows: &[Row]) -> Objects {
    let items: Vec<_> = rows
        .iter()
        .map(|(kind, name, uid, deletion)| {
            json!({"apiVersion": "v1", "kind": kind, "metadata": {
                "namespace": "ci", "name": name, "uid": uid, "deletionTimestamp": deletion}})
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let change = Change { file: "x.json".into(), content: Some(Ok(Bytes::from(list))) };
    let (objects, errors) = Manifests::default().apply(vec![change]);
    assert_eq!(errors, []);
    objects
}

/// Everything, with one of a kind changed, or (without a UID) gone.
fn changed(kind: &str, uid: Option<&'static str>, deletion: Option<&'static str>) -> Objects {
    let mut rows = everything();
    for row in &mut rows {
        if row.0 == kind {
            *row = (row.0, row.1, uid.unwrap_or_default(), deletion);
        }
    }
    rows.retain(|row| !row.2.is_empty());
    objects(&rows)
}

#[test]
fn a_good_token_is_its_service_account() {
    let issuer = Issuer::new();
    let extra = |of: &Authentication| serde_json::to_value(&of.user.extra).unwrap();
    for (bound, wanted) in [
        (None, json!({})),
        (Some(Bound::Secret(reference("secret"))), json!({})),
        (
            Some(Bound::Node(reference("node"))),
            json!({"node-name": "node", "node-uid": "node-uid"}),
        ),
        (pod(None), json!({"pod-name": "web", "pod-uid": "web-uid", "node-name": "node"})),
        (
            pod(Some("elsewhere")),
            json!({"pod-name": "web", "pod-uid": "web-uid", "node-name": "node",
                "node-uid": "elsewhere"}),
        ),
    ] {
        let token = issuer.token(bound, &["api"]);
        let authentication = issuer.judge(&token, &["api"], at(NOW)).unwrap();
        let user = &authentication.user;
        assert_eq!(
            (&*user.username, &*user.uid),
            ("system:serviceaccount:ci:builder", "builder-uid")
        );
        assert_eq!(user.groups, ["system:serviceaccounts", "system:serviceaccounts:ci"]);
        let mut extra = extra(&authentication);
        let id = extra.as_object_mut().unwrap().remove(reserved::CREDENTIAL_ID).unwrap();
        assert!(id[0].as_str().unwrap().starts_with("JTI="), "{id}");
        let wanted: serde_json::Map<_, _> = wanted
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| (format!("authentication.kubernetes.io/{key}"), json!([value])))
            .collect();
        assert_eq!(extra, Value::Object(wanted));
        assert_eq!(authentication.valid_until, Some(at(NOW + 3660)), "exp and the leeway");
    }
}

#[test]
fn it_dies_with_what_it_names() {
    let issuer = Issuer::new();
    let invalidated = "service account token has been invalidated: its";
    for (kind, bound, missing, replaced, deleted) in [
        (
            "ServiceAccount",
            None,
            "service account not found".to_owned(),
            "service account UID does not match claim",
            "service account has been deleted".to_owned(),
        ),
        (
            "Secret",
            Some(Bound::Secret(reference("secret"))),
            format!("{invalidated} secret was not found"),
            "secret UID does not match service account secret ref claim",
            format!("{invalidated} secret has been deleted"),
        ),
        (
            "Pod",
            pod(Some("node-uid")),
            format!("{invalidated} pod was not found"),
            "pod UID does not match service account pod ref claim",
            format!("{invalidated} pod has been deleted"),
        ),
        (
            "Node",
            Some(Bound::Node(reference("node"))),
            format!("{invalidated} node was not found"),
            "node UID does not match service account node ref claim",
            format!("{invalidated} node has been deleted"),
        ),
    ] {
        let token = issuer.token(bound, &["api"]);
        let alive = issuer.judge(&token, &["api"], at(NOW)).unwrap();
        let uid = everything().iter().find(|row| row.0 == kind).map(|row| row.2);
        for (changed, text) in [
            (changed(kind, None, None), &*missing),
            (changed(kind, Some("other"), None), replaced),
            // 61 seconds before.
            (changed(kind, uid, Some("2024-05-01T09:58:59Z")), &*deleted),
        ] {
            assert!(issuer.objects.publish(changed));
            assert_eq!(issuer.refusal(&token, at(NOW)), ("bound_object_gone", text.to_owned()));
        }
        assert!(alive.marks.iter().any(|mark| !mark.holds()), "cached answers die too");

        issuer.objects.publish(changed(kind, uid, Some("2024-05-01T09:59:00Z")));
        let terminating = issuer.judge(&token, &["api"], at(NOW)).unwrap();
        assert_eq!(terminating.valid_until, Some(at(NOW)), "60 seconds ago is not too long");
        let later = at(NOW) + Duration::from_nanos(1);
        assert_eq!(issuer.refusal(&token, later).1, deleted);
        issuer.objects.publish(changed(kind, uid, Some("2024-05-01T10:00:01Z")));
        let terminating = issuer.judge(&token, &["api"], at(NOW)).unwrap();
        assert_eq!(terminating.valid_until, Some(at(NOW + 61)));
        issuer.objects.publish(objects(&everything()));
    }
}

#[test]
fn objects_are_looked_at_in_upstreams_order() {
    let issuer = Issuer::new();
    let names = |name: &str| json!({"name": name, "uid": format!("{name}-uid")});
    let token = issuer.saying(&json!({"iss": URL, "exp": NOW, "kubernetes.io": {
        "namespace": "ci", "serviceaccount": names("builder"), "secret": names("secret"),
        "pod": names("web"), "node": names("node")}}));
    let mut rows = Vec::new();
    for (kind, text) in [
        ("ServiceAccount", "service account not found"),
        ("Secret", "service account token has been invalidated: its secret was not found"),
        ("Pod", "service account token has been invalidated: its pod was not found"),
    ] {
        issuer.objects.publish(objects(&rows));
        assert_eq!(issuer.refusal(&token, at(NOW)).1, text);
        rows.extend(everything().into_iter().filter(|row| row.0 == kind));
    }
    issuer.objects.publish(objects(&rows));
    issuer.judge(&token, &["api"], at(NOW)).expect("the node of a pod is never looked at");
}

#[test]
fn it_is_good_for_its_own_audiences() {
    let issuer = Issuer::new();
    for (own, wanted, good) in [
        (&["a", "b"][..], &["b", "x", "a"][..], &["b", "a"][..]),
        (&["a"], &["api"], &[]),
        (&["api-2"], &["api", "api-2"], &["api-2"]),
        (&[], &["api-2", "x", "api"], &["api-2", "api"]),
        (&[], &["x"], &[]),
        (&[""], &["", "api"], &[""]),
    ] {
        let token = issuer.token(None, own);
        match issuer.judge(&token, wanted, at(NOW)) {
            Ok(authentication) => assert_eq!(authentication.audiences, good, "{own:?}"),
            Err(error) => {
                assert_eq!((error.reason(), good), ("audience_mismatch", &[][..]), "{own:?}");
            }
        }
    }
}

#[test]
fn time_has_a_minute_of_leeway() {
    let issuer = Issuer::new();
    let token = issuer.token(None, &["api"]);
    let reason = |now: u64| match issuer.judge(&token, &["api"], at(now)) {
        Ok(_) => "",
        Err(error) => error.reason(),
    };
    for (now, wanted) in
        [(NOW - 61, "not_yet_valid"), (NOW - 60, ""), (NOW + 3660, ""), (NOW + 3661, "expired")]
    {
        assert_eq!(reason(now), wanted, "{now}");
    }
    let early = issuer.judge(&token, &["api"], at(NOW - 61)).unwrap_err();
    assert_eq!(early.retry_at, Some(at(NOW - 60)));
    let future = issuer.saying(&json!({"iss": URL, "exp": NOW + 999, "iat": NOW + 61}));
    assert_eq!(issuer.refusal(&future, at(NOW)).1, "the token's iat has not come yet");
}

#[test]
fn keys_come_and_go() {
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let (old, new) = (issuer.token(None, &["api"]), other.token(None, &["api"]));
    let reasons = || {
        [&old, &new].map(|token| match issuer.judge(token, &["api"], at(NOW)) {
            Ok(_) => "",
            Err(error) => error.reason(),
        })
    };
    assert_eq!(reasons(), ["", "unknown_key"]);
    let alive = issuer.judge(&old, &["api"], at(NOW)).unwrap();
    let set = |keys: &[&Issuer]| SigningKeys::new(keys.iter().map(|of| key(&of.pem)).collect());
    for (keys, wanted) in [
        (&[&issuer, &other][..], ["", ""]),
        (&[&other, &issuer], ["", ""]),
        (&[&other], ["unknown_key", ""]),
    ] {
        assert!(issuer.keys.publish(set(keys).unwrap()));
        assert_eq!(reasons(), wanted);
    }
    assert!(alive.marks.iter().any(|mark| !mark.holds()));
    assert!(
        issuer
            .issuer
            .issue(&grant(None, &[]), at(NOW))
            .is_ok_and(|issued| { other.judge(issued.token.expose(), &["api"], at(NOW)).is_ok() }),
        "the first one signs"
    );
}

#[test]
fn what_it_says_of_objects_is_kubernetes_own() {
    let issuer = Issuer::new();
    for (claim, reason) in [
        (Value::Null, "missing_claim"),
        (json!("ci"), "invalid_claim"),
        (json!({"serviceaccount": "builder"}), "invalid_claim"),
        (json!({"namespace": "ci"}), "bound_object_gone"),
        (json!({}), "bound_object_gone"),
    ] {
        let mut claims = json!({"iss": URL, "exp": NOW});
        if !claim.is_null() {
            claims["kubernetes.io"] = claim;
        }
        assert_eq!(issuer.refusal(&issuer.saying(&claims), at(NOW)).0, reason, "{claims}");
    }
}

mod surfaces;
