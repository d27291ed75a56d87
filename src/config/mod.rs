//! The configuration: files in, every floor's own settings out. Nothing below knows it.

use std::net::SocketAddr;

use crate::{authn, server};

/// A configuration that has been checked: it cannot be wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `listen` and `limits`.
    pub server: server::Settings,
    /// `listen.clientNames`: whose certificates may ask `/authenticate`; absent without
    /// `listen.clientCAFile`, when anybody who reaches the listener may.
    pub client_names: Option<Vec<String>>,
    /// `admin.address`.
    pub admin: SocketAddr,
    /// `apiAudiences`, `jwt`, `tokenFile`.
    pub authn: authn::Settings,
    /// `cache`.
    pub cache: authn::CacheSettings,
    /// BLAKE3 over the file and the files that it names, in hexadecimal.
    pub hash: String,
}
