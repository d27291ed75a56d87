//! What the configuration says of all key sets.

use std::path::PathBuf;
use std::time::Duration;

/// `keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `keys.maxStale`: how long keys from the network are used after they were last got. Default:
    /// absent, for ever.
    pub max_stale: Option<Duration>,
    /// `keys.cacheDir`: the folder where the last good keys from the network are kept for the next
    /// start. Default: none.
    pub cache_dir: Option<PathBuf>,
}
