//! The embedded issuer: its signing keys and manifests, read again when they change.
//!
//! The keys are one set, replaced whole: while one of them is wrong, the last good set stays. Manifests
//! stand each for itself: one that is wrong holds back no other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};

use crate::filewatch::{FileWatch, any_changed};
use crate::issuer::{Manifests, Objects, Settings, SigningKeys, SigningKeysLoadError, TokenIssuer};
use crate::live::Live;
use crate::metrics::Metrics;

use super::{Pace, StartError};

/// Opens keys and manifests, and keeps them up to date.
pub(super) fn open(
    settings: &Settings,
    pace: &Pace,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Arc<TokenIssuer>, StartError> {
    let keys = signing_keys(&settings.signing_key_files, pace.files, metrics, background)?;
    let objects = objects(&settings.objects_dir, pace.objects, metrics, background)?;
    Ok(Arc::new(TokenIssuer::new(settings, keys, objects)))
}

/// Publishes the keys, and again whenever one of their files changes.
///
/// A rotation writes one file after the other. So what is wrong is looked at once more, an interval
/// later, before anybody is told.
fn signing_keys(
    files: &[PathBuf],
    interval: Duration,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Live<SigningKeys>, StartError> {
    // Before they are loaded, so that no change falls in between.
    let mut watches: Vec<_> = files.iter().map(|file| FileWatch::open(file).0).collect();
    let published = Live::new(SigningKeys::load(files)?);
    let (live, metrics, files) = (published.clone(), metrics.clone(), Arc::<[_]>::from(files));
    background.spawn(async move {
        loop {
            any_changed(&mut watches, interval).await;
            let mut loaded = load(files.clone()).await;
            if loaded.is_err() {
                tokio::time::sleep(interval).await;
                loaded = load(files.clone()).await;
            }
            match loaded {
                Ok(keys) => {
                    let (count, kid) = (keys.iter().count(), keys.signer().id().to_owned());
                    if live.publish(keys) {
                        tracing::info!(keys = count, kid, "the signing keys have changed");
                        metrics.config_reloaded(true);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the signing keys are wrong; the last good ones stay");
                    metrics.config_reloaded(false);
                }
            }
        }
    });
    Ok(published)
}

async fn load(files: Arc<[PathBuf]>) -> Result<SigningKeys, SigningKeysLoadError> {
    finished(move || SigningKeys::load(&files)).await
}

/// Publishes what exists, and again whenever a manifest changes.
fn objects(
    directory: &Path,
    interval: Duration,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Live<Objects>, StartError> {
    let (mut manifests, mut watch, objects, errors) = Manifests::open(directory)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let published = Live::new(objects);
    let (live, metrics) = (published.clone(), metrics.clone());
    let directory = directory.display().to_string();
    background.spawn(async move {
        loop {
            let changes = match watch.changed(interval).await {
                Ok(changes) => changes,
                Err(error) => {
                    tracing::error!(directory, %error, "the manifests are not read; they stay as they were");
                    metrics.config_reloaded(false);
                    continue;
                }
            };
            let (objects, errors);
            (manifests, objects, errors) = finished(move || {
                let (objects, errors) = manifests.apply(changes);
                (manifests, objects, errors)
            })
            .await;
            for error in &errors {
                let file = error.file.display().to_string();
                tracing::error!(file, %error, "a manifest is wrong; what was good before stays");
            }
            if !errors.is_empty() {
                metrics.config_reloaded(false);
            }
            let count = objects.len();
            if live.publish(objects) {
                tracing::info!(objects = count, "the objects have changed");
                metrics.config_reloaded(true);
            }
        }
    });
    Ok(published)
}

/// What `work` gives, which may take a while.
async fn finished<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        // It does not panic; it may only be cancelled, by the end of the runtime.
        Err(_) => std::future::pending().await,
    }
}
