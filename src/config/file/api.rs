//! `serviceAccountIssuer` and `callers`, as they are written.

use std::time::Duration;

use crate::document::{Cursor, Entry, Place};

use super::super::units::duration;
use super::strings;

/// `serviceAccountIssuer`.
pub struct ServiceAccountIssuer {
    /// Required.
    pub url: Entry<String>,
    /// Required: the first signs.
    pub signing_key_files: Entry<Vec<Entry<String>>>,
    /// Required.
    pub objects_dir: Entry<String>,
    /// Default: `24h`.
    pub max_expiration: Entry<Duration>,
    /// Default: empty.
    pub username_prefix: Entry<String>,
    /// Default: empty.
    pub groups_prefix: Entry<String>,
    /// Default: `false`.
    pub allow_reserved: Entry<bool>,
}

/// An entry of `callers`.
pub struct Caller {
    /// Default: none.
    pub users: Entry<Vec<Entry<String>>>,
    /// Default: none.
    pub groups: Entry<Vec<Entry<String>>>,
    /// Required.
    pub allow: Entry<Vec<Entry<String>>>,
    /// Required with `serviceaccounts/token`.
    pub service_accounts: Entry<Vec<Entry<String>>>,
    /// Required with `serviceaccounts/token`.
    pub audiences: Entry<Vec<Entry<String>>>,
    /// Required with `serviceaccounts/token`.
    pub max_expiration: Entry<Duration>,
    /// Where it stands.
    pub place: Place,
}

impl ServiceAccountIssuer {
    pub(super) fn read(cursor: Cursor<'_>) -> Option<Self> {
        let mut fields = cursor.object();
        let issuer = Self {
            url: fields.take("url").string(),
            signing_key_files: strings(fields.take("signingKeyFiles")),
            objects_dir: fields.take("objectsDir").string(),
            max_expiration: duration(fields.take("maxExpiration")),
            username_prefix: fields.take("usernamePrefix").string(),
            groups_prefix: fields.take("groupsPrefix").string(),
            allow_reserved: fields.take("allowReserved").boolean(),
        };
        let written = !fields.is_absent();
        fields.finish(&[]);
        written.then_some(issuer)
    }
}

impl Caller {
    pub(super) fn read(cursor: Cursor<'_>) -> Self {
        let mut fields = cursor.object();
        let caller = Self {
            users: strings(fields.take("users")),
            groups: strings(fields.take("groups")),
            allow: strings(fields.take("allow")),
            service_accounts: strings(fields.take("serviceAccounts")),
            audiences: strings(fields.take("audiences")),
            max_expiration: duration(fields.take("maxExpiration")),
            place: fields.place().clone(),
        };
        fields.finish(&[]);
        caller
    }
}
