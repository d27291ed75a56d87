//! The embedded issuer: its signing keys and manifests, read again when they change.
//!
//! The keys are one set, replaced whole: while one of them is wrong, the last good set stays. Manifests
//! stand each for itself: one that is wrong holds back no other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::config::counted;
use crate::filewatch::FileWatch;
use crate::issuer::{Manifests, Objects, Settings, SigningKeys, TokenIssuer};
use crate::live::Live;

use super::StartError;
use super::files::{Followed, finished};
use super::ground::Ground;

/// The embedded issuer, which follows its files for as long as somebody has this.
pub(super) struct OpenIssuer {
    pub(super) issuer: Arc<TokenIssuer>,
    pub(super) settings: Settings,
    _keys: Followed<SigningKeys>,
    _objects: JoinSet<()>,
}

impl OpenIssuer {
    /// Opens keys and manifests, blocking, and keeps them up to date.
    pub(super) fn open(settings: &Settings, ground: &Ground) -> Result<Self, StartError> {
        let keys = signing_keys(&settings.signing_key_files, ground)?;
        let (objects, following) = objects(&settings.objects_dir, ground)?;
        let issuer = Arc::new(TokenIssuer::new(settings, keys.live.clone(), objects));
        Ok(Self { issuer, settings: settings.clone(), _keys: keys, _objects: following })
    }
}

fn signing_keys(files: &[PathBuf], ground: &Ground) -> Result<Followed<SigningKeys>, StartError> {
    // Before they are loaded, so that no change falls in between.
    let watches: Vec<_> = files.iter().map(|file| FileWatch::open(file).0).collect();
    let keys = SigningKeys::load(files)?;
    let describe = |keys: &SigningKeys| {
        format!("{} of them, {:?} signs", keys.iter().count(), keys.signer().id())
    };
    let first = files.first().map(|file| file.display().to_string()).unwrap_or_default();
    let notice = ground.notices.open("signing keys", first, describe(&keys));
    let load = {
        let files = files.to_vec();
        move || SigningKeys::load(&files).map_err(|error| error.to_string())
    };
    let rhythm = ground.files.clone();
    Ok(Followed::new(Live::new(keys), watches, rhythm, notice, load, describe))
}

/// What exists, and what follows the manifests.
fn objects(directory: &Path, ground: &Ground) -> Result<(Live<Objects>, JoinSet<()>), StartError> {
    let (mut manifests, mut watch, objects, errors) = Manifests::open(directory)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let describe = |objects: &Objects| counted(objects.len(), "object");
    let notice = ground.notices.open("objects", directory.display(), describe(&objects));
    let published = Live::new(objects);
    let (live, rhythm) = (published.clone(), ground.objects.clone());
    let mut following = JoinSet::new();
    following.spawn(async move {
        loop {
            let changes = match watch.changed(&rhythm).await {
                Ok(changes) => changes,
                Err(error) => {
                    notice.refused(error);
                    continue;
                }
            };
            let applied = finished(move || {
                let (objects, errors) = manifests.apply(changes);
                (manifests, objects, errors)
            });
            let (objects, errors);
            (manifests, objects, errors) = match applied.await {
                Ok(applied) => applied,
                // What was read so far is lost with it.
                Err(error) => return notice.refused(error),
            };
            let detail = describe(&objects);
            notice.partly_taken(detail, live.publish(objects), lines(&errors));
        }
    });
    Ok((published, following))
}

/// Every mistake in a line of its own, if there is one.
fn lines(errors: &[impl ToString]) -> Option<String> {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
