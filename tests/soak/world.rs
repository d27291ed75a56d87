//! What changes all the time: keys, providers, files, the configuration.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::Chance;
use crate::facts::Fact;
use crate::process::Process;
use crate::support::api::{OBJECTS, signing_key};
use crate::support::service::{Setup, configuration};
use crate::support::{Issuer, Key, Manner, pki};

/// Files are looked at every two seconds, and once more before what is wrong is said.
const FILES: Duration = Duration::from_secs(8);
/// New keys are fetched once in ten seconds, and a refusal for want of one is as old at most.
const KEYS: Duration = Duration::from_secs(25);
/// How long things change, and then stay until all of it must have been noticed.
const STORM: Duration = Duration::from_secs(15);
const LULL: Duration = Duration::from_secs(35);

/// Everything around the process.
pub struct World {
    pub process: Process,
    pub now: Mutex<Now>,
    changes: AtomicU64,
    /// Keeps its keys; they are all it has to offer when it is dark.
    pub dark: Issuer,
    /// Changes its keys.
    pub rotating: Issuer,
    /// Comes and goes with the configuration.
    pub guest: Issuer,
}

/// What is true now.
pub struct Now {
    /// The last keys of the rotating issuer with their numbers, newest last.
    pub keys: VecDeque<(u64, Key)>,
    pub newest_key: Fact<u64>,
    /// The prefix of the dark issuer's users.
    pub prefix: Fact<u64>,
    pub guest_is_trusted: Fact<bool>,
    /// The number in the token file's one token that changes.
    pub token: Fact<u64>,
    /// Whether the service account is there.
    pub account: Fact<bool>,
    /// The number of the key that signs service accounts' tokens.
    pub signer: Fact<u64>,
}

/// The password of the token file's one token that stays.
pub const REQUESTER: &str = "soak-requester-secret";

impl World {
    pub async fn start(seed: u64) -> Self {
        let (dark, rotating, guest) =
            (Issuer::start().await, Issuer::start().await, Issuer::start().await);
        let now = Now {
            keys: [(0, rotating.key())].into(),
            newest_key: Fact::new(0, KEYS),
            prefix: Fact::new(0, FILES),
            guest_is_trusted: Fact::new(false, FILES),
            token: Fact::new(0, FILES),
            account: Fact::new(true, FILES),
            signer: Fact::new(0, FILES),
        };
        let mut setup = Setup::new(config(&dark, &rotating, &guest, &now))
            .with_file("tokens.csv", &token_file(0))
            .with_file("sa.key", &signing_key());
        for (file, text) in OBJECTS {
            setup = setup.with_file(&format!("objects/{file}"), text);
        }
        println!("soak: seed {seed}");
        let process = Process::start(setup).await;
        Self { process, now: Mutex::new(now), changes: AtomicU64::new(0), dark, rotating, guest }
    }

    pub fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }

    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// What must be in no log.
    pub fn secrets(&self) -> Vec<String> {
        vec![REQUESTER.to_owned(), "soak-token-".to_owned(), "eyJ".to_owned()]
    }

    fn reconfigure(&self, now: &Now) {
        let config = configuration(config(&self.dark, &self.rotating, &self.guest, now));
        self.process.write("countersign.yaml", &config.to_string());
    }
}

/// The configuration that says what is true now.
fn config(dark: &Issuer, rotating: &Issuer, guest: &Issuer, now: &Now) -> Value {
    let prefix = format!("{}:", now.prefix.now());
    let mapping = json!({"claimMappings": {"username": {"claim": "sub", "prefix": prefix}}});
    let mut jwt = vec![dark.entry(mapping), rotating.entry(json!({}))];
    if *now.guest_is_trusted.now() {
        jwt.push(guest.entry(json!({})));
    }
    json!({
        "jwt": jwt,
        "tokenFile": {"path": "tokens.csv"},
        "cache": {"authenticatedTTL": "30s", "rejectedTTL": "5s", "maxBytes": "8Mi", "rejectedMaxBytes": "1Mi"},
        "limits": {"maxConnectionAge": "7s", "requestTimeout": "10s"},
        "serviceAccountIssuer": {
            "url": "https://soak.test", "signingKeyFiles": ["sa.key"], "objectsDir": "objects",
            "usernamePrefix": "sa:", "groupsPrefix": "sa:",
        },
        "callers": [{
            "users": ["requester"], "allow": ["serviceaccounts/token"],
            "serviceAccounts": ["ci/*"], "audiences": ["*"],
        }],
    })
}

