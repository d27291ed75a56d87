//! Groups that an issuer leaves to others: how they are fetched and what is believed.

mod bounds; // how long, how many, and whom a source that stalls or lies can harm

use serde_json::{Value, json};

use crate::support::issuer::{CLAIMS, DISCOVERY, MOVED_CLAIMS};
use crate::support::service::Setup;
use crate::support::signing::{encode, hmac_token, unique};
use crate::support::{Issuer, Key, Kube, Manner, Service, Verdict, lay, logs, now};

/// The entry of an issuer whose groups may be kept elsewhere.
fn entry(issuer: &Issuer) -> Value {
    issuer.entry(json!({"claimMappings": {"groups": {"claim": "groups", "prefix": "g:"}}}))
}

/// A service that trusts one provider, and a connection to it; and a source that nobody configured.
async fn scene() -> (Issuer, Issuer, Service, Kube) {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let service = Service::trusting([entry(&issuer)]).await;
    let kube = service.kube().await;
    (issuer, source, service, kube)
}

/// Claims of alice's that leave the groups to `endpoint`.
fn leaving(issuer: &Issuer, endpoint: &str, access_token: &str) -> Value {
    issuer.claims(json!({
        "_claim_names": {"groups": "src"},
        "_claim_sources": {"src": {"endpoint": endpoint, "access_token": access_token}},
    }))
}

/// A token of alice's whose groups `source` has, for those who show `access_token`.
fn token(issuer: &Issuer, source: &Issuer, access_token: &str) -> String {
    issuer.key().token(&leaving(issuer, &format!("{}{CLAIMS}", source.url), access_token))
}

/// What a source says of alice: a JWT of `signer` with these claims.
fn says(signer: &Issuer, over: Value) -> String {
    signer.key().token(&answer(signer, over))
}

fn answer(signer: &Issuer, over: Value) -> Value {
    let mut claims = json!({
        "iss": signer.url, "aud": "kubernetes", "exp": now() + 3600, "groups": ["a", "b"],
    });
    lay(&mut claims, over);
    claims
}

#[track_caller]
fn groups(verdict: Verdict) -> Vec<String> {
    match verdict {
        Verdict::User(user, _) => user.groups,
        other => panic!("not authenticated: {other:?}"),
    }
}

async fn refused(service: &Service, issuer: &Issuer, reason: &str) -> f64 {
    let labels = [("issuer", &*issuer.url), ("reason", reason)];
    service.metric("rejections_total", &labels).await
}

