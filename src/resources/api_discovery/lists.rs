//! Which version this is and which resources are served, in the words of `meta/v1` and
//! `apidiscovery.k8s.io/v2`.
//!
//! Both forms are made of one list of resources. Some lists have no `apiVersion`, as upstream's
//! have none.

use std::env::consts::{ARCH, OS};
use std::net::SocketAddr;

use serde::Serialize;

const GROUP: &str = "authentication.k8s.io";

/// What can be done with everything that is served here.
const VERBS: [&str; 1] = ["create"];

/// Everything that is served.
pub(super) struct Resources {
    address: String,
    core: Vec<Resource>,
    authentication: Vec<Resource>,
}

struct Resource {
    name: &'static str,
    /// What of it is served, where that is not the resource itself.
    subresource: Option<&'static str>,
    singular: &'static str,
    namespaced: bool,
    kind: &'static str,
}

impl Resources {
    pub(super) fn new(address: SocketAddr, issues_tokens: bool) -> Self {
        let token = Resource {
            name: "serviceaccounts",
            subresource: Some("token"),
            singular: "",
            namespaced: true,
            kind: "TokenRequest",
        };
        let review = |name, singular, kind| Resource {
            name,
            subresource: None,
            singular,
            namespaced: false,
            kind,
        };
        Self {
            address: address.to_string(),
            core: issues_tokens.then_some(token).into_iter().collect(),
            authentication: vec![
                review("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview"),
                review("tokenreviews", "tokenreview", "TokenReview"),
            ],
        }
    }

    /// `/api`.
    pub(super) fn api_versions(&self) -> impl Serialize {
        ApiVersions { kind: "APIVersions", versions: ["v1"], addresses: self.addresses() }
    }

    /// `/apis`.
    pub(super) fn groups(&self) -> impl Serialize {
        let group = ApiGroup {
            kind: None,
            api_version: None,
            addresses: Some(self.addresses()),
            ..GROUP_V1
        };
        ApiGroupList { kind: "APIGroupList", groups: [group] }
    }

    /// `/apis/authentication.k8s.io`.
    pub(super) fn group(&self) -> impl Serialize {
        GROUP_V1
    }

    /// `/api/v1`.
    pub(super) fn core(&self) -> impl Serialize {
        ApiResourceList {
            kind: "APIResourceList",
            api_version: None,
            group_version: "v1",
            resources: self.core.iter().map(Resource::plain).collect(),
        }
    }

    /// `/apis/authentication.k8s.io/v1`.
    pub(super) fn authentication(&self) -> impl Serialize {
        ApiResourceList {
            kind: "APIResourceList",
            api_version: Some("v1"),
            group_version: GROUP_VERSION.group_version,
            resources: self.authentication.iter().map(Resource::plain).collect(),
        }
    }

    /// `/api`, aggregated.
    pub(super) fn aggregated_core(&self) -> impl Serialize {
        GroupDiscoveryList::of(None, &self.core)
    }

    /// `/apis`, aggregated.
    pub(super) fn aggregated_groups(&self) -> impl Serialize {
        GroupDiscoveryList::of(Some(GROUP), &self.authentication)
    }

    fn addresses(&self) -> [ServerAddress; 1] {
        [ServerAddress { client_cidr: "0.0.0.0/0", server_address: self.address.clone() }]
    }
}

impl Resource {
    fn plain(&self) -> ApiResource {
        ApiResource {
            name: match self.subresource {
                Some(subresource) => format!("{}/{subresource}", self.name),
                None => self.name.to_owned(),
            },
            singular_name: self.singular,
            namespaced: self.namespaced,
            group: self.subresource.map(|_| GROUP),
            version: self.subresource.map(|_| GROUP_VERSION.version),
            kind: self.kind,
            verbs: VERBS,
        }
    }

    /// A resource that is not served itself, and only there for its subresource, has no kind and no
    /// verbs.
    fn aggregated(&self) -> ResourceDiscovery {
        let subresource = self.subresource.map(|subresource| SubresourceDiscovery {
            subresource,
            response_kind: Kind { group: GROUP, version: GROUP_VERSION.version, kind: self.kind },
            verbs: VERBS,
        });
        let itself = subresource.is_none();
        ResourceDiscovery {
            resource: self.name,
            response_kind: Kind {
                group: "",
                version: "",
                kind: if itself { self.kind } else { "" },
            },
            scope: if self.namespaced { "Namespaced" } else { "Cluster" },
            singular_resource: self.singular,
            verbs: if itself { &VERBS } else { &[] },
            subresources: subresource.into_iter().collect(),
        }
    }
}

