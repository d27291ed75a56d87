//! The configuration, read again when it changes.
//!
//! Checked, compared, published whole: what is wrong changes nothing, what says the same in other
//! words neither, and what is new serves once the keys that it asks for were tried. A listener stays
//! where it is until a restart, and with it all else that stands in a configuration which moves it:
//! what is safe at one address may be open to everybody at another.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::{self, Config, Loaded, counted};
use crate::filewatch::{FileWatch, any_changed};
use crate::live::Live;
use crate::server::{Limits, Tls};

use super::files::{TlsFiles, finished};
use super::generation::{Generation, forget_departed};
use super::ground::Ground;
use super::notices::Notice;
use super::readiness;

/// What a new configuration is put in the place of.
pub(super) struct Reload {
    pub(super) file: PathBuf,
    pub(super) ground: Arc<Ground>,
    pub(super) generation: Live<Generation>,
    pub(super) limits: Live<Limits>,
    pub(super) tls: Live<Tls>,
    pub(super) tls_files: TlsFiles,
    pub(super) notice: Arc<Notice>,
}

impl Reload {
    /// Looks for changes of the files in `watches`, and of those that take their place.
    pub(super) async fn run(mut self, mut watches: Vec<FileWatch>) {
        loop {
            let wished = any_changed(&mut watches, &self.ground.files).await;
            watches = self.until_good(wished).await;
        }
    }

    /// Takes the configuration up as soon as it is good. It may become so by a file that it names and
    /// that is not watched here, so it is looked at all the time until then.
    async fn until_good(&mut self, mut wished: bool) -> Vec<FileWatch> {
        let (mut seen, mut told) = (None, None);
        loop {
            let wrong = match self.take_up().await {
                Ok(watches) => return watches,
                Err(wrong) => wrong,
            };
            // Files that belong together may be written one after the other: only what is still wrong
            // an interval later is worth a word, and one is enough. Who wished to look hears at once.
            if (wished || seen.as_ref() == Some(&wrong)) && told.as_ref() != Some(&wrong) {
                self.notice.refused(&wrong);
                told = Some(wrong.clone());
            }
            seen = Some(wrong);
            wished = self.ground.files.beat().await;
        }
    }

    /// Reads the configuration and publishes it, or says why it cannot be in force.
    async fn take_up(&mut self) -> Result<Vec<FileWatch>, String> {
        let file = self.file.clone();
        let loaded = finished(move || config::load(&file)).await?;
        let Loaded { config, warnings, watches, .. } =
            loaded.map_err(|problems| problems.to_string())?;
        let before = self.generation.get();
        stays_where_it_is(&before.config, &config)?;
        let hash = config.hash.clone();
        let changed = Config { hash: hash.clone(), ..before.config.clone() } != config;
        if changed {
            for warning in warnings {
                tracing::warn!(file = warning.place(), %warning, "configuration");
            }
            self.publish(config, &before).await?;
        }
        self.ground.metrics.config_loaded(&hash, SystemTime::now());
        self.notice.taken(describe(&self.generation.get(), &hash), changed);
        Ok(watches)
    }

    async fn publish(&mut self, config: Config, before: &Arc<Generation>) -> Result<(), String> {
        let server = config.server.clone();
        let mut tls = None;
        if !self.tls_files.are_of(&server) {
            let settings = server.clone();
            let read = finished(move || TlsFiles::read(&settings)).await?;
            tls = Some(read.map_err(|error| error.to_string())?);
        }
        let (ground, old) = (self.ground.clone(), before.clone());
        let built = finished(move || Generation::build(config, Some(&old), &ground)).await?;
        let generation = built.map_err(|error| error.to_string())?;
        readiness::tried(&generation.issuers).await;

        say_who_comes_and_goes(before, &generation);
        self.limits.publish(server.limits.clone());
        self.ground.shared.publish(generation.config.keys.clone());
        forget_departed(&generation);
        self.generation.replace(generation);
        if let Some((watches, tls)) = tls {
            self.tls.publish(tls);
            let files = TlsFiles::follow(&server, watches, &self.tls, &self.ground);
            std::mem::replace(&mut self.tls_files, files)
                .give_way_to(&server, &self.ground.metrics);
        }
        Ok(())
    }
}

/// Whose tokens are judged from now on, and whose no more: of the latter nobody else would tell.
fn say_who_comes_and_goes(before: &Generation, after: &Generation) {
    let names = |generation: &Generation| -> BTreeSet<String> {
        generation.issuers.iter().map(|issuer| issuer.source.issuer.clone()).collect()
    };
    let (before, after) = (names(before), names(after));
    for issuer in before.difference(&after) {
        tracing::warn!(issuer, "the issuer is no longer configured: its tokens are nobody's");
    }
    for issuer in after.difference(&before) {
        tracing::info!(issuer, "the issuer is new in the configuration");
    }
}

/// What is in force, in a few words.
pub(super) fn describe(generation: &Generation, hash: &str) -> String {
    let hash = hash.get(..8).unwrap_or_default();
    format!("{}, hash {hash}", counted(generation.issuers.len(), "issuer"))
}

/// Whether the listeners can stay where they are; says what needs a restart if not.
fn stays_where_it_is(before: &Config, after: &Config) -> Result<(), String> {
    let socket = |config: &Config| match &config.admin_socket {
        Some(path) => path.display().to_string(),
        None => "none".to_owned(),
    };
    let places = |config: &Config| {
        [
            ("listen.address", config.server.address.to_string()),
            ("admin.address", config.admin.to_string()),
            ("admin.socket", socket(config)),
        ]
    };
    let moved: Vec<_> = (places(before).into_iter().zip(places(after)))
        .filter(|(before, after)| before != after)
        .map(|((field, before), (_, after))| format!("{field} (now {before}, to be {after})"))
        .collect();
    match moved.is_empty() {
        true => Ok(()),
        false => Err(format!("needs a restart, because of {}", moved.join(", "))),
    }
}
