//! Files that are read again when they change: the token file, and those of TLS.
//!
//! What is wrong changes nothing: the last good content stays, and the log says what to mend.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};

use crate::authn;
use crate::authn::token_file::TokenFile;
use crate::filewatch::{FileWatch, any_changed};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::server::{self, Tls, TlsError};

use super::StartError;

/// Publishes the token file, and again whenever it changes.
pub(super) fn token_file(
    settings: &authn::TokenFileSettings,
    interval: Duration,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Live<TokenFile>, StartError> {
    let (mut watch, content) = FileWatch::open(&settings.path);
    let published = Live::new(TokenFile::parse(&content?)?);
    let (live, metrics) = (published.clone(), metrics.clone());
    let file = settings.path.display().to_string();
    background.spawn(async move {
        loop {
            let content = watch.changed(interval).await.map_err(StartError::File);
            match content.and_then(|content| Ok(TokenFile::parse(&content)?)) {
                Ok(tokens) => {
                    tracing::info!(file, tokens = tokens.len(), "the token file has changed");
                    metrics.config_reloaded(true);
                    live.publish(tokens);
                }
                Err(error) => {
                    tracing::error!(file, %error, "the token file is wrong; the last good one stays");
                    metrics.config_reloaded(false);
                }
            }
        }
    });
    Ok(published)
}

/// Publishes what TLS is spoken with, and again whenever one of its files changes.
///
/// Certificate and key are two files, and whoever renews them may write one after the other. So what
/// is wrong is looked at once more, an interval later, before anybody is told.
pub(super) fn tls(
    settings: &server::Settings,
    interval: Duration,
    metrics: &Arc<Metrics>,
    background: &mut JoinSet<()>,
) -> Result<Live<Tls>, TlsError> {
    let watch = |file: &Path| FileWatch::open(file).0;
    // Before they are loaded, so that no change falls in between.
    let mut files = vec![watch(&settings.certificate_file), watch(&settings.private_key_file)];
    files.extend(settings.client_ca_file.as_deref().map(watch));
    let tls = Tls::load(settings)?;
    show_expiries(&tls, metrics);
    let published = Live::new(tls);
    let (live, metrics, settings) = (published.clone(), metrics.clone(), settings.clone());
    background.spawn(async move {
        loop {
            any_changed(&mut files, interval).await;
            let mut loaded = load(settings.clone()).await;
            if loaded.is_err() {
                tokio::time::sleep(interval).await;
                loaded = load(settings.clone()).await;
            }
            match loaded {
                Ok(tls) => {
                    show_expiries(&tls, &metrics);
                    if live.publish(tls) {
                        tracing::info!("the serving certificate or the client CA has changed");
                        metrics.config_reloaded(true);
                    }
                }
                Err(error) => {
                    let file = error.file().map(|file| file.display().to_string());
                    let source = error.source().map(tracing::field::display);
                    tracing::error!(
                        file,
                        %error,
                        source,
                        "TLS cannot be served with the changed files; the last good ones stay"
                    );
                    metrics.config_reloaded(false);
                }
            }
        }
    });
    Ok(published)
}

async fn load(settings: server::Settings) -> Result<Tls, TlsError> {
    match spawn_blocking(move || Tls::load(&settings)).await {
        Ok(loaded) => loaded,
        // Loading does not panic; it may only be cancelled, by the end of the runtime.
        Err(_) => std::future::pending().await,
    }
}

fn show_expiries(tls: &Tls, metrics: &Metrics) {
    for (file, at) in tls.expiries() {
        metrics.certificate_expires(&file.to_string_lossy(), *at);
    }
}
