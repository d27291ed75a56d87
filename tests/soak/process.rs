//! The process under test: its files, its memory, its log, its metrics.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clients::Seen;
use crate::support::metrics::Scrape;
use crate::support::process::{self, address_in};
use crate::support::service::{Directory, Setup, get};
use crate::support::until;

/// It is killed when this is dropped.
pub struct Process {
    process: process::Process,
    admin: SocketAddr,
    directory: Directory,
}

impl Process {
    pub async fn start(setup: Setup) -> Self {
        let (directory, file) = setup.write();
        let process = process::Process::serving(&file, &[]).await;
        let log = process.log();
        let admin = log.iter().find_map(|line| address_in(line, "admin.addr")).unwrap();
        Self { process, admin, directory }
    }

    pub fn webhook(&self) -> SocketAddr {
        self.process.webhook
    }

    /// Replaces a file beside the configuration.
    pub fn write(&self, name: &str, content: &str) {
        self.directory.write(name, content);
    }

    pub fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path(name)
    }

    /// Has it look at its files.
    pub fn hang_up(&self) {
        self.process.signal("HUP");
    }

    async fn metrics(&self) -> Scrape {
        Scrape::read(&get(self.admin, "/metrics").await.unwrap().1)
    }

    /// What it holds once nobody asks any more.
    pub async fn holdings(&self) -> Holdings {
        until("every connection is gone", async || {
            self.metrics().await.sum("connections", &[]) == 0.0
        })
        .await;
        let mut samples = Vec::new();
        for _ in 0..9 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            samples.push(Holdings::of(self.process.id()));
        }
        let median = |of: fn(&Holdings) -> u64| {
            let mut values: Vec<_> = samples.iter().map(of).collect();
            values.sort_unstable();
            values[values.len() / 2]
        };
        Holdings {
            memory_kib: median(|it| it.memory_kib),
            descriptors: median(|it| it.descriptors),
            threads: median(|it| it.threads),
        }
    }

    /// Where the metrics say something else than the clients have seen.
    pub async fn contradictions(&self, seen: &Seen) -> Vec<String> {
        let metrics = self.metrics().await;
        let mut faults = Vec::new();
        let mut compare = |what: &str, said: f64, seen: u64| {
            if said != seen as f64 {
                faults.push(format!("{what} is {said}, and clients saw {seen}"));
            }
        };
        for (result, seen) in &seen.by_result {
            let said = metrics.sum("token_reviews_total", &[("result", result)]);
            compare(&format!("token_reviews_total{{{result}}}"), said, *seen);
        }
        let answered = |path: &str, code: &str| {
            metrics.sum("http_requests_total", &[("path", path), ("code", code)])
        };
        compare("reviews with 200", answered("/authenticate", "200"), seen.reviews());
        compare("reviews with 401", answered("/authenticate", "401"), seen.strangers);
        let issued = seen.requests.get(&201).copied().unwrap_or_default();
        let requests: u64 = seen.requests.values().sum();
        let said = metrics.sum("tokens_issued_total", &[("result", "issued")]);
        compare("tokens_issued_total{issued}", said, issued);
        let said = metrics.sum("tokens_issued_total", &[]);
        compare("tokens_issued_total", said, requests);
        for code in ["500", "503", "504"] {
            let said = metrics.sum("http_requests_total", &[("code", code)]);
            compare(&format!("requests with {code}"), said, 0);
        }
        compare("panics_total", metrics.sum("panics_total", &[]), 0);
        compare("config_files_wrong", metrics.sum("config_files_wrong", &[]), 0);
        compare("token_reviews_in_flight", metrics.sum("token_reviews_in_flight", &[]), 0);
        compare("requests_shed_total", metrics.sum("requests_shed_total", &[]), 0);
        // Empty tokens are not looked up; who waited for an answer that changed meanwhile looks again.
        let (lookups, least) =
            (metrics.sum("cache_lookups_total", &[]), seen.reviews() - seen.empty + requests);
        if lookups < least as f64 || lookups > least as f64 * 1.01 {
            faults.push(format!("{lookups} lookups in the cache for {least} tokens"));
        }
        faults
    }

    /// Lines of the log that should not be there: an error, since nothing that this driver does is more
    /// than a warning; a panic, or any of the `secrets`.
    pub fn said_too_much(&self, secrets: &[String]) -> Vec<String> {
        let log = self.process.log();
        let is_bad = |line: &&String| {
            line.contains(r#""level":"ERROR""#)
                || line.contains("panicked")
                || secrets.iter().any(|secret| line.contains(secret))
        };
        log.iter().filter(is_bad).take(5).map(|line| format!("the log says {line}")).collect()
    }
}

/// What a process holds.
pub struct Holdings {
    memory_kib: u64,
    descriptors: u64,
    threads: u64,
}

impl Holdings {
    fn of(id: u32) -> Self {
        Self {
            memory_kib: process::status(id, "VmRSS:"),
            descriptors: fs::read_dir(format!("/proc/{id}/fd")).unwrap().count() as u64,
            threads: process::status(id, "Threads:"),
        }
    }

    /// What there is more of than a warm process needs. Caches go on filling and allocators keep what
    /// they have: so memory may grow by half, and by what the caches may hold.
    pub fn leaks_since(&self, warm: &Self) -> Vec<String> {
        const CACHES_KIB: u64 = 24 << 10;
        let mut faults = Vec::new();
        if self.memory_kib > warm.memory_kib * 3 / 2 + CACHES_KIB {
            faults.push(format!("memory grew: {warm}, then {self}"));
        }
        // A fetch from a provider may be under way, and threads that block end after ten seconds.
        if self.descriptors > warm.descriptors + 8 || self.threads > warm.threads + 24 {
            faults.push(format!("descriptors or threads grew: {warm}, then {self}"));
        }
        faults
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_kib, descriptors, threads } = self;
        write!(f, "{} MiB, {descriptors} descriptors, {threads} threads", memory_kib / 1024)
    }
}
