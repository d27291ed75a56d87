//! Who asks, and what the answer has to be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::Chance;
use crate::answers::{Answer, judge};
use crate::support::api::TOKEN;
use crate::support::client::{Protocol, interpret};
use crate::support::{API, Caller, Kube, Verdict, now};
use crate::world::{Now, REQUESTER, World};

/// What clients saw.
#[derive(Default)]
pub struct Seen {
    /// How many reviews ended so.
    pub by_result: BTreeMap<&'static str, u64>,
    /// How many of them nobody could have answered otherwise.
    pub certain: u64,
    /// How many of them asked about nothing.
    pub empty: u64,
    /// How many TokenRequests were answered with this code.
    pub requests: BTreeMap<u16, u64>,
    /// How many reviews were refused to strangers.
    pub strangers: u64,
    pub connections: u64,
    /// How many connections were ended before they were asked, as every one is in its time.
    pub ended: u64,
    pub wrong: Vec<String>,
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        for (result, count) in other.by_result {
            *self.by_result.entry(result).or_default() += count;
        }
        for (code, count) in other.requests {
            *self.requests.entry(code).or_default() += count;
        }
        self.certain += other.certain;
        self.empty += other.empty;
        self.strangers += other.strangers;
        self.connections += other.connections;
        self.ended += other.ended;
        other.wrong.into_iter().for_each(|fault| self.find(fault));
    }

    pub fn reviews(&self) -> u64 {
        self.by_result.values().sum()
    }

    /// Tells of what is wrong, of the first ten that are.
    pub fn find(&mut self, fault: String) {
        if self.wrong.len() < 10 {
            self.wrong.push(fault);
        }
    }

    /// A connection gave no answer. It may only if nothing was sent on it.
    fn end(&mut self, protocol: Protocol, why: &str) {
        self.ended += 1;
        if !why.contains("ChannelClosed") && !why.contains("Canceled") {
            self.find(format!("a question is lost on {protocol:?}: {why}"));
        }
    }
}

/// The right answers to a question asked then and answered now.
type Right = Box<dyn Fn(&Now, Instant) -> Vec<Answer> + Send>;

/// A token, and what may be said of it.
struct Question {
    what: &'static str,
    token: String,
    right: Right,
}

impl Question {
    fn new(
        what: &'static str,
        token: String,
        right: impl Fn(&Now, Instant) -> Vec<Answer> + Send + 'static,
    ) -> Self {
        Self { what, token, right: Box::new(right) }
    }
}

/// A service account's token, and the keys that may have signed it.
struct Kept {
    token: String,
    signers: Vec<u64>,
}

