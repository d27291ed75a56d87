//! The composition root: builds every floor from its settings, connects, serves and drains.
//!
//! Nothing here is a static: everything is made once, in [`start`], and handed down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::authn::token_file::{TokenFile, TokenFileAuthenticator};
use crate::authn::{Chain, JwtAuthenticator, Reviews};
use crate::config::Config;
use crate::keys::IssuerKeys;
use crate::lifecycle::Drain;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::resources::{Admin, Check, Checks, Router, Webhook};
use crate::server::{Listener, Tls};
use crate::{authn, filewatch, keys, server};

/// Every interval of the process. No file sets them: the default is production's, and a test over
/// real sockets may not have the patience.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// Those of the key sets.
    pub keys: keys::Pace,
    /// How often a watched file is looked at.
    pub files: FilePace,
}
