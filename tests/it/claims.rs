//! From claims to the user and audiences that kube-apiserver gets, for each thing that can be
//! configured about it.

use serde_json::{Value, json};

use crate::support::client::User;
use crate::support::{API, Issuer, Service, Verdict, now};

/// What is expected of a token.
pub enum Want {
    User(User),
    /// Refused, for this reason.
    Reason(&'static str),
}

pub fn user(username: &str) -> User {
    User { username: username.to_owned(), ..User::default() }
}

pub fn named(username: &str) -> Want {
    Want::User(user(username))
}

/// Starts a service for one provider with `over` laid over its entry, and asserts what tokens with
/// these claims get. The claims have no `jti` unless they say so.
pub async fn expect(over: Value, cases: impl IntoIterator<Item = (&str, Value, Want)>) {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(over)]).await;
    let kube = service.kube().await;
    for (what, claims, want) in cases {
        let mut all = issuer.claims(json!({"jti": null}));
        crate::support::lay(&mut all, claims);
        let token = issuer.key().token(&all);
        match want {
            Want::User(user) => {
                let verdict = kube.authenticate(&token).await;
                assert_eq!(verdict, Verdict::User(user, vec![API.to_owned()]), "{what}");
            }
            Want::Reason(reason) => {
                let labels = [("issuer", &*issuer.url), ("reason", reason)];
                let before = service.metric("rejections_total", &labels).await;
                let verdict = kube.authenticate(&token).await;
                assert!(matches!(verdict, Verdict::Error(_)), "{what}: {verdict:?}");
                let after = service.metric("rejections_total", &labels).await;
                assert_eq!(after, before + 1.0, "{what} is not {reason}: {verdict:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_name_uid_groups_and_extra() {
    let mappings = json!({"claimMappings": {
        "username": {"claim": "email", "prefix": "oidc:"},
        "groups": {"claim": "roles", "prefix": "role:"},
        "uid": {"claim": "oid"},
        "extra": [
            {"key": "example.com/team", "claim": "team"},
            {"key": "example.com/tags", "claim": "tags"},
        ],
    }});
    let whole = json!({
        "email": "a@example.com", "roles": ["x", "y", "x"], "oid": "77", "team": "red",
        "tags": ["1", "2"], "jti": "j",
    });
    let mut full = user("oidc:a@example.com");
    full.uid = "77".to_owned();
    full.groups = ["role:x", "role:y", "role:x"].map(str::to_owned).to_vec();
    let strings = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    full.extra = [
        ("authentication.kubernetes.io/credential-id", strings(&["JTI=j"])),
        ("example.com/tags", strings(&["1", "2"])),
        ("example.com/team", strings(&["red"])),
    ]
    .map(|(key, values)| (key.to_owned(), values))
    .into();
    let change = |over: Value| {
        let mut claims = whole.clone();
        crate::support::lay(&mut claims, over);
        claims
    };
    let with = |alter: &dyn Fn(&mut User)| {
        let mut user = full.clone();
        alter(&mut user);
        Want::User(user)
    };
    let cases = [
        ("all of it", change(json!({})), with(&|_| {})),
        ("one group", change(json!({"roles": "x"})), with(&|it| it.groups = vec!["role:x".into()])),
        ("no groups", change(json!({"roles": null})), with(&|it| it.groups.clear())),
        ("empty groups", change(json!({"roles": []})), with(&|it| it.groups.clear())),
        (
            "no extra",
            change(json!({"team": null, "tags": null})),
            with(&|it| it.extra.retain(|key, _| key.starts_with("authentication"))),
        ),
        (
            "a jti that is no string",
            change(json!({"jti": 7})),
            with(&|it| drop(it.extra.remove("authentication.kubernetes.io/credential-id"))),
        ),
        (
            "letters of the world",
            change(json!({"email": "ä𝄞\"\\@x"})),
            with(&|it| it.username = "oidc:ä𝄞\"\\@x".into()),
        ),
        ("groups of numbers", change(json!({"roles": [1]})), Want::Reason("invalid_claim")),
        ("groups as object", change(json!({"roles": {}})), Want::Reason("invalid_claim")),
        ("no uid", change(json!({"oid": null})), Want::Reason("missing_claim")),
        ("uid as number", change(json!({"oid": 77})), Want::Reason("invalid_claim")),
        ("a sub that nobody asks for", change(json!({"sub": 7})), Want::Reason("invalid_claim")),
        ("no name", change(json!({"email": null})), Want::Reason("missing_claim")),
        ("a name that is a list", change(json!({"email": ["a"]})), Want::Reason("invalid_claim")),
        (
            "names are exact",
            change(json!({"email": null, "Email": "x"})),
            Want::Reason("missing_claim"),
        ),
    ];
    expect(mappings, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_counts_only_if_it_is_verified() {
    let by_address = json!({"claimMappings": {"username": {"claim": "email", "prefix": ""}}});
    let address = |verified: Value| json!({"email": "a@b", "email_verified": verified});
    let cases = [
        ("nothing said", json!({"email": "a@b"}), named("a@b")),
        ("verified", address(json!(true)), named("a@b")),
        ("not verified", address(json!(false)), Want::Reason("email_not_verified")),
        ("a word for it", address(json!("true")), Want::Reason("invalid_claim")),
        ("a number for it", address(json!(1)), Want::Reason("invalid_claim")),
    ];
    expect(by_address, cases).await;
    let unverified = json!({"email": "a@b", "email_verified": false});
    expect(json!({}), [("not asked for", unverified, named("alice"))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_nameless_but_a_prefix_is_a_name() {
    let cases = [("empty", json!({"sub": ""}), Want::Reason("empty_username"))];
    expect(json!({}), cases).await;
    let prefixed = json!({"claimMappings": {"username": {"claim": "sub", "prefix": "p:"}}});
    let cases = [("only a prefix", json!({"sub": ""}), named("p:"))];
    expect(prefixed, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn system_identities_need_permission() {
    let groups = json!({
        "claimMappings": {
            "groups": {"claim": "groups", "prefix": ""},
            "extra": [{"key": "example.com/team", "claim": "team"}],
        },
    });
    let masters = || json!({"groups": ["dev", "system:masters"]});
    let admin = || json!({"sub": "system:kube-controller-manager"});
    let cases = [
        ("a user", admin(), Want::Reason("reserved_identity")),
        ("a group", masters(), Want::Reason("reserved_identity")),
        ("the word alone", json!({"sub": "system"}), named("system")),
        ("further inside", json!({"sub": "a:system:b"}), named("a:system:b")),
    ];
    expect(groups.clone(), cases).await;
    let mut allowed = groups;
    allowed["issuer"]["allowReserved"] = json!(true);
    let mut alice = user("alice");
    alice.groups = vec!["dev".to_owned(), "system:masters".to_owned()];
    let cases = [
        ("a user", admin(), named("system:kube-controller-manager")),
        ("a group", masters(), Want::User(alice)),
    ];
    expect(allowed, cases).await;
    let prefixed = json!({"claimMappings": {"username": {"claim": "sub", "prefix": "sys"}}});
    let joined = json!({"sub": "tem:masters"});
    expect(prefixed, [("put together", joined, Want::Reason("reserved_identity"))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_demand_a_claim_of_one_value() {
    let rules = json!({"claimValidationRules": [
        {"claim": "hd", "requiredValue": "example.com"},
        {"claim": "tier", "requiredValue": ""},
    ]});
    let tier = |hd: Value| json!({"hd": hd, "tier": ""});
    let cases = [
        ("both", tier(json!("example.com")), named("alice")),
        ("another value", tier(json!("example.org")), Want::Reason("claim_rule")),
        ("another case", tier(json!("Example.com")), Want::Reason("claim_rule")),
        ("a list", tier(json!(["example.com"])), Want::Reason("invalid_claim")),
        ("not there", tier(Value::Null), Want::Reason("missing_claim")),
        ("the second", json!({"hd": "example.com"}), Want::Reason("missing_claim")),
    ];
    expect(rules, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifetime_may_be_too_long() {
    let hour = json!({"issuer": {"maxTokenLifetime": "1h"}});
    let at = now();
    let cases = [
        ("an hour", json!({"iat": at, "exp": at + 3600}), named("alice")),
        ("a second more", json!({"iat": at, "exp": at + 3601}), Want::Reason("lifetime_too_long")),
        (
            "issued long ago",
            json!({"iat": at - 3600, "exp": at + 60}),
            Want::Reason("lifetime_too_long"),
        ),
        ("for ever", json!({"iat": at, "exp": 1e300}), Want::Reason("lifetime_too_long")),
        ("unknown", json!({"iat": null}), Want::Reason("missing_claim")),
    ];
    expect(hour, cases).await;
    let cases = [("no limit", json!({"iat": 1, "exp": at + 1_000_000_000}), named("alice"))];
    expect(json!({}), cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_may_be_a_little_off() {
    let skewed = json!({"issuer": {"clockSkew": "10m"}});
    let cases = [
        ("within", json!({"exp": now() - 300}), named("alice")),
        ("without", json!({"exp": now() - 900}), Want::Reason("expired")),
    ];
    expect(skewed, cases).await;
    let cases = [
        ("no skew", json!({"exp": now() - 10}), Want::Reason("expired")),
        ("upstream's minute", json!({"nbf": now() + 30}), named("alice")),
        ("more than that", json!({"nbf": now() + 90}), Want::Reason("not_yet_valid")),
        ("issued tomorrow", json!({"iat": now() + 86400}), named("alice")),
    ];
    expect(json!({}), cases).await;
}

/// What a token for some audiences is good for, by `audienceScope` (design, section 3).
#[tokio::test(flavor = "multi_thread")]
async fn audiences_are_those_wanted_that_the_token_is_good_for() {
    let issuers = [Issuer::start().await, Issuer::start().await];
    let audiences = json!(["kubernetes", "vault"]);
    let entry = |issuer: &Issuer, scope: &str| {
        issuer.entry(json!({"issuer": {
            "audiences": audiences, "audienceMatchPolicy": "MatchAny", "audienceScope": scope,
        }}))
    };
    let entries = [entry(&issuers[0], "APIServer"), entry(&issuers[1], "Token")];
    let service = Service::trusting(entries).await;
    let kube = service.kube().await;
    let [server, token] = &issuers;
    for (issuer, aud, wanted, good) in [
        (server, json!("kubernetes"), &[API][..], Some(&[API][..])),
        (server, json!("kubernetes"), &[], Some(&[API])),
        (server, json!("kubernetes"), &["kubernetes"], Some(&["kubernetes"])),
        (server, json!(["kubernetes"]), &["vault", API, "kubernetes"], Some(&[API, "kubernetes"])),
        (
            server,
            json!(["vault", "kubernetes"]),
            &["kubernetes", "vault"],
            Some(&["kubernetes", "vault"]),
        ),
        (server, json!(["kubernetes", "other"]), &["other"], None),
        (server, json!("kubernetes"), &["vault"], None),
        (server, json!("other"), &[API], None),
        (server, json!(API), &[API], None),
        (token, json!("kubernetes"), &[API], None),
        (token, json!("kubernetes"), &[], None),
        (token, json!("kubernetes"), &["kubernetes", API], Some(&["kubernetes"])),
        (token, json!(["kubernetes", API]), &[API], Some(&[API])),
        (token, json!(["kubernetes", "other"]), &["x", "other"], Some(&["other"])),
        (token, json!("other"), &["other"], None),
    ] {
        let what = format!("{aud} for {wanted:?}");
        let verdict = kube.authenticate_for(&issuer.token(json!({"aud": aud})), wanted).await;
        match (good, verdict) {
            // Asked about none, the client does not look at what it got.
            (Some(_), Verdict::User(..)) if wanted.is_empty() => {}
            (Some(good), Verdict::User(_, got)) => assert_eq!(got, good, "{what}"),
            (None, Verdict::Error(_)) => {}
            (_, verdict) => panic!("{what}: {verdict:?}"),
        }
    }
    let mismatches = service.metric("rejections_total", &[("reason", "audience_mismatch")]).await;
    assert_eq!(mismatches, 7.0);
}

/// Each wanted audience was compared with each of the token's: minutes for one request.
#[tokio::test(flavor = "multi_thread")]
async fn many_audiences_are_many_and_not_their_product() {
    let issuer = Issuer::start().await;
    let scope = json!({"issuer": {"audienceScope": "Token"}});
    let service = Service::trusting([issuer.entry(scope)]).await;
    let kube = service.kube().await;
    let mut own = vec!["y"; 11_000];
    own.push("kubernetes");
    let token = issuer.token(json!({"aud": own}));
    let mut wanted = vec!["z"; 700_000];
    wanted.push("kubernetes");
    let verdict = crate::support::within(kube.authenticate_for(&token, &wanted)).await;
    assert!(matches!(verdict, Some(Verdict::User(_, audiences)) if audiences == ["kubernetes"]));
}