/// Asks one thing after another, `until` the end.
pub async fn ask(world: Arc<World>, mut chance: Chance, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    while Instant::now() < until {
        let protocol = *chance.of(&[Protocol::Http1, Protocol::Http2]);
        let kube = Kube::connect_as(world.process.webhook(), Caller::ApiServer, protocol).await;
        let kube = match kube {
            Ok(kube) => kube,
            Err(error) => {
                seen.find(format!("no connection: {error}"));
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        seen.connections += 1;
        for _ in 0..1 + chance.below(200) {
            if Instant::now() >= until {
                break;
            }
            if (kept.is_empty() || chance.below(250) == 0)
                && let Err(error) = request_token(&world, &mut kept, &mut seen).await
            {
                seen.find(format!("a TokenRequest is not answered: {error}"));
            }
            let question = question(&world, &mut chance, &kept);
            let asked = Instant::now();
            let answer = match kube.send(kube.review(&question.token, &[API])).await {
                Ok(answer) => answer,
                Err(error) => {
                    seen.end(protocol, &error);
                    break;
                }
            };
            let verdict = interpret("v1", &[API], &answer);
            *seen.by_result.entry(result(&verdict)).or_default() += 1;
            seen.empty += u64::from(question.token.is_empty());
            let right = (question.right)(&world.now(), asked);
            let judgement = judge(&right, &verdict);
            seen.certain += u64::from(judgement.is_certain);
            if !judgement.is_right {
                let what = question.what;
                seen.find(format!("{what}: {verdict:?}, when right was {right:?}"));
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

const UNCHECKED: Answer = Answer::Refused("could not be checked");
const NO_KEY: Answer = Answer::Refused("no key of the issuer");

/// The next question. Tokens in `kept` are asked about again and again.
fn question(world: &World, chance: &mut Chance, kept: &[Kept]) -> Question {
    let fresh = json!({"jti": format!("{}", chance.below(u64::MAX))});
    match chance.below(10) {
        0 => {
            Question::new("a token whose provider fails", world.dark.token(fresh), |now, asked| {
                let prefixes = now.prefix.possible(asked);
                prefixes.iter().map(|prefix| Answer::Is(format!("{prefix}:alice"))).collect()
            })
        }
        kind @ (1 | 2) => {
            let now = world.now();
            let (what, key) = match kind {
                1 => ("a token of the newest key", now.keys.back().unwrap()),
                _ => ("a token of a withdrawn key", now.keys.front().unwrap()),
            };
            let (number, key) = key;
            let number = *number;
            let token = key.token(&world.rotating.claims(fresh));
            Question::new(what, token, move |now, asked| {
                let mut right = Vec::new();
                if now.newest_key.may_be(&number, asked) {
                    right.push(Answer::is("alice"));
                }
                if now.newest_key.may_be_other(&number, asked) {
                    right.extend([NO_KEY, UNCHECKED]);
                }
                right
            })
        }
        3 => {
            let number = world.now().token.now().saturating_sub(chance.below(3));
            let token = format!("soak-token-{number}");
            Question::new("a token of the file", token, move |now, asked| {
                let mut right = Vec::new();
                if now.token.may_be(&number, asked) {
                    right.push(Answer::is("jane"));
                }
                if now.token.may_be_other(&number, asked) {
                    right.push(Answer::Nobody);
                }
                right
            })
        }
        4 => Question::new("a guest's token", world.guest.token(fresh), |now, asked| {
            let trusted = now.guest_is_trusted.possible(asked).into_iter();
            trusted.map(|is| if is { Answer::is("alice") } else { Answer::Nobody }).collect()
        }),
        5 => {
            let length = usize::try_from(chance.below(5000)).unwrap();
            let token = match chance.below(20) {
                0 => String::new(),
                _ => format!("junk-{}-{}", chance.below(u64::MAX), "x".repeat(length)),
            };
            match token.is_empty() {
                true => Question::new("nothing", token, |_, _| {
                    vec![Answer::Refused("the token is empty")]
                }),
                false => Question::new("junk", token, |_, _| vec![Answer::Nobody]),
            }
        }
        6 => {
            let (claims, why) = match chance.below(3) {
                0 => (json!({"aud": "another"}), "issuer.audiences"),
                1 => (json!({"exp": now() - 10}), "expired"),
                _ => (json!({"nbf": now() + 1000}), "nbf"),
            };
            Question::new(why, world.dark.token(claims), move |_, _| vec![Answer::Refused(why)])
        }
        7 => {
            let mut token = world.dark.token(fresh);
            token.replace_range(token.len() - 20..token.len() - 10, "AAAAAAAAAA");
            Question::new("a changed signature", token, |_, _| {
                vec![Answer::Refused("does not verify"), UNCHECKED]
            })
        }
        _ => {
            if kept.is_empty() {
                return Question::new("junk", "junk".to_owned(), |_, _| vec![Answer::Nobody]);
            }
            let Kept { token, signers } = chance.of(kept);
            let signers = signers.clone();
            Question::new("a service account's token", token.clone(), move |now, asked| {
                let account = now.account.possible(asked);
                let mut right = Vec::new();
                if account.contains(&true)
                    && signers.iter().any(|signer| now.signer.may_be(signer, asked))
                {
                    right.push(Answer::is("sa:system:serviceaccount:ci:builder"));
                }
                if account.contains(&false) {
                    right.push(Answer::Refused("service account not found"));
                }
                if signers.iter().any(|signer| now.signer.may_be_other(signer, asked)) {
                    right.push(NO_KEY);
                }
                right
            })
        }
    }
}

/// Requests a token over a connection of its own, as one who has a bearer token and no certificate, and
/// puts it first in `kept`.
///
/// # Errors
///
/// Says why no answer came.
async fn request_token(world: &World, kept: &mut Vec<Kept>, seen: &mut Seen) -> Result<(), String> {
    let spec = json!({"spec": {"audiences": [API]}}).to_string();
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("https://countersign{TOKEN}"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {REQUESTER}"))
        .body(Full::new(spec.into()).boxed())
        .unwrap();
    let asked = Instant::now();
    let kube = Kube::connect_as(world.process.webhook(), Caller::Nobody, Protocol::Http2).await?;
    let answer = kube.send(request).await?;
    seen.connections += 1;
    let code = answer.status().as_u16();
    *seen.requests.entry(code).or_default() += 1;
    let now = world.now();
    let right = now.account.possible(asked).into_iter().map(|is| if is { 201 } else { 404 });
    if !right.clone().any(|right| right == code) {
        let right: Vec<u16> = right.collect();
        seen.find(format!("a TokenRequest is answered {code}, when right was {right:?}"));
    }
    let answer: Value = serde_json::from_slice(answer.body()).map_err(|it| it.to_string())?;
    if let Some(token) = answer["status"]["token"].as_str() {
        kept.insert(0, Kept { token: token.to_owned(), signers: now.signer.possible(asked) });
        kept.truncate(3);
    }
    Ok(())
}
