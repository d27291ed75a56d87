//! The doubles of the tests, all of them real: an identity provider over TLS, a client that speaks
//! as kube-apiserver does, the service itself on ports of its own, and its log.

pub mod api;
pub mod bystander;
pub mod client;
pub mod command;
pub mod frames;
pub mod issuer;
pub mod kubeconfig;
pub mod logs;
pub mod manner;
pub mod metrics;
pub mod pki;
pub mod process;
pub mod service;
pub mod signing;
pub mod transport;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

pub use client::{Caller, Kube, Verdict};
pub use issuer::Issuer;
pub use manner::{Gate, Manner};
pub use service::{API, Service};
pub use signing::Key;

/// Waits until `condition` is true. The bound is for a broken service only: it says what was waited
/// for instead of hanging.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(within(waiting).await.is_some(), "waited in vain until {what}");
}

/// What `future` gives, unless it hangs.
pub async fn within<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_secs(60), future).await.ok()
}

/// Starts all of `futures` at once, each as a task; their results come in order.
pub fn all<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> impl Future<Output = Vec<T>> {
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    async move {
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(within(task).await.expect("one of many never ended").unwrap());
        }
        results
    }
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// Lays `over` over `base`: objects member by member, all else replaced, `null` removed.
pub fn lay(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                match value {
                    Value::Null => drop(base.remove(&name)),
                    value => lay(base.entry(name).or_insert(Value::Null), value),
                }
            }
        }
        (base, over) => *base = over,
    }
}
