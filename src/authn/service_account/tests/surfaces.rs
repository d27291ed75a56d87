//! What a user is called depends on who asks.

use super::super::super::{CacheSettings, Chain, Judges, Reviews, Settings};
use super::*;
use crate::api::webhook::{self, Version};
use crate::metrics::Metrics;

/// The design's section 2.4, row by row.
#[test]
fn who_asks_decides_what_it_is_called() {
    let own = "system:serviceaccount:ci:builder";
    let groups = ["system:serviceaccounts", "system:serviceaccounts:ci"];
    let prefixed = ["b:system:serviceaccounts", "b:system:serviceaccounts:ci"];
    let reserved = Err("reserved_identity");
    for (username_prefix, groups_prefix, allow_reserved, webhook) in [
        ("", "", false, reserved),
        ("", "", true, Ok((own, groups))),
        ("b:", "b:", false, Ok(("b:system:serviceaccount:ci:builder", prefixed))),
        ("b:", "b:", true, Ok(("b:system:serviceaccount:ci:builder", prefixed))),
        ("b:", "", false, reserved),
        ("b:", "", true, Ok(("b:system:serviceaccount:ci:builder", groups))),
        ("", "b:", false, reserved),
        ("", "b:", true, Ok((own, prefixed))),
        // The configuration refuses these; nothing else would stop them from being anybody.
        ("system:node:", "b:", true, reserved),
        ("b:", "system:", true, reserved),
        ("system:", "system:", false, reserved),
    ] {
        let issuer = Issuer::with(username_prefix, groups_prefix, allow_reserved);
        let token = issuer.token(pod(Some("node-uid")), &["api"]);
        let ask = |surface| issuer.judge_at(surface, &token, &["api"], at(NOW));
        let case = format!("{username_prefix:?} {groups_prefix:?} {allow_reserved}");

        let here = ask(Surface::Api).unwrap().user;
        assert_eq!((&*here.username, &here.groups[..]), (own, &groups.map(str::to_owned)[..]));
        assert_eq!(here.extra.len(), 5, "{case}");

        let there = ask(Surface::Webhook(Version::V1));
        match (&there, webhook) {
            (Ok(Authentication { user, .. }), Ok((username, groups))) => {
                assert_eq!(
                    (&*user.username, &user.groups[..]),
                    (username, &groups.map(str::to_owned)[..]),
                    "{case}"
                );
                assert_eq!(user.uid, "builder-uid");
                assert_eq!(user.extra.keys().collect::<Vec<_>>(), [reserved::CREDENTIAL_ID]);
            }
            (Err(error), Err(reason)) => assert_eq!(error.reason(), reason, "{case}"),
            _ => panic!("{case}: {there:?}"),
        }
    }
}

/// Without the surface in the key, what one of them was told would be the other's answer.
#[tokio::test]
async fn no_surface_gets_the_remembered_answer_of_the_other() {
    let issuer = Issuer::with("b:", "b:", false);
    let metrics = Arc::new(Metrics::new().unwrap());
    let settings = Settings {
        api_audiences: vec!["api".to_owned()],
        token_file: None,
        jwt: Vec::new(),
        max_token_bytes: 1 << 16,
        review_timeout: Duration::from_secs(60),
    };
    let cache = CacheSettings {
        authenticated_ttl: Duration::from_secs(60),
        rejected_ttl: Duration::ZERO,
        max_bytes: 1 << 20,
        rejected_max_bytes: 1 << 20,
    };
    // As of now: the cache has the system's clock.
    let token = issuer.issuer.issue(&grant(None, &["api"]), SystemTime::now()).unwrap().token;
    let name = issuer.authenticator.name().clone();
    let chain = Chain::new(None, vec![(name, Box::new(issuer.authenticator))], &metrics);
    let reviews = Arc::new(Reviews::new(
        chain,
        &settings,
        cache,
        8,
        2,
        Arc::new(Judges::of_this_machine().unwrap()),
        metrics.clone(),
    ));
    for (hits, misses) in [(0, 2), (2, 2)] {
        let question = webhook::question(token.expose(), &[]);
        let there = match reviews.remembered(question.as_bytes()) {
            Ok(answer) => answer,
            Err(key) => {
                let question = webhook::Question::from_json(question.as_bytes()).unwrap();
                reviews.review_of(&key, &question).await.unwrap()
            }
        };
        let here = reviews.review(token.expose(), &[""; 0]).await.unwrap();
        for (answer, username) in [
            (there, "b:system:serviceaccount:ci:builder"),
            (here, "system:serviceaccount:ci:builder"),
        ] {
            let status: Value = serde_json::from_slice(&answer.status).unwrap();
            assert_eq!(status["user"]["username"], username);
        }
        assert_eq!((metrics.cache_hits.get(), metrics.cache_misses.get()), (hits, misses));
    }
}
