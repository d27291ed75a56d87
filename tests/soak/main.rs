//! The soak: one real process, minutes or hours of everything at once, and a driver that knows the right
//! answer at every time.
//!
//! `make soak MINUTES=3 SEED=1`. Keys rotate, providers fail, files and the configuration are reloaded,
//! good and bad tokens come over connections that come and go, all of it from one seed. At the end no
//! answer was wrong, nothing leaks, and the metrics say what the clients saw.

// What fails here fails the soak, wherever it stands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod answers; // what may be answered, and whether it was
mod clients; // who asks, and what the answer has to be
mod facts; // what is true, and since when
mod process; // the process under test: its files, its memory, its log
mod strangers; // who is not welcome, or leaves in the middle
mod world; // what changes it all the time

#[allow(dead_code, unused_imports, missing_docs, reason = "that of tests/it, which uses all of it")]
#[path = "../it/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use clients::Seen;
use world::World;

/// How many ask at the same time.
const CLIENTS: u64 = 12;
/// Before this nothing is compared: caches fill, threads start.
const WARM_UP: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let mut arguments =
        std::env::args().skip(1).filter_map(|argument| argument.parse::<f64>().ok());
    let (minutes, seed) = (arguments.next().unwrap_or(3.0), arguments.next().unwrap_or(1.0) as u64);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let faults = runtime.block_on(soak(Duration::from_secs_f64(minutes * 60.0), seed));
    for fault in &faults {
        println!("FAULT {fault}");
    }
    let verdict = if faults.is_empty() { "well" } else { "NOT well" };
    println!("soak: {verdict}; again: make soak MINUTES={minutes} SEED={seed}");
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that is wrong after this time.
async fn soak(time: Duration, seed: u64) -> Vec<String> {
    let world = Arc::new(World::start(seed).await);
    let end = Instant::now() + time.max(WARM_UP * 2);
    let run = |until: Instant| {
        let clients = (0..CLIENTS).map(|number| {
            tokio::spawn(clients::ask(world.clone(), Chance::new(seed ^ (number << 32)), until))
        });
        let stranger = tokio::spawn(strangers::disturb(
            world.clone(),
            Chance::new(seed.rotate_left(17)),
            until,
        ));
        let clients: Vec<_> = clients.chain([stranger]).collect();
        let changing = tokio::spawn(world::change(world.clone(), Chance::new(!seed), until));
        async move {
            let mut seen = Seen::default();
            for client in clients {
                seen.add(client.await.unwrap());
            }
            changing.await.unwrap();
            seen
        }
    };
    let mut seen = run(Instant::now() + WARM_UP).await;
    let warm = world.process.holdings().await;
    seen.add(run(end).await);
    let after = world.process.holdings().await;

    let mut faults = std::mem::take(&mut seen.wrong);
    faults.extend(after.leaks_since(&warm));
    faults.extend(world.process.contradictions(&seen).await);
    faults.extend(world.process.said_too_much(&world.secrets()));
    if seen.certain < seen.reviews() / 3 {
        faults.push(format!("only {} answers had to be what they were", seen.certain));
    }
    println!(
        "soak: {} reviews in {} s ({:?}), {} of which had one right answer; {:?} TokenRequests, {} strangers",
        seen.reviews(),
        time.as_secs(),
        seen.by_result,
        seen.certain,
        seen.requests,
        seen.strangers,
    );
    println!(
        "soak: {} changes; {} connections, {} ended before they were asked; {warm} after {} s, {after} at the end",
        world.changes(),
        seen.connections,
        seen.ended,
        WARM_UP.as_secs(),
    );
    faults
}

/// What looks like chance, and is the same for the same seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// The one of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of `0..below`.
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    /// One of several.
    pub fn of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.below(several.len() as u64) as usize]
    }
}