fn token_file(number: u64) -> String {
    format!("soak-token-{number},jane,1\n{REQUESTER},requester,2\n")
}

/// A change, under its share of a hundred.
type Change = (u64, fn(&World, &mut Chance));

const CHANGES: [Change; 10] = [
    (16, |world, chance| world.dark.turns(manner(chance))),
    (12, |world, _| {
        // The old one is withdrawn at once.
        let mut now = world.now();
        let key = Key::new("ES256");
        world.rotating.publish(&key, []);
        let newest = now.newest_key.now() + 1;
        now.keys.push_back((newest, key));
        let old = now.keys.len().saturating_sub(4);
        now.keys.drain(..old);
        now.newest_key.becomes(newest);
    }),
    (8, |world, _| {
        let mut now = world.now();
        let next = now.signer.now() + 1;
        world.process.write("sa.key", &signing_key());
        now.signer.becomes(next);
    }),
    (8, |world, _| {
        let mut now = world.now();
        let next = now.token.now() + 1;
        world.process.write("tokens.csv", &token_file(next));
        now.token.becomes(next);
    }),
    (12, |world, _| {
        let mut now = world.now();
        let next = now.prefix.now() + 1;
        now.prefix.becomes(next);
        world.reconfigure(&now);
    }),
    (8, |world, _| {
        let mut now = world.now();
        let next = !now.guest_is_trusted.now();
        now.guest_is_trusted.becomes(next);
        world.reconfigure(&now);
    }),
    (12, |world, _| {
        let mut now = world.now();
        let is_there = !now.account.now();
        let (file, text) = OBJECTS[0];
        match is_there {
            true => world.process.write(&format!("objects/{file}"), text),
            false => world.process.remove(&format!("objects/{file}")),
        }
        now.account.becomes(is_there);
    }),
    (8, |world, _| {
        let leaf = pki::SERVERS.server();
        world.process.write("tls.key", &leaf.key);
        world.process.write("tls.crt", &leaf.certificate);
    }),
    (8, |world, chance| {
        // With or without one more: everybody is told to go, and may come again.
        let more = if chance.below(2) == 0 { "" } else { &pki::PROVIDERS.pem };
        world.process.write("client-ca.crt", &format!("{}{more}", pki::CLIENTS.pem));
    }),
    (8, |world, _| world.process.hang_up()),
];

/// How a provider answers that is not what it should be.
fn manner(chance: &mut Chance) -> Manner {
    let manners = [
        Manner::Dark,
        Manner::Status(500),
        Manner::Says("<html>".to_owned()),
        Manner::Says(r#"{"keys":[]}"#.to_owned()),
        Manner::Stalls,
        Manner::Drips,
        Manner::Floods(2 << 20),
        Manner::Well,
    ];
    chance.of(&manners).clone()
}

/// Changes something every now and then, `until` the end. Between storms nothing does, so that there is
/// but one right answer to everything.
pub async fn change(world: std::sync::Arc<World>, mut chance: Chance, until: Instant) {
    while Instant::now() < until {
        let end = until.min(Instant::now() + STORM);
        while Instant::now() < end {
            let mut left = chance.below(100);
            for (share, change) in CHANGES {
                if left < share {
                    change(&world, &mut chance);
                    break;
                }
                left -= share;
            }
            world.changes.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(100 + chance.below(900))).await;
        }
        sleep_until(until.min(end + LULL)).await;
    }
}
