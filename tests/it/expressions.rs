//! Expressions over real sockets: the API server's own file beside ours, rules on claims and users,
//! and what is said of those that do not hold.

use serde_json::{Value, json};

use crate::claims::{Want, expect, named, user};
use crate::support::service::Setup;
use crate::support::{API, Issuer, Service, Verdict};

fn over(mappings: Value, claim_rules: Value, user_rules: Value) -> Value {
    json!({
        "claimMappings": mappings,
        "claimValidationRules": claim_rules,
        "userValidationRules": user_rules,
    })
}

/// By an expression, and not by the claim that there would be.
fn by(username: &str) -> Value {
    json!({"username": {"claim": null, "prefix": null, "expression": username}})
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_made_by_expressions() {
    let mut mappings = by("claims.team + ':' + claims.sub");
    mappings["groups"] = json!({"expression": "claims.?roles.orValue('').split(',')"});
    mappings["uid"] = json!({"expression": "string(claims.n)"});
    mappings["extra"] =
        json!([{"key": "example.com/team", "valueExpression": "claims.team.upperAscii()"}]);
    let mut jane = user("red:jane");
    jane.uid = "7".to_owned();
    jane.groups = ["a", "b"].map(str::to_owned).to_vec();
    jane.extra = [("example.com/team".to_owned(), vec!["RED".to_owned()])].into();
    let mut nobody = jane.clone();
    nobody.groups = Vec::new();
    let claims = |roles: Value| json!({"sub": "jane", "team": "red", "n": 7, "roles": roles});
    let cases = [
        ("all of it", claims(json!("a,b")), Want::User(jane)),
        ("no groups", claims(Value::Null), Want::User(nobody)),
        ("a claim that is not there", json!({"team": null}), Want::Reason("expression_error")),
        ("a claim of another type", json!({"team": 5}), Want::Reason("expression_error")),
    ];
    expect(over(mappings, json!([]), json!([])), cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_judge_claims_and_users() {
    let claim_rules = json!([
        {"expression": "claims.hd == 'example.com'", "message": "the wrong domain"},
        {"expression": "claims.level > 2"},
    ]);
    let user_rules = json!([{"expression": "!user.username.startsWith('root')"}]);
    let claims = |sub: &str, hd: &str, level: Value| json!({"sub": sub, "hd": hd, "level": level});
    let cases = [
        ("all holds", claims("jane", "example.com", json!(3)), named("jane")),
        ("the wrong domain", claims("jane", "x", json!(3)), Want::Reason("claim_rule")),
        ("a level too low", claims("jane", "example.com", json!(2)), Want::Reason("claim_rule")),
        ("no level", claims("jane", "x", Value::Null), Want::Reason("expression_error")),
        ("the wrong user", claims("root7", "example.com", json!(3)), Want::Reason("user_rule")),
        ("claims come first", claims("root7", "x", json!(3)), Want::Reason("claim_rule")),
        ("nobody", json!({"sub": null}), Want::Reason("missing_claim")),
        // The guard comes last, and is not fooled by what a rule allows.
        (
            "a name of the system",
            claims("system:admin", "example.com", json!(3)),
            Want::Reason("reserved_identity"),
        ),
    ];
    expect(json!({"claimValidationRules": claim_rules, "userValidationRules": user_rules}), cases)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_names_no_claim_value() {
    let issuer = Issuer::start().await;
    let service = Service::trusting([issuer.entry(json!({
        "claimValidationRules": [
            {"expression": "claims.hd == 'a'", "message": "the wrong domain"},
            {"expression": "claims.level + 1 > 2"},
        ],
    }))])
    .await;
    let kube = service.kube().await;
    let said = async |claims: Value| {
        let mut all = issuer.claims(json!({}));
        crate::support::lay(&mut all, claims);
        match kube.authenticate(&issuer.key().token(&all)).await {
            Verdict::Error(text) => text,
            other => panic!("{other:?}"),
        }
    };
    let url = &issuer.url;
    assert_eq!(
        said(json!({"hd": "s3cr3t", "level": 3.5})).await,
        format!(
            "{url}: claimValidationRules[1].expression failed: no such overload: claims.level + 1 > 2"
        )
    );
    assert_eq!(
        said(json!({"hd": "s3cr3t"})).await,
        format!(
            "{url}: claimValidationRules[1].expression failed: no such key: level: claims.level + 1 > 2"
        )
    );
}

/// Rules that loop are worked on elsewhere, and come to the same.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_loop_judge_alike() {
    let claim_rules = json!([{"expression": "dyn(claims.roles).all(r, r != 'root')"}]);
    let user_rules = json!([{"expression": "user.groups.exists(g, g.startsWith('team'))"}]);
    let mut over =
        over(json!({"groups": {"claim": "roles", "prefix": ""}}), claim_rules, user_rules);
    over["claimMappings"]["username"] = json!({"claim": "sub", "prefix": ""});
    let mut jane = user("jane");
    jane.groups = vec!["team-a".to_owned()];
    let claims = |roles: Value| json!({"sub": "jane", "roles": roles});
    let cases = [
        ("all holds", claims(json!(["team-a"])), Want::User(jane)),
        ("root", claims(json!(["team-a", "root"])), Want::Reason("claim_rule")),
        ("no team", claims(json!(["a"])), Want::Reason("user_rule")),
        ("no list", claims(json!("a")), Want::Reason("expression_error")),
    ];
    expect(over, cases).await;
}

/// The file that the API server was given works here, beside ours.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_servers_own_file_is_served() {
    let (ours, theirs) = (Issuer::start().await, Issuer::start().await);
    let entry = theirs.entry(json!({
        "claimMappings": by("'theirs:' + claims.sub"),
        "claimValidationRules": [{"expression": "claims.hd == 'a'", "message": "no"}],
    }));
    let file = json!({
        "apiVersion": "apiserver.config.k8s.io/v1beta1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": false},
        "jwt": [entry],
    });
    let service = Setup::new(json!({
        "jwt": [ours.entry(json!({}))],
        "authenticationConfigurationFile": "api.json",
    }))
    .with_file("api.json", &file.to_string())
    .start()
    .await;
    let kube = service.kube().await;
    let who = async |issuer: &Issuer, hd: &str| {
        let claims = issuer.claims(json!({"sub": "jane", "jti": null, "hd": hd}));
        kube.authenticate(&issuer.key().token(&claims)).await
    };
    let known = |name: &str| Verdict::User(user(name), vec![API.to_owned()]);
    assert_eq!(who(&ours, "a").await, known("jane"));
    assert_eq!(who(&theirs, "a").await, known("theirs:jane"));
    let said = format!("{}: the token does not satisfy claimValidationRules: no", theirs.url);
    assert_eq!(who(&theirs, "b").await, Verdict::Error(said));
}

/// On one thread: whatever a rule makes of a token, others are answered meanwhile.
#[tokio::test]
async fn a_rule_that_loops_holds_up_nobody() {
    let endless = "dyn(claims.l).all(a, dyn(claims.l).all(b, dyn(claims.l).all(c, a + b >= 0.0)))";
    let issuer = Issuer::start().await;
    let service = Service::trusting([
        issuer.entry(json!({"claimValidationRules": [{"expression": endless}]}))
    ])
    .await;
    let kube = service.kube().await;
    let numbers = (0..200).collect::<Vec<_>>();
    let token = issuer.key().token(&issuer.claims(json!({"l": numbers})));
    let review = kube.authenticate(&token);
    let probe = service.admin("/livez");
    tokio::pin!(review);
    tokio::select! {
        biased;
        verdict = &mut review => panic!("the review is done before the probe: {verdict:?}"),
        (status, _) = probe => assert_eq!(status, 200),
    }
    let Verdict::Error(said) = review.await else { panic!("it costs too much") };
    let wanted = "claimValidationRules[0].expression failed: operation cancelled: actual cost limit \
                  exceeded";
    assert!(said.contains(wanted), "{said}");
}
