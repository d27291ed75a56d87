//! A client of the APIs, and a service that has something to offer them: an embedded issuer, some
//! objects, and callers with different rights.

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::client::Protocol;
use super::service::Setup;
use super::{Caller, Kube, Service};

pub const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
pub const SELF_SUBJECT_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
pub const TOKEN: &str = "/api/v1/namespaces/ci/serviceaccounts/builder/token";
/// What the embedded issuer is called.
pub const ISSUER: &str = "https://issuer.test";

/// The token file: who each of these is, callers below say what they may.
const TOKENS: &str =
    "reviewer,reviewer,1,\"g\"\nrequester,requester,2,\"builders\"\nnobody,nobody,3\n";

/// Everything there is, by file.
pub const OBJECTS: [(&str, &str); 4] = [
    (
        "account.yaml",
        "{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: ci, name: builder, uid: sa-uid}}",
    ),
    (
        "pod.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {namespace: ci, name: pod, uid: pod-uid}, spec: {serviceAccountName: builder, nodeName: node}}",
    ),
    (
        "secret.yaml",
        "{apiVersion: v1, kind: Secret, metadata: {namespace: ci, name: secret, uid: secret-uid}}",
    ),
    ("node.yaml", "{apiVersion: v1, kind: Node, metadata: {name: node, uid: node-uid}}"),
];

/// A service with all of it; `over` is laid over its configuration.
pub fn apis(over: Value) -> Setup {
    with_everything(Setup::new(apis_configuration(over)))
}

/// What all of it is configured as, with `over` laid over it.
pub fn apis_configuration(over: Value) -> Value {
    let mut config = json!({
        "tokenFile": {"path": "tokens.csv"},
        "serviceAccountIssuer": {
            "url": ISSUER,
            "signingKeyFiles": ["sa.key"],
            "objectsDir": "objects",
            "maxExpiration": "2h",
            "usernamePrefix": "x:",
            "groupsPrefix": "x:",
        },
        "callers": [
            {"users": ["reviewer"], "allow": ["tokenreviews"]},
            {
                "groups": ["builders"],
                "allow": ["serviceaccounts/token"],
                "serviceAccounts": ["ci/*"],
                "audiences": ["*"],
            },
        ],
    });
    super::lay(&mut config, over);
    config
}

/// The files that it names.
pub fn with_everything(setup: Setup) -> Setup {
    let setup = setup.with_file("tokens.csv", TOKENS).with_file("sa.key", &signing_key());
    OBJECTS
        .iter()
        .fold(setup, |setup, (file, text)| setup.with_file(&format!("objects/{file}"), text))
}

/// A private key, ECDSA on P-256.
pub fn signing_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem()
}

/// A client, as one of the token file or by its certificate.
pub struct Api {
    kube: Kube,
    token: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub code: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code and the message of a `metav1.Status`, which it has to be.
    #[track_caller]
    pub fn failure(&self) -> (u16, String) {
        let status = self.json();
        assert_eq!((&status["kind"], &status["apiVersion"]), (&json!("Status"), &json!("v1")));
        assert_eq!(status["code"], self.code, "{status}");
        (self.code, status["message"].as_str().unwrap().to_owned())
    }

    /// The object of a 201.
    #[track_caller]
    pub fn created(&self) -> Value {
        assert_eq!(self.code, 201, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Every warning.
    pub fn warnings(&self) -> Vec<String> {
        let values = self.headers.get_all("warning").iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

impl Api {
    /// One who shows a bearer token.
    pub async fn bearing(service: &Service, token: &str) -> Self {
        let kube = service.connect(Caller::Nobody, Protocol::Http2).await.unwrap();
        Self { kube, token: Some(token.to_owned()) }
    }

    /// One who shows a certificate, or nothing.
    pub async fn showing(service: &Service, caller: Caller) -> Self {
        Self { kube: service.connect(caller, Protocol::Http2).await.unwrap(), token: None }
    }

    /// The same, with a bearer token as well.
    pub fn and_bearing(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    /// Sends anything.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://countersign{path}"))
            .header("user-agent", "test/1.0");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into()).boxed()).unwrap();
        let (head, body) = self.kube.send(request).await.unwrap().into_parts();
        Reply { code: head.status.as_u16(), headers: head.headers, body: body.to_vec() }
    }

    /// Requests a token with that spec.
    pub async fn token(&self, spec: Value) -> String {
        let reply = self.post(TOKEN, &json!({"spec": spec})).await;
        reply.created()["status"]["token"].as_str().unwrap().to_owned()
    }
}
