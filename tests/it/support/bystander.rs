//! Honest API servers beside an attack, and what the process may grow by meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::process::Process;
use super::service::Setup;
use super::{Issuer, Kube, until};

/// How much more memory than before an attack is still flat: far less than any of them sends, and more
/// than an allocator and the places of these limits need.
const FLAT_MIB: u64 = 48;

/// Connections that there may be.
pub const PLACES: usize = 64;

/// A process with small limits, asked by an honest API server all the time.
pub struct Besieged {
    pub process: Process,
    pub issuer: Issuer,
    before_mib: u64,
    asking: JoinHandle<()>,
    answered: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Besieged {
    /// Starts it.
    pub async fn start() -> Self {
        Self::with([]).await
    }

    /// Starts it with these entries in `jwt`, too.
    pub async fn with(others: impl IntoIterator<Item = Value>) -> Self {
        let issuer = Issuer::start().await;
        let groups = json!({"claimMappings": {"groups": {"claim": "groups", "prefix": ""}}});
        let jwt: Vec<_> = [issuer.entry(groups)].into_iter().chain(others).collect();
        let config = json!({
            "jwt": jwt,
            "cache": {"maxBytes": "1Mi", "rejectedMaxBytes": "1Mi"},
            "limits": {"maxConnections": PLACES, "maxRequestsInFlight": 64, "maxBodyBytes": "128Ki"},
        });
        let process = Process::start(Setup::new(config)).await;
        let kube = process.kube().await;
        let known = issuer.token(json!({}));
        assert_eq!(kube.authenticate(&known).await.username(), "alice");
        let (answered, ended) = <(Arc<AtomicUsize>, Arc<AtomicBool>)>::default();
        let asking = tokio::spawn({
            let (key, claims) = (issuer.key(), issuer.claims(json!({})));
            let (answered, ended) = (answered.clone(), ended.clone());
            async move {
                let mut fresh = claims;
                while !ended.load(Ordering::SeqCst) {
                    let number = answered.fetch_add(1, Ordering::SeqCst);
                    fresh["jti"] = json!(format!("fresh {number}"));
                    for token in [&known, &key.token(&fresh)] {
                        assert_eq!(kube.authenticate(token).await.username(), "alice");
                    }
                }
            }
        });
        let before_mib = process.peak_memory_mib();
        Self { process, issuer, before_mib, asking, answered, ended }
    }

    /// How often the honest one was answered well.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// Waits until it was answered so often since.
    pub async fn until_answered(&self, more: usize) {
        let goal = self.answered() + more;
        until("the honest one is answered", async || self.answered() >= goal).await;
    }

    /// A review that does not fit into one frame is answered.
    pub async fn takes_a_large_one(&self) {
        let token = self.issuer.token(json!({"large": "x".repeat(40_000)}));
        let kube = self.process.kube().await;
        assert_eq!(kube.authenticate(&token).await.username(), "alice");
    }

    /// Everybody is as well as before the attack, whoever asks now, and memory is flat.
    pub async fn stays_well(self) {
        self.until_answered(20).await;
        self.ended.store(true, Ordering::SeqCst);
        self.asking.await.expect("every honest review is answered");
        let kube: Kube = self.process.kube().await;
        assert_eq!(kube.authenticate(&self.issuer.token(json!({}))).await.username(), "alice");
        let (before, after) = (self.before_mib, self.process.peak_memory_mib());
        assert!(after < before + FLAT_MIB, "memory grew from {before} to {after} MiB");
    }
}
