//! What outlives every configuration.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::authn::{Judges, Workers};
use crate::fetch::Network;
use crate::filewatch::{Hurry, Rhythm};
use crate::keys;
use crate::metrics::Metrics;

use super::notices::Notices;
use super::{Pace, StartError};

/// What everything that a configuration asks for is built on.
pub(super) struct Ground {
    /// Where the HTTPS listener is.
    pub(super) webhook: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) notices: Notices,
    pub(super) network: Network,
    pub(super) judges: Arc<Judges>,
    pub(super) workers: Workers,
    pub(super) keys: keys::Pace,
    /// What all key sets share.
    pub(super) shared: keys::Shared,
    pub(super) key_files: keys::KeyFiles,
    /// When files are looked at.
    pub(super) files: Rhythm,
    /// When manifests are looked at.
    pub(super) objects: Rhythm,
}

impl Ground {
    pub(super) fn new(
        webhook: SocketAddr,
        keys: keys::Settings,
        metrics: Arc<Metrics>,
        pace: &Pace,
        hurry: &Hurry,
    ) -> Result<Self, StartError> {
        let files = Rhythm::hurried(pace.files, hurry);
        Ok(Self {
            webhook,
            notices: Notices::new(metrics.clone()),
            metrics,
            network: Network::of_this_machine(),
            judges: Arc::new(Judges::of_this_machine().map_err(StartError::Judges)?),
            workers: Workers::of_this_machine(),
            keys: pace.keys,
            shared: keys::Shared::new(keys),
            key_files: keys::KeyFiles::new(files.clone()),
            files,
            objects: Rhythm::hurried(pace.objects, hurry),
        })
    }
}
