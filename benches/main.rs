//! The benchmarks: what a review costs here, beside what it would cost if nothing were done for it.
//!
//! Everything is a ratio of two things that were measured in turns in one run, so that a busy machine
//! slows both: the whole binary against a bare server of the same stack ([`echo`]), a token's proof
//! against the signature check alone, much against little. What counts is the median of the rounds'
//! ratios. The goals are those of the design, section 7; times are not asserted anywhere.
//!
//! `make bench` takes a few minutes, `make bench ONLY='echo footprint'` less: it measures only that.
//! `make bench-quick` only proves that it runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs
)]

mod echo; // the bare server
mod expressions; // CEL, against claims and prefixes
mod footprint; // memory, and the time to start
mod load; // who asks, and how long it takes
mod process; // the processes, and what they use
mod served; // the whole binary
mod table; // rows of ratios
mod tokens; // what is shown
mod verification; // token bytes to a user, against OpenSSL

#[allow(dead_code, unused_imports, missing_docs, reason = "that of tests/it, which uses all of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::time::Duration;

use table::Table;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Rounds of everything.
    pub rounds: usize,
    /// How long one server is under load in one round.
    pub window: Duration,
    /// Rounds of what takes microseconds.
    pub turns: usize,
    /// How many is many: cached answers, issuers, connections, starts.
    pub entries: usize,
    pub issuers: usize,
    pub connections: usize,
    pub starts: usize,
}

const THOROUGH: Effort = Effort {
    rounds: 7,
    window: Duration::from_millis(700),
    turns: 301,
    entries: 100_000,
    issuers: 10_000,
    connections: 1_000,
    starts: 15,
};

const QUICK: Effort = Effort {
    rounds: 1,
    window: Duration::from_millis(200),
    turns: 1,
    entries: 300,
    issuers: 50,
    connections: 10,
    starts: 1,
};

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [role, size, certificate, key] = &arguments[..]
        && role == echo::ROLE
    {
        return echo::run(size.parse().unwrap(), certificate, key);
    }
    let (options, only): (Vec<_>, Vec<_>) =
        arguments.into_iter().partition(|argument| argument.starts_with("--"));
    let effort = if options.iter().any(|it| it == "--quick") { QUICK } else { THOROUGH };
    let wants = |name: &str| only.is_empty() || only.iter().any(|it| it == name);
    countersign::lifecycle::open_as_many_files_as_allowed().unwrap();
    let mut table = Table::default();
    table.note(process::machine());
    // One thread asks, so that the servers have the rest.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(served::measure(effort, &mut table, wants));
    if wants("footprint") {
        runtime.block_on(footprint::measure(effort, &mut table));
    }
    if wants("verification") {
        verification::measure(effort, &mut table);
    }
    if wants("expressions") {
        expressions::measure(effort, &mut table);
    }
    table.print();
}
