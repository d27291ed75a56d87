//! Memory, and how long it takes until there is a first answer.

use std::time::Instant;

use serde_json::{Value, json};

use countersign::token::Algorithm;

use crate::Effort;
use crate::load::{self, Connection, Measured, Questions};
use crate::process::{Server, memory};
use crate::served::{BUSY, pairs, rounds};
use crate::support::client::Protocol;
use crate::table::{Goal, Table, Unit};
use crate::tokens::{ISSUER, Key, review, trusting};

pub async fn measure(effort: Effort, table: &mut Table) {
    let key = Key::new(Algorithm::Es256);
    table.group("Start and memory", "", "countersign");
    starts(effort, table, &key).await;
    let tokens = key.tokens(ISSUER, effort.entries);
    let questions = Questions::of(tokens.iter().map(review).collect());
    connections(effort, table, &key, &questions).await;
    entries(effort, table, &key, &questions).await;
}

async fn server(key: &Key) -> Server {
    Server::countersign(config(), &[("keys.json", &*key.set)]).await
}

fn config() -> Value {
    json!({"jwt": [trusting(ISSUER, "keys.json")], "cache": {"maxBytes": "1Gi"}})
}

async fn starts(effort: Effort, table: &mut Table, key: &Key) {
    let question = Questions::of(vec![review(key.token(crate::tokens::claims()))]);
    let (mut starts, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..effort.starts {
        let began = Instant::now();
        let server = server(key).await;
        Connection::open(server.address, Protocol::Http2).await.ask(question.next()).await;
        starts.push(began.elapsed().as_secs_f64() * 1e3);
        idle.push(memory(server.id) / MEBIBYTE);
    }
    table.tell("start to the first answer", Unit::Milliseconds, &starts, Goal::Itself(20.0));
    table.tell("resident when idle", Unit::Mebibytes, &idle, Goal::Itself(12.0));
}

const MEBIBYTE: f64 = 1024.0 * 1024.0;

async fn connections(effort: Effort, table: &mut Table, key: &Key, questions: &Questions) {
    let server = server(key).await;
    Connection::open(server.address, Protocol::Http2).await.ask(questions.next()).await;
    let before = memory(server.id);
    let mut connections = Vec::new();
    for _ in 0..effort.connections {
        let mut connection = Connection::open(server.address, Protocol::Http2).await;
        connection.ask(questions.next()).await;
        connections.push(connection);
    }
    let each = (memory(server.id) - before) / connections.len() as f64;
    table.tell(
        &format!("one of {} connections (HTTP/2, idle)", connections.len()),
        Unit::Bytes,
        &[each],
        Goal::None,
    );
}

async fn entries(effort: Effort, table: &mut Table, key: &Key, questions: &Questions) {
    let server = server(key).await;
    let mut connection = Connection::open(server.address, Protocol::Http2).await;
    let first = connection.ask(questions.next()).await;
    // The status is the last member of the answer.
    let at = first.windows(10).position(|it| it == br#""status":{"#).unwrap();
    let status = (first.len() - at - r#""status":}"#.len() - 1) as f64;
    let few = Questions::of(questions.first(100));
    load::each_once(&server, &few).await;
    let before = memory(server.id);
    load::each_once(&server, questions).await;
    let each = (memory(server.id) - before) / questions.len() as f64;
    table.tell(
        &format!("one of {} cached answers, beside its status", questions.len()),
        Unit::Bytes,
        &[each - status],
        Goal::Itself(600.0),
    );
    let rounds = rounds(effort, BUSY, [(&server, &few), (&server, questions)]).await;
    table.group(
        "Cached answers, HTTP/2, 1 x 100: CPU a request",
        &format!("{} of them", few.len()),
        &format!("{} of them", questions.len()),
    );
    let rounds = pairs(&rounds, (0, 1), Measured::cpu);
    table.compare("cached", Unit::Microseconds, &rounds, Goal::None);
}
