//! Who asks, and what the answer has to be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::Chance;
use crate::support::api::TOKEN;
use crate::support::client::{Protocol, interpret};
use crate::support::{API, Caller, Kube, Verdict, now};
use crate::world::{REQUESTER, World};

/// What clients saw.
#[derive(Default)]
pub struct Seen {
    /// How many reviews ended so.
    pub by_result: BTreeMap<&'static str, u64>,
    pub connections: u64,
    pub wrong: Vec<String>,
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        for (result, count) in other.by_result {
            *self.by_result.entry(result).or_default() += count;
        }
        self.connections += other.connections;
        self.wrong.extend(other.wrong);
    }

    pub fn reviews(&self) -> u64 {
        self.by_result.values().sum()
    }
}

/// A token, and what may be said of it.
struct Question {
    what: String,
    token: String,
    right: Box<dyn Fn(&World, Instant, &Verdict) -> bool + Send>,
}

/// Asks one thing after another, `until` the end.
pub async fn ask(world: Arc<World>, mut chance: Chance, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    while Instant::now() < until {
        let protocol = *chance.of(&[Protocol::Http1, Protocol::Http2]);
        let Ok(kube) = Kube::connect_as(world.process.webhook, Caller::ApiServer, protocol).await
        else {
            seen.wrong.push("no connection".to_owned());
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        seen.connections += 1;
        for _ in 0..1 + chance.below(200) {
            if Instant::now() >= until {
                break;
            }
            let asked = Instant::now();
            let question = question(&world, &mut chance, &mut kept, &kube).await;
            let Some(question) = question else { break };
            // A connection that is told to go before it was asked: the next one is asked.
            let Ok(answer) = kube.send(kube.review(&question.token, &[API])).await else { break };
            let verdict = interpret("v1", &[API], &answer);
            *seen.by_result.entry(result(&verdict)).or_default() += 1;
            if !(question.right)(&world, asked, &verdict) && seen.wrong.len() < 10 {
                seen.wrong.push(format!("{}: {verdict:?}", question.what));
            }
        }
    }
    seen
}

/// The `result` label of an answer.
fn result(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::User(..) => "authenticated",
        Verdict::Nobody => "no_opinion",
        Verdict::Error(text) if text.contains("could not be checked") => "unavailable",
        Verdict::Error(_) => "rejected",
        Verdict::Failed(..) => "failed",
    }
}

fn is(verdict: &Verdict, name: &str) -> bool {
    matches!(verdict, Verdict::User(user, _) if user.username == name)
}

fn refused(verdict: &Verdict, why: &str) -> bool {
    matches!(verdict, Verdict::Error(text) if text.contains(why))
}

/// The next question; none if the connection is gone. Tokens in `kept` are asked about again.
async fn question(
    world: &World,
    chance: &mut Chance,
    kept: &mut Vec<String>,
    kube: &Kube,
) -> Option<Question> {
    let question =
        |what: &str, token: String, right| Some(Question { what: what.to_owned(), token, right });
    let fresh = json!({"jti": format!("{}", chance.below(u64::MAX))});
    match chance.below(10) {
        0 => question(
            "a token whose provider fails",
            world.dark.token(fresh),
            Box::new(|world, asked, verdict| {
                let prefixes = world.now().prefix.possible(asked);
                prefixes.iter().any(|prefix| is(verdict, &format!("{prefix}:alice")))
            }),
        ),
        1 => question(
            "a token of the newest key",
            world.rotating.token(fresh),
            Box::new({
                let mine = *world.now().newest_key.now();
                move |world, asked, verdict| {
                    let rotated = world.now().newest_key.possible(asked).len() > 1;
                    is(verdict, "alice") || (rotated && !matches!(verdict, Verdict::Nobody)) || {
                        // Withdrawn meanwhile.
                        *world.now().newest_key.now() != mine
                    }
                }
            }),
        ),
        2 => {
            let now = world.now();
            let oldest = now.newest_key.now() + 1 - now.keys.len() as u64;
            let token = now.keys[0].token(&world.rotating.claims(fresh));
            drop(now);
            question(
                "a token of a withdrawn key",
                token,
                Box::new(move |world, asked, verdict| {
                    let may_be_known = world.now().newest_key.may_be(&oldest, asked);
                    refused(verdict, "no key of the issuer")
                        || refused(verdict, "could not be checked")
                        || (may_be_known && is(verdict, "alice"))
                }),
            )
        }
        3 => {
            let number = *world.now().token.now();
            let number = number.saturating_sub(chance.below(3));
            question(
                "a token of the file",
                format!("soak-token-{number}"),
                Box::new(move |world, asked, verdict| {
                    let now = world.now();
                    let others = now.token.possible(asked).iter().any(|other| *other != number);
                    let may_be = now.token.may_be(&number, asked);
                    (may_be && is(verdict, "jane"))
                        || ((!may_be || others) && *verdict == Verdict::Nobody)
                }),
            )
        }
        4 => question(
            "a guest's token",
            world.guest.token(fresh),
            Box::new(|world, asked, verdict| {
                let trusted = world.now().guest_is_trusted.possible(asked);
                (trusted.contains(&true) && is(verdict, "alice"))
                    || (trusted.contains(&false) && *verdict == Verdict::Nobody)
            }),
        ),
        5 => question(
            "junk",
            format!("junk-{}-{}", chance.below(u64::MAX), "x".repeat(chance.below(5000) as usize)),
            Box::new(|_, _, verdict| *verdict == Verdict::Nobody),
        ),
        6 => {
            let (claims, why) = match chance.below(3) {
                0 => (json!({"aud": "another"}), "issuer.audiences"),
                1 => (json!({"exp": now() - 10}), "expired"),
                _ => (json!({"nbf": now() + 1000}), "nbf"),
            };
            question(
                why,
                world.dark.token(claims),
                Box::new(move |_, _, verdict| refused(verdict, why)),
            )
        }
        7 => {
            let mut token = world.dark.token(fresh);
            token.replace_range(token.len() - 20..token.len() - 10, "AAAAAAAAAA");
            question(
                "a changed signature",
                token,
                Box::new(|_, _, verdict| {
                    refused(verdict, "does not verify") || refused(verdict, "could not be checked")
                }),
            )
        }
        _ => {
            if kept.is_empty() || chance.below(50) == 0 {
                let token = service_account_token(kube).await?;
                kept.insert(0, token.unwrap_or_default());
                kept.truncate(3);
            }
            let token = chance.of(kept).clone();
            if token.is_empty() {
                kept.clear();
                return question(
                    "nothing",
                    String::new(),
                    Box::new(|_, _, verdict| refused(verdict, "the token is empty")),
                );
            }
            question(
                "a service account's token",
                token,
                Box::new(|world, asked, verdict| {
                    let is_there = world.now().account.possible(asked);
                    (is_there.contains(&true) && is(verdict, "sa:system:serviceaccount:ci:builder"))
                        || (is_there.contains(&false) && matches!(verdict, Verdict::Error(_)))
                }),
            )
        }
    }
}

/// Requests a token: none if the connection is gone, nothing if the account is.
async fn service_account_token(kube: &Kube) -> Option<Option<String>> {
    let spec = json!({"spec": {"audiences": [API]}}).to_string();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("https://countersign{TOKEN}"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {REQUESTER}"))
        .body(Full::new(spec.into()).boxed())
        .unwrap();
    let answer = kube.send(request).await.ok()?;
    let answer: Value = serde_json::from_slice(answer.body()).ok()?;
    Some(answer["status"]["token"].as_str().map(str::to_owned))
}
