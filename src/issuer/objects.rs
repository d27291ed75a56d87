//! What exists: the objects that tokens are issued for and die with.

use std::collections::HashMap;
use std::time::SystemTime;

/// An object of which no more is known than that it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `metadata.uid`: tells it from another one that had its name before.
    pub uid: String,
    /// `metadata.deletionTimestamp`: since when it is terminating.
    pub deletion: Option<SystemTime>,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// What every object has.
    pub object: Object,
    /// `spec.serviceAccountName`; `default` if absent.
    pub service_account: String,
    /// `spec.nodeName`; absent until it is scheduled.
    pub node: Option<String>,
}

/// Everything that exists, by kind, namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    service_accounts: ByName<Object>,
    pods: ByName<Pod>,
    secrets: ByName<Object>,
    nodes: HashMap<String, Object>,
}

/// By namespace and name.
type ByName<T> = HashMap<String, HashMap<String, T>>;

impl Objects {
    /// The service account of that name.
    pub fn service_account(&self, namespace: &str, name: &str) -> Option<&Object> {
        self.service_accounts.get(namespace)?.get(name)
    }

    /// The pod of that name.
    pub fn pod(&self, namespace: &str, name: &str) -> Option<&Pod> {
        self.pods.get(namespace)?.get(name)
    }

    /// The secret of that name, of whatever type.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<&Object> {
        self.secrets.get(namespace)?.get(name)
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<&Object> {
        self.nodes.get(name)
    }

    /// How many there are, of all kinds.
    pub fn len(&self) -> usize {
        fn count<T>(kind: &ByName<T>) -> usize {
            kind.values().map(HashMap::len).sum()
        }
        count(&self.service_accounts) + count(&self.pods) + count(&self.secrets) + self.nodes.len()
    }

    /// Whether nothing exists.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