/// Reviews `token`, which has to be refused for `reason`, without a word about whence or why.
async fn refuses(
    service: &Service,
    kube: &Kube,
    issuer: &Issuer,
    token: &str,
    reason: &str,
    what: &str,
) {
    let result = if reason == "claims_source_unavailable" { "unavailable" } else { "rejected" };
    let labels = [("result", result)];
    let results = || service.metric("authentications_total", &labels);
    let before = (refused(service, issuer, reason).await, results().await);
    let verdict = kube.authenticate(token).await;
    let Verdict::Error(error) = &verdict else { panic!("{what}: {verdict:?}") };
    let said = error.strip_prefix(&*issuer.url).unwrap_or_else(|| panic!("{what}: {error}"));
    for hidden in ["https://127", "127.0.0.1", CLAIMS, "secret", "hidden"] {
        assert!(!said.contains(hidden), "{what}: {error}");
    }
    let after = (refused(service, issuer, reason).await, results().await);
    assert_eq!(after, (before.0 + 1.0, before.1 + 1.0), "{what} is not {reason}: {verdict:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_what_the_source_says_in_a_token_of_whoever_signs() {
    let (issuer, source, _service, kube) = scene().await;
    let third = Issuer::start().await;
    for (what, jwt, want) in [
        ("a list", says(&source, json!({})), &["g:a", "g:b"][..]),
        ("one", says(&source, json!({"groups": "a"})), &["g:a"]),
        ("an empty list", says(&source, json!({"groups": []})), &[]),
        ("one of the configured issuer's", says(&issuer, json!({})), &["g:a", "g:b"]),
        ("one of a third party's", says(&third, json!({})), &["g:a", "g:b"]),
        ("one with a newline behind", says(&source, json!({})) + "\r\n", &["g:a", "g:b"]),
        (
            "one with other claims",
            says(&source, json!({"sub": "root", "uid": "0"})),
            &["g:a", "g:b"],
        ),
        (
            "one of several audiences",
            says(&source, json!({"aud": ["x", "kubernetes"]})),
            &["g:a", "g:b"],
        ),
    ] {
        let secret = unique("secret");
        source.serves(&secret, &jwt);
        let verdict = kube.authenticate(&token(&issuer, &source, &secret)).await;
        assert_eq!(verdict.username(), "alice", "{what}");
        assert_eq!(groups(verdict), want, "{what}");
    }
    let null = answer(&source, json!({})).to_string().replace(r#"["a","b"]"#, "null");
    source.serves("", &source.key().token_of(&source.key().header().to_string(), &null));
    let verdict = kube.authenticate(&token(&issuer, &source, "")).await;
    assert!(groups(verdict).is_empty(), "null is no groups, and no access token is no header");
    assert_eq!((source.asked(DISCOVERY), third.asked(DISCOVERY)), (1, 1), "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_asked_only_for_what_is_not_there() {
    let (issuer, source, service, kube) = scene().await;
    source.serves("secret", &says(&source, json!({})));
    let endpoint = format!("{}{CLAIMS}", source.url);
    let with = |over: Value| {
        let mut claims = leaving(&issuer, &endpoint, "secret");
        lay(&mut claims, over);
        claims
    };
    for (what, claims, want) in [
        ("a claim that is there", with(json!({"groups": "here"})), &["g:here"][..]),
        (
            "an aggregated claim",
            with(json!({"_claim_sources": {"src": {"endpoint": "", "JWT": "x.y.z"}}})),
            &[],
        ),
        ("another claim", with(json!({"_claim_names": {"groups": null, "roles": "src"}})), &[]),
        ("no claim names", with(json!({"_claim_names": null})), &[]),
    ] {
        assert_eq!(groups(kube.authenticate(&issuer.key().token(&claims)).await), want, "{what}");
    }
    let null = with(json!({"groups": "?"})).to_string().replace(r#""?""#, "null");
    let null = issuer.key().token_of(&issuer.key().header().to_string(), &null);
    assert!(groups(kube.authenticate(&null).await).is_empty(), "null is there");
    for (what, over) in [
        ("a source that does not exist", json!({"_claim_names": {"groups": "other"}})),
        ("no sources", json!({"_claim_sources": null})),
        ("an endpoint that is no text", json!({"_claim_sources": {"src": {"endpoint": 5}}})),
    ] {
        let token = issuer.key().token(&with(over));
        refuses(&service, &kube, &issuer, &token, "invalid_claim", what).await;
    }
    let forged = Key::new("ES256").token(&with(json!({})));
    refuses(&service, &kube, &issuer, &forged, "unknown_key", "a forged token").await;
    let expired = issuer.key().token(&with(json!({"exp": now() - 5})));
    refuses(&service, &kube, &issuer, &expired, "expired", "an expired token").await;
    assert_eq!(source.asked(CLAIMS), 0);

    let nameless = issuer.key().token(&with(json!({"sub": 5})));
    refuses(&service, &kube, &issuer, &nameless, "invalid_claim", "a bad token").await;
    assert_eq!(source.asked(CLAIMS), 0, "sub is looked at before");
    source.answers(CLAIMS, Manner::Status(500));
    let nobody = issuer.key().token(&with(json!({"sub": null})));
    let reason = "claims_source_unavailable";
    refuses(&service, &kube, &issuer, &nobody, reason, "as upstream, before the username").await;

    let bare = Service::trusting([issuer.entry(json!({}))]).await;
    let verdict = bare.kube().await.authenticate(&token(&issuer, &source, "secret")).await;
    assert!(groups(verdict).is_empty(), "groups that nobody maps");
    assert_eq!(source.asked(CLAIMS), 1);
}

/// Rules and the guard see what was fetched, as upstream.
#[tokio::test(flavor = "multi_thread")]
async fn fetched_groups_are_judged_as_the_tokens_own() {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let service = Service::trusting([issuer.entry(json!({
        "claimMappings": {"groups": {"claim": "groups", "prefix": ""}},
        "claimValidationRules": [{"claim": "groups", "requiredValue": "staff"}],
    }))])
    .await;
    let kube = service.kube().await;
    source.serves("staff", &says(&source, json!({"groups": "staff"})));
    assert_eq!(groups(kube.authenticate(&token(&issuer, &source, "staff")).await), ["staff"]);
    source.serves("others", &says(&source, json!({"groups": "others"})));
    let others = token(&issuer, &source, "others");
    refuses(&service, &kube, &issuer, &others, "claim_rule", "a rule").await;

    let bare = json!({"claimMappings": {"groups": {"claim": "groups", "prefix": ""}}});
    let service = Service::trusting([issuer.entry(bare)]).await;
    source.serves("masters", &says(&source, json!({"groups": ["system:masters"]})));
    let (kube, masters) = (service.kube().await, token(&issuer, &source, "masters"));
    refuses(&service, &kube, &issuer, &masters, "reserved_identity", "the guard").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_proven_answer_gives_none() {
    let (issuer, source, service, kube) = scene().await;
    let (other, victim, dark) =
        (Issuer::start().await, Issuer::start().await, Issuer::start().await);
    dark.turns(Manner::Dark);
    let liar = Issuer::start().await;
    liar.claims_to_be(json!({"issuer": victim.url}));
    let stranger = Key::new("ES256");
    let payload = answer(&source, json!({})).to_string();
    let good = says(&source, json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let jwt = |text: String| Manner::Says(text);
    let named = |iss: &str| Manner::Says(source.key().token(&answer(&source, json!({"iss": iss}))));
    for (what, manner) in [
        ("401 for a wrong bearer", Manner::Well),
        ("an error", Manner::Status(500)),
        ("nothing there", Manner::Status(404)),
        ("a success without content", Manner::Status(204)),
        ("darkness", Manner::Dark),
        ("100 MB", Manner::Floods(100 << 20)),
        ("a loop", Manner::Redirects(format!("{}{CLAIMS}", source.url))),
        ("a redirect to nowhere", Manner::Redirects(String::new())),
        ("a redirect to another origin", Manner::Redirects(format!("{}{CLAIMS}", other.url))),
        ("a redirect to a file", Manner::Redirects("file:///etc/passwd".to_owned())),
        ("nothing", jwt(String::new())),
        ("a page", jwt("<html>".to_owned())),
        ("JSON", jwt(payload.clone())),
        ("half a JWT", jwt(good[..good.len() / 2].to_owned())),
        ("two JWTs", jwt(format!("{good}.{good}"))),
        ("a JWT without iss", named_none(&source)),
        (
            "a forged signature",
            jwt(stranger
                .named(&source.key().kid)
                .token_of(&source.key().header().to_string(), &payload)),
        ),
        ("a key that nobody has", jwt(stranger.token_of(&stranger.header().to_string(), &payload))),
        ("no signature", jwt(format!("{signed}."))),
        ("no algorithm", jwt(format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&payload)))),
        ("a shared secret", jwt(hmac_token(r#"{"alg":"HS256"}"#, &payload, &[7; 32]))),
        ("another issuer's name", named(&other.url)),
        ("the configured issuer's name", named(&issuer.url)),
        ("a dark issuer's name", named(&dark.url)),
        (
            "an issuer that is another by its own account",
            jwt(says(&liar, json!({"iss": victim.url, "hidden": 1}))),
        ),
        ("an issuer whose document is another's", jwt(says(&liar, json!({})))),
        ("an issuer without TLS", named("http://127.0.0.1:1")),
        ("an issuer in a file", named("file:///etc")),
        ("an issuer that is a query", named(&format!("{}/?", source.url))),
        ("an issuer of no name", named("")),
    ] {
        source.answers(CLAIMS, manner);
        let token = token(&issuer, &source, &unique("secret"));
        refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", what).await;
        assert!(source.asked(CLAIMS) > 0, "{what}");
    }
    assert_eq!(other.asked(CLAIMS), 0, "and the access token stays within its origin");
    source.answers(CLAIMS, Manner::Well);
    source.serves("secret", &good);
    let verdict = kube.authenticate(&token(&issuer, &source, "secret")).await;
    assert_eq!(groups(verdict), ["g:a", "g:b"], "none of it does harm");
}

fn named_none(source: &Issuer) -> Manner {
    Manner::Says(source.key().token(&answer(source, json!({"iss": null}))))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proven_answer_says_counts_as_if_the_token_said_it() {
    let (issuer, source, service, kube) = scene().await;
    let further = json!({
        "groups": null,
        "_claim_names": {"groups": "src"},
        "_claim_sources": {"src": {"endpoint": format!("{}{MOVED_CLAIMS}", source.url)}},
    });
    let twice = answer(&source, json!({})).to_string().replacen('{', r#"{"groups":"x","#, 1);
    let twice = source.key().token_of(&source.key().header().to_string(), &twice);
    for (what, jwt, reason) in [
        ("expired", says(&source, json!({"exp": now() - 5})), "expired"),
        ("without end", says(&source, json!({"exp": null})), "expired"),
        ("of tomorrow", says(&source, json!({"nbf": now() + 86400})), "not_yet_valid"),
        ("for others", says(&source, json!({"aud": "others"})), "audience_mismatch"),
        ("for nobody", says(&source, json!({"aud": null})), "audience_mismatch"),
        ("without groups", says(&source, json!({"groups": null})), "missing_claim"),
        ("with groups elsewhere", says(&source, further), "missing_claim"),
        (
            "with a source that does not exist",
            says(&source, json!({"_claim_names": {"x": "y"}})),
            "invalid_claim",
        ),
        ("with numbers", says(&source, json!({"groups": [1]})), "invalid_claim"),
        ("with an object", says(&source, json!({"groups": {}})), "invalid_claim"),
        ("with a number for a subject", says(&source, json!({"sub": 5})), "invalid_claim"),
        ("with groups twice", twice, "malformed"),
    ] {
        let secret = unique("secret");
        source.serves(&secret, &jwt);
        let token = token(&issuer, &source, &secret);
        refuses(&service, &kube, &issuer, &token, reason, what).await;
        let asked = source.asked(CLAIMS);
        kube.authenticate(&token).await.error();
        assert_eq!(source.asked(CLAIMS), asked, "{what} is remembered");
    }
    assert_eq!(source.asked(MOVED_CLAIMS), 0, "and not followed any further");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_https_endpoints_are_asked_whatever_the_token_says() {
    let (issuer, mut source, service, kube) = scene().await;
    let clear = source.in_the_clear().await;
    for (what, endpoint) in [
        ("plain HTTP", format!("{clear}{CLAIMS}")),
        ("a file", "file:///etc/passwd".to_owned()),
        ("a socket", "unix:///run/containerd/containerd.sock".to_owned()),
        ("a path", CLAIMS.to_owned()),
        ("a name", "localhost".to_owned()),
        ("a user", source.url.replace("https://", "https://hidden:hidden@") + CLAIMS),
        ("another scheme", source.url.replace("https", "gopher")),
        ("a line break", format!("{}{CLAIMS}\r\nhost: hidden", source.url)),
        ("nobody there", format!("https://127.0.0.1:1{CLAIMS}")),
        ("not TLS", clear.replace("http://", "https://") + CLAIMS),
    ] {
        let token = issuer.key().token(&leaving(&issuer, &endpoint, "secret"));
        refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", what).await;
    }
    let token =
        issuer.key().token(&leaving(&issuer, &format!("{}{CLAIMS}", source.url), "a\r\nb: c"));
    let what = "an access token with a line break";
    refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", what).await;
    assert_eq!(source.asked(CLAIMS), 0);

    source.serves("secret", &says(&source, json!({})));
    source.answers(CLAIMS, Manner::Redirects(format!("{}{MOVED_CLAIMS}", source.url)));
    let verdict = kube.authenticate(&self::token(&issuer, &source, "secret")).await;
    assert_eq!(groups(verdict), ["g:a", "g:b"], "moved within its origin");
}

/// The issuer's own authority vouches for sources and their issuers, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_another_authority_is_not_believed() {
    let (issuer, source) = (Issuer::start().await, Issuer::start().await);
    let mut other = entry(&issuer);
    lay(
        &mut other,
        json!({"issuer": {
            "certificateAuthority": crate::support::pki::SERVERS.pem, "jwksFile": "keys.json",
        }}),
    );
    let setup = Setup::new(json!({"jwt": [other]})).with_file("keys.json", &issuer.key_set());
    let service = setup.start().await;
    let kube = service.kube().await;
    source.serves("secret", &says(&issuer, json!({})));
    let token = token(&issuer, &source, "secret");
    refuses(&service, &kube, &issuer, &token, "claims_source_unavailable", "its CA").await;
    assert_eq!(source.asked(CLAIMS), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_access_token_and_no_claim_is_logged() {
    let (issuer, source, service, kube) = scene().await;
    let (secret, place) = (unique("hidden-secret"), unique("hidden-place"));
    source.serves(&secret, &says(&source, json!({"groups": [&place]})));
    assert_eq!(groups(kube.authenticate(&token(&issuer, &source, &secret)).await).len(), 1);
    let endpoint = format!("{}/{place}", source.url);
    let elsewhere = issuer.key().token(&leaving(&issuer, &endpoint, &secret));
    let reason = "claims_source_unavailable";
    refuses(&service, &kube, &issuer, &elsewhere, reason, "a wrong place").await;
    for hidden in [&secret, &place] {
        assert_eq!(logs::with(hidden), [""; 0]);
    }
    let lines = logs::with(&issuer.url);
    assert!(lines.iter().any(|line| line.contains("HTTP 404")), "{lines:?}");
}
