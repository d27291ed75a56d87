//! The whole binary under load: against the bare server, and against itself with more to do.

use serde_json::{Value, json};

use countersign::token::Algorithm;

use crate::Effort;
use crate::load::{self, Connection, Measured, NUMBER, Questions, Shape};
use crate::process::Server;
use crate::support::client::Protocol;
use crate::support::until;
use crate::table::{Goal, Pair, Table, Unit};
use crate::tokens::{ISSUER, Key, review, trusting};

/// One request after the other, as an API server that is not busy.
const ONE: Shape =
    Shape { name: "HTTP/2, 1 x 1", protocol: Protocol::Http2, connections: 1, streams: 1 };
/// One busy API server.
pub const BUSY: Shape =
    Shape { name: "HTTP/2, 1 x 100", protocol: Protocol::Http2, connections: 1, streams: 100 };
const SHAPES: [Shape; 4] = [
    ONE,
    BUSY,
    Shape { name: "HTTP/2, 16 x 1", protocol: Protocol::Http2, connections: 16, streams: 1 },
    Shape { name: "HTTP/1.1, 16 x 1", protocol: Protocol::Http1, connections: 16, streams: 1 },
];

/// Tokens that are asked for in turn, where no number is said.
const TOKENS: usize = 200;

pub async fn measure(effort: Effort, table: &mut Table, wants: impl Fn(&str) -> bool) {
    let key = Key::new(Algorithm::Rs256);
    let tokens = key.tokens(ISSUER, TOKENS.min(effort.entries));
    let questions = Questions::of(tokens.iter().map(review).collect());
    let keys = [("keys.json", &*key.set)];
    let one = json!({"jwt": [trusting(ISSUER, "keys.json")]});
    let cached = Server::countersign(one.clone(), &keys).await;
    let uncached = Server::countersign(forgetful(&one), &keys).await;
    let mut connection = Connection::open(cached.address, Protocol::Http2).await;
    let answer = connection.ask(questions.next()).await;
    assert!(answer.windows(20).any(|it| it == br#""authenticated":true"#), "{answer:?}");
    let echo = Server::echo(answer.len());

    if wants("echo") {
        beside_the_echo(effort, table, &echo, &cached, &uncached, &questions).await;
    }
    if wants("refusals") {
        refusals(effort, table, &cached, &uncached, &questions, &tokens[0]).await;
    }
    if wants("beside") {
        beside_verifications(effort, table, &cached, &questions, &tokens[0]).await;
    }
    if wants("issuers") {
        issuers(effort, table, &key, &cached, &uncached, &questions).await;
    }
    if wants("reload") {
        reload(effort, table, &cached, &one, &questions).await;
    }
}

/// The same configuration, of which nothing is remembered.
fn forgetful(config: &Value) -> Value {
    let mut config = config.clone();
    config["cache"] = json!({"authenticatedTTL": "0s", "rejectedTTL": "0s"});
    config
}

/// Each server in turn, in each round.
pub async fn rounds<const N: usize>(
    effort: Effort,
    shape: Shape,
    cases: [(&Server, &Questions); N],
) -> Vec<[Measured; N]> {
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds {
        let mut round = Vec::new();
        for (server, questions) in cases {
            round.push(load::run(server, shape, questions, effort.window).await);
        }
        rounds.push(round.try_into().unwrap_or_else(|_| unreachable!("one of each")));
    }
    rounds
}

pub fn pairs<const N: usize>(
    rounds: &[[Measured; N]],
    (that, this): (usize, usize),
    of: impl Fn(&Measured) -> f64,
) -> Vec<Pair> {
    rounds.iter().map(|round| (of(&round[that]), of(&round[this]))).collect()
}

async fn beside_the_echo(
    effort: Effort,
    table: &mut Table,
    echo: &Server,
    cached: &Server,
    uncached: &Server,
    questions: &Questions,
) {
    let mut clients = Vec::new();
    for shape in SHAPES {
        let cases = [(echo, questions), (cached, questions), (uncached, questions)];
        let rounds = rounds(effort, shape, cases).await;
        clients.extend(rounds.iter().map(|[echo, ..]| echo.client_cpu()));
        for (this, what) in [(1, "cached"), (2, "verified (RS256)")] {
            table.group(&format!("{}, {what}", shape.name), "bare echo", "countersign");
            let is_cached = this == 1;
            let cpu = match is_cached && shape.streams > 1 {
                true => Goal::Ratio(1.2),
                false => Goal::None,
            };
            let p99 = match is_cached && shape.connections * shape.streams == 1 {
                true => Goal::Ratio(1.5),
                false => Goal::None,
            };
            let mut compare = |name, unit, of: &dyn Fn(&Measured) -> f64, goal| {
                table.compare(name, unit, &pairs(&rounds, (0, this), of), goal);
            };
            compare("CPU a request", Unit::Microseconds, &Measured::cpu, cpu);
            compare("requests a second", Unit::PerSecond, &Measured::per_second, Goal::None);
            compare("latency p50", Unit::Microseconds, &|it| it.latency(500), Goal::None);
            compare("latency p99", Unit::Microseconds, &|it| it.latency(990), p99);
            compare("latency p99.9", Unit::Microseconds, &|it| it.latency(999), Goal::None);
        }
    }
    clients.sort_by(f64::total_cmp);
    table.note(format!(
        "The client, one thread, needs {:.0} to {:.0} us a request of its own, which is in every latency.",
        clients[0],
        clients[clients.len() - 1]
    ));
}

/// What is refused may not cost more than what is taken.
async fn refusals(
    effort: Effort,
    table: &mut Table,
    cached: &Server,
    uncached: &Server,
    good: &Questions,
    token: &str,
) {
    let forged_as = |number: usize| forged(token, &format!("{number:012}"));
    let refused = Questions::of((0..good.len()).map(forged_as).collect());
    let fresh = Questions::numbered(forged(token, NUMBER));
    let junk = Questions::numbered(review(format!("{NUMBER}{}", token[12..].replace('.', "_"))));
    table.group("Refusals, HTTP/2, 1 x 100: CPU a request", "a good token", "a bad one");
    // What is judged is not kept by either side: a new good token each time would be hard to come by.
    let cases =
        [(cached, good), (cached, &refused), (uncached, good), (uncached, &fresh), (cached, &junk)];
    let rounds = rounds(effort, BUSY, cases).await;
    for (name, which) in [
        ("remembered", (0, 1)),
        ("judged, its signature is forged (RS256)", (2, 3)),
        ("judged, it is no JWT at all", (2, 4)),
    ] {
        let rounds = pairs(&rounds, which, Measured::cpu);
        table.compare(name, Unit::Microseconds, &rounds, Goal::Ratio(1.0));
    }
}

/// How long a remembered answer takes on a connection on which others have tokens verified, against
/// one on which the others' answers are remembered, too.
async fn beside_verifications(
    effort: Effort,
    table: &mut Table,
    server: &Server,
    good: &Questions,
    token: &str,
) {
    let fresh = Questions::numbered(forged(token, NUMBER));
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds {
        let beside =
            |others| load::run_beside(server, ONE, good, effort.window, Some((others, 50)));
        rounds.push([beside(good).await, beside(&fresh).await]);
    }
    table.group("Cached, beside 50 other streams of one connection", "cached, too", "verified");
    latencies(table, &rounds);
}

/// The review of this token with another signature, a new one each time if the number is [`NUMBER`].
/// What it changes is in the middle: a signature that begins with too large a number would be refused
/// without looking further.
fn forged(token: &str, number: &str) -> String {
    let at = token.len() - 100;
    review(format!("{}{number}{}", &token[..at], &token[at + number.len()..]))
}

fn latencies(table: &mut Table, rounds: &[[Measured; 2]]) {
    for (name, of_a_thousand) in
        [("latency p50", 500), ("latency p99", 990), ("latency p99.9", 999)]
    {
        let rounds = pairs(rounds, (0, 1), |it| it.latency(of_a_thousand));
        table.compare(name, Unit::Microseconds, &rounds, Goal::None);
    }
}

/// One issuer, and ten thousand.
async fn issuers(
    effort: Effort,
    table: &mut Table,
    key: &Key,
    cached: &Server,
    uncached: &Server,
    one: &Questions,
) {
    let issuers: Vec<_> = (0..effort.issuers).map(|it| format!("{ISSUER}/{it}")).collect();
    let jwt: Vec<Value> = issuers.iter().map(|it| trusting(it, "keys.json")).collect();
    let keys = [("keys.json", &*key.set)];
    let config = json!({"jwt": jwt});
    let many_cached = Server::countersign(config.clone(), &keys).await;
    let many_uncached = Server::countersign(forgetful(&config), &keys).await;
    let step = (issuers.len() / one.len()).max(1);
    let tokens = issuers.iter().step_by(step).flat_map(|issuer| key.tokens(issuer, 1));
    let many = Questions::of(tokens.map(review).collect());
    let cases = [(cached, one), (&many_cached, &many), (uncached, one), (&many_uncached, &many)];
    let rounds = rounds(effort, BUSY, cases).await;
    table.group("Issuers, HTTP/2, 1 x 100: CPU a request", "1", &format!("{}", issuers.len()));
    for (name, which) in [("cached", (0, 1)), ("verified (RS256)", (2, 3))] {
        let rounds = pairs(&rounds, which, Measured::cpu);
        table.compare(name, Unit::Microseconds, &rounds, Goal::Ratio(1.1));
    }
}

/// What the log says when it has.
const READ_AGAIN: &str = "the configuration was read again";

/// The configuration is another one in the middle of each other window.
async fn reload(
    effort: Effort,
    table: &mut Table,
    server: &Server,
    config: &Value,
    questions: &Questions,
) {
    let mut reloads = 0;
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds {
        let without = load::run(server, BUSY, questions, effort.window).await;
        let reloading = async {
            tokio::time::sleep(effort.window / 2).await;
            reloads += 1;
            let mut config = config.clone();
            config["jwt"][0]["issuer"]["clockSkew"] = json!(format!("{reloads}s"));
            server.reconfigure(config);
        };
        let read_before = server.logged(READ_AGAIN);
        let (with, ()) = tokio::join!(load::run(server, BUSY, questions, effort.window), reloading);
        until("the configuration is in force", async || server.logged(READ_AGAIN) > read_before)
            .await;
        rounds.push([without, with]);
    }
    table.group("Reload, HTTP/2, 1 x 100", "without", "with one");
    latencies(table, &rounds);
}
