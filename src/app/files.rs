//! Files that are read again when they change: the token file, and those of TLS.
//!
//! What is wrong changes nothing: the last good content stays, and the [`Notice`] says what to mend.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::{JoinSet, spawn_blocking};

use crate::authn::token_file::TokenFile;
use crate::config::counted;
use crate::filewatch::{FileWatch, Rhythm, any_changed};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::server::{self, Tls, TlsError};

use super::StartError;
use super::ground::Ground;
use super::notices::Notice;

/// A value that follows its files for as long as somebody has this.
pub(super) struct Followed<T> {
    pub(super) live: Live<T>,
    _following: JoinSet<()>,
}

impl<T: PartialEq + Send + Sync + 'static> Followed<T> {
    /// Publishes in `live` what `load` makes of the files in `watches` whenever one of them changes.
    /// `describe` says in a few words what is in force.
    ///
    /// Files that belong together may be written one after the other. So what is wrong is looked at
    /// once more, an interval later, before anybody is told; unless it was wished to look now.
    pub(super) fn new(
        live: Live<T>,
        mut watches: Vec<FileWatch>,
        rhythm: Rhythm,
        notice: Arc<Notice>,
        load: impl Fn() -> Result<T, String> + Send + Sync + 'static,
        describe: impl Fn(&T) -> String + Send + Sync + 'static,
    ) -> Self {
        let (published, load) = (live.clone(), Arc::new(load));
        let mut following = JoinSet::new();
        following.spawn(async move {
            loop {
                let once = || {
                    let load = load.clone();
                    async { finished(move || load()).await.and_then(|loaded| loaded) }
                };
                let wished = any_changed(&mut watches, &rhythm).await;
                let mut loaded = once().await;
                if loaded.is_err() && !wished {
                    rhythm.beat().await;
                    loaded = once().await;
                }
                match loaded {
                    Ok(value) => {
                        let detail = describe(&value);
                        notice.taken(detail, published.publish(value));
                    }
                    Err(error) => notice.refused(error),
                }
            }
        });
        Self { live, _following: following }
    }
}

/// What `work` gives, which may take a while.
///
/// # Errors
///
/// Fails if it panics, which is a bug; in words for who reads the log.
pub(super) async fn finished<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) if error.is_panic() => {
            Err("a bug ended its reading; where is in the log: please report this".to_owned())
        }
        // It was cancelled, by the end of the runtime.
        Err(_) => std::future::pending().await,
    }
}

/// The token file at `path`.
pub(super) fn token_file(
    path: &PathBuf,
    ground: &Ground,
) -> Result<Followed<TokenFile>, StartError> {
    let (watch, content) = FileWatch::open(path);
    let tokens = TokenFile::parse(&content?)?;
    let describe = |tokens: &TokenFile| counted(tokens.len(), "token");
    let notice = ground.notices.open("token file", path.display(), describe(&tokens));
    let load = {
        let path = path.clone();
        move || {
            let content = FileWatch::open(&path).1.map_err(|error| error.to_string())?;
            TokenFile::parse(&content).map_err(|error| error.to_string())
        }
    };
    let rhythm = ground.files.clone();
    Ok(Followed::new(Live::new(tokens), vec![watch], rhythm, notice, load, describe))
}

/// The files of TLS, which follow into a value that outlives every configuration.
pub(super) struct TlsFiles {
    settings: server::Settings,
    _followed: Followed<Tls>,
}

/// The serving certificate, its key, and the client CA if there is one.
fn files_of(settings: &server::Settings) -> [Option<&PathBuf>; 3] {
    let server::Settings { certificate_file, private_key_file, client_ca_file, .. } = settings;
    [Some(certificate_file), Some(private_key_file), client_ca_file.as_ref()]
}

impl TlsFiles {
    /// Reads those that `settings` names.
    pub(super) fn read(settings: &server::Settings) -> Result<(Vec<FileWatch>, Tls), TlsError> {
        let files = files_of(settings).into_iter().flatten();
        // Before they are loaded, so that no change falls in between.
        let watches = files.map(|file| FileWatch::open(file).0).collect();
        Ok((watches, Tls::load(settings)?))
    }

    /// Follows what [`read`](Self::read) has found, and is published in `live` already.
    pub(super) fn follow(
        settings: &server::Settings,
        watches: Vec<FileWatch>,
        live: &Live<Tls>,
        ground: &Ground,
    ) -> Self {
        let describe = {
            let metrics = ground.metrics.clone();
            move |tls: &Tls| {
                for (file, at) in tls.expiries() {
                    metrics.certificate_expires(&file.to_string_lossy(), *at);
                }
                "in force".to_owned()
            }
        };
        let what = match settings.client_ca_file {
            Some(_) => "serving certificate, key and client CA",
            None => "serving certificate and key",
        };
        let file = settings.certificate_file.display();
        let notice = ground.notices.open(what, file, describe(&live.get()));
        let load = {
            let settings = settings.clone();
            move || {
                Tls::load(&settings).map_err(|error| match error.source() {
                    Some(source) => format!("{error}: {source}"),
                    None => error.to_string(),
                })
            }
        };
        let rhythm = ground.files.clone();
        Self {
            settings: settings.clone(),
            _followed: Followed::new(live.clone(), watches, rhythm, notice, load, describe),
        }
    }

    /// Whether these are the files that `settings` names.
    pub(super) fn are_of(&self, settings: &server::Settings) -> bool {
        files_of(&self.settings) == files_of(settings)
    }

    /// Ends with the files of `next` in its place.
    pub(super) fn give_way_to(self, next: &server::Settings, metrics: &Metrics) {
        let served = files_of(next);
        for gone in files_of(&self.settings).into_iter().filter(|file| !served.contains(file)) {
            gone.iter().for_each(|file| metrics.certificate_gone(&file.to_string_lossy()));
        }
    }
}
