//! What exists: the objects that tokens are issued for and die with.

use std::collections::HashMap;
use std::fmt;
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

    /// Adds an object, or replaces the one of its kind and name.
    pub(super) fn insert(&mut self, name: Name, thing: Thing) {
        let Name { namespace, name } = name;
        match thing {
            Thing::ServiceAccount(object) => {
                self.service_accounts.entry(namespace).or_default().insert(name, object);
            }
            Thing::Pod(pod) => drop(self.pods.entry(namespace).or_default().insert(name, pod)),
            Thing::Secret(object) => {
                self.secrets.entry(namespace).or_default().insert(name, object);
            }
            Thing::Node(object) => drop(self.nodes.insert(name, object)),
        }
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

/// The kinds of objects, all of `v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    ServiceAccount,
    Pod,
    Secret,
    Node,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::ServiceAccount, Self::Pod, Self::Secret, Self::Node];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::Pod => "Pod",
            Self::Secret => "Secret",
            Self::Node => "Node",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where an object is found. A node has no namespace: it is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{}{slash}{}", self.namespace, self.name)
    }
}

/// An object of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    ServiceAccount(Object),
    Pod(Pod),
    Secret(Object),
    Node(Object),
}

impl Thing {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::ServiceAccount(_) => Kind::ServiceAccount,
            Self::Pod(_) => Kind::Pod,
            Self::Secret(_) => Kind::Secret,
            Self::Node(_) => Kind::Node,
        }
    }
}