/// `version.Info` of apimachinery.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    major: &'static str,
    minor: &'static str,
    emulation_major: &'static str,
    emulation_minor: &'static str,
    min_compatibility_major: &'static str,
    min_compatibility_minor: &'static str,
    git_version: String,
    git_commit: &'static str,
    git_tree_state: &'static str,
    build_date: &'static str,
    go_version: &'static str,
    compiler: &'static str,
    platform: String,
}

impl Default for Version {
    /// The Kubernetes whose API this is, and countersign's own version behind it. What is not known
    /// is empty, and the date is the one that upstream has when it does not know.
    fn default() -> Self {
        let architecture = match ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        Self {
            major: "1",
            minor: "37",
            emulation_major: "1",
            emulation_minor: "37",
            min_compatibility_major: "1",
            min_compatibility_minor: "36",
            git_version: concat!("v1.37.0+countersign-", env!("CARGO_PKG_VERSION")).to_owned(),
            git_commit: "",
            git_tree_state: "",
            build_date: "1970-01-01T00:00:00Z",
            go_version: "",
            compiler: "rustc",
            platform: format!("{OS}/{architecture}"),
        }
    }
}

#[derive(Serialize)]
struct ApiVersions {
    kind: &'static str,
    versions: [&'static str; 1],
    #[serde(rename = "serverAddressByClientCIDRs")]
    addresses: [ServerAddress; 1],
}

#[derive(Serialize)]
struct ServerAddress {
    #[serde(rename = "clientCIDR")]
    client_cidr: &'static str,
    #[serde(rename = "serverAddress")]
    server_address: String,
}

#[derive(Serialize)]
struct ApiGroupList {
    kind: &'static str,
    groups: [ApiGroup; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    name: &'static str,
    versions: [GroupVersion; 1],
    preferred_version: GroupVersion,
    #[serde(rename = "serverAddressByClientCIDRs", skip_serializing_if = "Option::is_none")]
    addresses: Option<[ServerAddress; 1]>,
}

const GROUP_V1: ApiGroup = ApiGroup {
    kind: Some("APIGroup"),
    api_version: Some("v1"),
    name: GROUP,
    versions: [GROUP_VERSION],
    preferred_version: GROUP_VERSION,
    addresses: None,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: &'static str,
    version: &'static str,
}

const GROUP_VERSION: GroupVersion =
    GroupVersion { group_version: "authentication.k8s.io/v1", version: "v1" };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiResourceList {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<&'static str>,
    group_version: &'static str,
    resources: Vec<ApiResource>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiResource {
    name: String,
    singular_name: &'static str,
    namespaced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    kind: &'static str,
    verbs: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupDiscoveryList {
    kind: &'static str,
    api_version: &'static str,
    metadata: Metadata,
    items: [GroupDiscovery; 1],
}

impl GroupDiscoveryList {
    fn of(name: Option<&'static str>, resources: &[Resource]) -> Self {
        let version = VersionDiscovery {
            version: "v1",
            resources: resources.iter().map(Resource::aggregated).collect(),
            freshness: "Current",
        };
        Self {
            kind: "APIGroupDiscoveryList",
            api_version: "apidiscovery.k8s.io/v2",
            metadata: Metadata { name: None },
            items: [GroupDiscovery { metadata: Metadata { name }, versions: [version] }],
        }
    }
}

#[derive(Serialize)]
struct GroupDiscovery {
    metadata: Metadata,
    versions: [VersionDiscovery; 1],
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct VersionDiscovery {
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<ResourceDiscovery>,
    freshness: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery {
    resource: &'static str,
    response_kind: Kind,
    scope: &'static str,
    singular_resource: &'static str,
    verbs: &'static [&'static str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subresources: Vec<SubresourceDiscovery>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubresourceDiscovery {
    subresource: &'static str,
    response_kind: Kind,
    verbs: [&'static str; 1],
}

#[derive(Serialize)]
struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
}
