//! Who may use the APIs, and for what.

use http::Method;
use serde_json::json;

use crate::support::api::{Api, SELF_SUBJECT_REVIEWS, TOKEN, TOKEN_REVIEWS, apis};
use crate::support::{Caller, Service, logs};

const GOOD: &str = "nobody";

async fn whoami(api: &Api) -> serde_json::Value {
    let review = api.post(SELF_SUBJECT_REVIEWS, &json!({})).await.created();
    review["status"]["userInfo"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_its_certificate_or_its_bearer_token() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, GOOD).await;
    assert_eq!(
        whoami(&api).await,
        json!({"username": "nobody", "uid": "3", "groups": ["system:authenticated"]})
    );
    let api = Api::showing(&service, Caller::Of("jane", "team")).await;
    let mut jane = whoami(&api).await;
    let id = jane["extra"]["authentication.kubernetes.io/credential-id"][0].take();
    assert!(id.as_str().unwrap().strip_prefix("X509SHA256=").is_some_and(|id| id.len() == 64));
    let jane = whoami(&api).await;
    assert_eq!(
        (&jane["username"], &jane["groups"]),
        (&json!("jane"), &json!(["team", "system:authenticated"]))
    );
    assert_eq!(whoami(&api.and_bearing(GOOD)).await, jane, "the certificate is asked first");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_the_version() {
    let service = apis(json!({})).start().await;
    let paths = [
        (Method::POST, TOKEN_REVIEWS),
        (Method::POST, SELF_SUBJECT_REVIEWS),
        (Method::POST, TOKEN),
        (Method::GET, "/api"),
        (Method::GET, "/apis/authentication.k8s.io/v1"),
        (Method::GET, "/openapi/v3"),
        (Method::GET, "/api/v1/secrets"),
        (Method::GET, "/foo"),
    ];
    let bad = "eyJ.bad.token";
    for api in [
        Api::showing(&service, Caller::Nobody).await,
        Api::bearing(&service, bad).await,
        Api::bearing(&service, "").await,
    ] {
        for (method, path) in &paths {
            let reply = api.send(method.clone(), path, &[], b"{}".to_vec()).await;
            assert_eq!(reply.failure(), (401, "Unauthorized".to_owned()), "{path}");
        }
        assert_eq!(api.get("/version").await.code, 200);
    }
    let nobody = Api::showing(&service, Caller::Nobody).await;
    for authorization in ["Bearer", "Basic bm9ib2R5", "nobody", "Bearernobody"] {
        let headers = [("authorization", authorization)];
        let reply = nobody.send(Method::GET, "/api", &headers, Vec::new()).await;
        assert_eq!(reply.code, 401, "{authorization}");
    }
    let extra_space = [("authorization", "Bearer  nobody")];
    let reply = nobody.send(Method::GET, "/api", &extra_space, Vec::new()).await;
    assert_eq!(
        (reply.code, reply.warnings()),
        (
            401,
            vec![
                "299 - \"the provided Authorization header contains extra space before the bearer \
                 token, and is ignored\""
                    .to_owned()
            ]
        )
    );
    let lower_case = [("authorization", "bearer nobody")];
    assert_eq!(nobody.send(Method::GET, "/api", &lower_case, Vec::new()).await.code, 200);
    assert_eq!(logs::with(bad), Vec::<String>::new(), "no token is in the log");
}

/// `kubectl --as` was passed over: who asked to be nobody was answered as himself.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_impersonates_anybody() {
    let service = apis(json!({})).start().await;
    let api = Api::bearing(&service, "reviewer").await;
    for (header, resource) in [
        ("Impersonate-User", "users"),
        ("Impersonate-Group", "groups"),
        ("Impersonate-Uid", "uids.authentication.k8s.io"),
        ("Impersonate-Extra-Scopes", "userextras.authentication.k8s.io"),
    ] {
        for (method, path) in [(Method::POST, SELF_SUBJECT_REVIEWS), (Method::GET, "/api")] {
            let reply = api.send(method, path, &[(header, "x")], b"{}".to_vec()).await;
            let (code, message) = reply.failure();
            let begins =
                format!("{resource} \"x\" is forbidden: User \"reviewer\" cannot impersonate");
            assert!(code == 403 && message.starts_with(&begins), "{header}: {message}");
        }
    }
    let nobody = Api::showing(&service, Caller::Nobody).await;
    let headers = [("impersonate-user", "reviewer")];
    assert_eq!(nobody.send(Method::GET, "/api", &headers, Vec::new()).await.code, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_by_default() {
    let service = apis(json!({"callers": null})).start().await;
    for who in ["reviewer", "requester"] {
        let api = Api::bearing(&service, who).await;
        assert_eq!(
            api.post(TOKEN_REVIEWS, &json!({"spec": {"token": GOOD}})).await.failure(),
            (
                403,
                format!(
                    "tokenreviews.authentication.k8s.io is forbidden: User \"{who}\" cannot create \
                     resource \"tokenreviews\" in API group \"authentication.k8s.io\" at the cluster \
                     scope"
                )
            )
        );
        assert_eq!(
            api.post(TOKEN, &json!({})).await.failure(),
            (
                403,
                format!(
                    "serviceaccounts \"builder\" is forbidden: User \"{who}\" cannot create resource \
                     \"serviceaccounts/token\" in API group \"\" in the namespace \"ci\""
                )
            )
        );
    }
}

/// One budget of lines for both: who was nobody often enough could then be somebody unseen.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_nobodies_hides_no_one_who_is_forbidden() {
    let service = apis(json!({})).start().await;
    let nobody = Api::showing(&service, Caller::Nobody).await;
    for _ in 0..20 {
        assert_eq!(nobody.get("/api").await.code, 401);
    }
    let curious = Api::showing(&service, Caller::Of("curious-in-the-crowd", "team")).await;
    assert_eq!(curious.post(TOKEN, &json!({})).await.code, 403);
    assert_eq!(logs::with("curious-in-the-crowd").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_may_what_its_entries_allow() {
    let service = apis(json!({"callers": [
        {"users": ["reviewer"], "allow": ["tokenreviews"]},
        {
            "users": ["reviewer"], "allow": ["serviceaccounts/token"],
            "serviceAccounts": ["ci/builder"], "audiences": ["a", "b"], "maxExpiration": "20m",
        },
        {
            "groups": ["builders", "team"], "allow": ["serviceaccounts/token"],
            "serviceAccounts": ["*/builder"], "audiences": ["*"], "maxExpiration": "15m",
        },
        {
            "groups": ["builders"], "allow": ["serviceaccounts/token"],
            "serviceAccounts": ["other/*"], "audiences": ["*"],
        },
    ]}))
    .start()
    .await;
    let review = json!({"spec": {"token": GOOD}});
    let reviewer = Api::bearing(&service, "reviewer").await;
    assert_eq!(reviewer.post(TOKEN_REVIEWS, &review).await.code, 201);
    let requester = Api::bearing(&service, "requester").await;
    assert_eq!(requester.post(TOKEN_REVIEWS, &review).await.code, 403);

    let ask = async |api: &Api, audiences: &[&str]| {
        let reply = api.post(TOKEN, &json!({"spec": {"audiences": audiences}})).await;
        let warnings = reply.warnings();
        match reply.code {
            201 => Ok((reply.json()["spec"]["expirationSeconds"].as_i64().unwrap(), warnings)),
            _ => Err(reply.failure()),
        }
    };
    let shortened = |seconds: i64| {
        let text = format!(
            "299 - \"requested expiration of 3600 seconds shortened to {seconds} seconds\""
        );
        Ok((seconds, vec![text]))
    };
    assert_eq!(ask(&reviewer, &["b", "a"]).await, shortened(1200));
    assert_eq!(ask(&requester, &["b", "anything"]).await, shortened(900));
    let team = Api::showing(&service, Caller::Of("jane", "team")).await;
    assert_eq!(ask(&team, &["c"]).await, shortened(900), "by the certificate's organization");
    for audiences in [&["a", "c"][..], &[]] {
        let (code, message) = ask(&reviewer, audiences).await.unwrap_err();
        assert_eq!(code, 403);
        assert!(
            message.ends_with(": no entry of callers allows all audiences of the token"),
            "also the default ones: {message}"
        );
    }
    let other = "/api/v1/namespaces/ci/serviceaccounts/other/token";
    assert_eq!(reviewer.post(other, &json!({})).await.code, 403);
    assert_eq!(requester.post(other, &json!({})).await.code, 403);
    let elsewhere = "/api/v1/namespaces/other/serviceaccounts/none/token";
    assert_eq!(
        requester.post(elsewhere, &json!({})).await.code,
        404,
        "it may, but it is not there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_calls_under_its_plain_name() {
    let service: Service = apis(json!({"callers": [
        {"users": ["requester"], "allow": ["serviceaccounts/token"], "serviceAccounts": ["*/*"], "audiences": ["*"]},
        {"groups": ["system:serviceaccounts:ci"], "allow": ["tokenreviews"]},
    ]}))
    .start()
    .await;
    let requester = Api::bearing(&service, "requester").await;
    let token = requester
        .token(json!({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "pod"}}))
        .await;
    let account = Api::bearing(&service, &token).await;
    let user = whoami(&account).await;
    assert_eq!(user["username"], "system:serviceaccount:ci:builder");
    assert_eq!(user["uid"], "sa-uid");
    assert_eq!(user["extra"]["authentication.kubernetes.io/pod-name"], json!(["pod"]));
    let review = json!({"spec": {"token": GOOD}});
    assert_eq!(account.post(TOKEN_REVIEWS, &review).await.code, 201);
    // Good, but not for us.
    let token = requester.token(json!({"audiences": ["vault"]})).await;
    let elsewhere = Api::bearing(&service, &token).await;
    assert_eq!(elsewhere.post(SELF_SUBJECT_REVIEWS, &json!({})).await.code, 401);
}
