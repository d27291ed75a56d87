//! The API server's own `AuthenticationConfiguration`, as it is written.
//!
//! Its three versions have one schema, and no defaults. What it says of requests without a token is
//! read to be checked, and for nothing else.

use crate::document::{Cursor, Document, Entry, Place, Report};

use super::{Jwt, Schema, is_one_of, list};

/// The kind of this file.
pub const KIND: &str = "AuthenticationConfiguration";
/// Its API group, and what stands between it and the version.
const GROUP: &str = "apiserver.config.k8s.io/";
/// The versions of [`KIND`].
const API_VERSIONS: [&str; 3] = [
    "apiserver.config.k8s.io/v1",
    "apiserver.config.k8s.io/v1beta1",
    "apiserver.config.k8s.io/v1alpha1",
];

/// The top level.
pub struct AuthenticationFile {
    /// The trusted issuers. Default: none.
    pub jwt: Entry<Vec<Jwt>>,
    /// Default: none.
    pub anonymous: Option<Anonymous>,
}

/// `anonymous`.
pub struct Anonymous {
    /// Default: `false`.
    pub enabled: Entry<bool>,
    /// Default: none.
    pub conditions: Entry<Vec<Entry<String>>>,
    /// Where they stand.
    pub place: Place,
}

impl AuthenticationFile {
    /// Whether a document means to be of this kind.
    pub fn is(document: &Document) -> bool {
        // What is wrong is reported by whoever reads it.
        let report = Report::default();
        let mut top = document.cursor(&report).object();
        let [kind, version] = ["kind", "apiVersion"].map(|name| top.take(name).string());
        kind.value().is_some_and(|kind| kind == KIND)
            || version.value().is_some_and(|version| version.starts_with(GROUP))
    }

    /// Reads the document, unless it is of another kind: then that is the one problem.
    pub fn read(document: &Document, report: &Report) -> Option<Self> {
        let mut top = document.cursor(report).object();
        let version = top.take("apiVersion").string();
        let kind = top.take("kind").string();
        let is_known = is_one_of(&version, &API_VERSIONS, report);
        (is_one_of(&kind, &[KIND], report) && is_known).then_some(())?;
        let file = Self {
            jwt: list(top.take("jwt"), |cursor| Jwt::read(cursor, Schema::Upstream)),
            anonymous: Anonymous::read(top.take("anonymous")),
        };
        top.finish(&[]);
        Some(file)
    }
}

impl Anonymous {
    fn read(cursor: Cursor<'_>) -> Option<Self> {
        let mut fields = cursor.object();
        let anonymous = Self {
            enabled: fields.take("enabled").boolean(),
            conditions: list(fields.take("conditions"), |cursor| {
                let mut fields = cursor.object();
                let path = fields.take("path").string();
                fields.finish(&[]);
                path
            }),
            place: fields.place().clone(),
        };
        let written = !fields.is_absent();
        fields.finish(&[]);
        written.then_some(anonymous)
    }
}
