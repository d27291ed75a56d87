//! What Prometheus is told. One struct over one private registry.
//!
//! Names, labels and their values are listed in the README and held by a golden test. Label values
//! come from the configuration or from fixed words only, so that the number of series is bounded by
//! the configuration, whatever arrives over the network.

mod issuer;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use issuer::ByIssuer;

pub use issuer::IssuerMetrics;

/// Upper bounds of the duration histograms, in seconds: a cached answer takes tens of microseconds,
/// a review that waits for keys up to its deadline.
const BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Two metrics have one name.
pub type RegistrationError = prometheus::Error;

/// Every metric of the process.
pub struct Metrics {
    registry: Registry,
    /// Reviews answered, by result.
    pub token_reviews: ByOutcome<IntCounter>,
    /// How long a review took from whole body to answer, by result.
    pub token_review_duration_seconds: ByOutcome<Histogram>,
    /// Reviews being worked on.
    pub token_reviews_in_flight: IntGauge,
    by_issuer: Arc<ByIssuer>,
    /// Lookups answered from the cache.
    pub cache_hits: IntCounter,
    /// Lookups that started a load.
    pub cache_misses: IntCounter,
    /// Lookups that waited for a load which another had started.
    pub cache_joins: IntCounter,
    /// Answers held.
    pub cache_entries: IntGauge,
    /// What they weigh, in bytes.
    pub cache_bytes: IntGauge,
    cache_evictions: IntCounterVec,
    config_reloads: IntCounterVec,
    /// Files, or sets of files that belong together, whose present content is not in force.
    pub config_files_wrong: IntGauge,
    config_last_success_timestamp_seconds: Gauge,
    config_info: IntGaugeVec,
    certificate_expiry_timestamp_seconds: GaugeVec,
    /// Open connections of the HTTPS listener.
    pub connections: IntGauge,
    /// Requests and connections refused because there were too many at once.
    pub requests_shed: IntCounter,
    /// Panics, each of which is a bug.
    pub panics: IntCounter,
    http_requests: IntCounterVec,
    tokens_issued: IntCounterVec,
}

/// The four ends of a wish for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuance {
    /// It was signed.
    Issued,
    /// It would have been: `dryRun=All`.
    DryRun,
    /// The caller may not have it, or what it is for does not exist.
    Refused,
    /// It could not be signed: a bug.
    Failed,
}

impl Issuance {
    const ALL: [Self; 4] = [Self::Issued, Self::DryRun, Self::Refused, Self::Failed];

    /// The `result` label.
    fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::DryRun => "dry_run",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The four ends of a review or an authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token is good.
    Authenticated,
    /// Nobody here knows it.
    NoOpinion,
    /// It is ours, and bad.
    Rejected,
    /// It is ours, and could not be checked.
    Unavailable,
}

impl Outcome {
    const ALL: [Self; 4] =
        [Self::Authenticated, Self::NoOpinion, Self::Rejected, Self::Unavailable];

    /// The `result` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authenticated => "authenticated",
            Self::NoOpinion => "no_opinion",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
        }
    }
}

/// One metric for each [`Outcome`], resolved once: the label lookup costs more than the count.
pub struct ByOutcome<M> {
    authenticated: M,
    no_opinion: M,
    rejected: M,
    unavailable: M,
}

impl<M> ByOutcome<M> {
    fn new(resolve: impl Fn(&str) -> M) -> Self {
        Self {
            authenticated: resolve(Outcome::Authenticated.as_str()),
            no_opinion: resolve(Outcome::NoOpinion.as_str()),
            rejected: resolve(Outcome::Rejected.as_str()),
            unavailable: resolve(Outcome::Unavailable.as_str()),
        }
    }

    /// The one for `outcome`.
    pub fn of(&self, outcome: Outcome) -> &M {
        match outcome {
            Outcome::Authenticated => &self.authenticated,
            Outcome::NoOpinion => &self.no_opinion,
            Outcome::Rejected => &self.rejected,
            Outcome::Unavailable => &self.unavailable,
        }
    }
}

impl Metrics {
    /// Registers everything under the prefix `countersign_`, and the process metrics.
    ///
    /// # Errors
    ///
    /// Fails only if two metrics have one name, which the golden test excludes.
    pub fn new() -> Result<Self, RegistrationError> {
        let at = &Registering(Registry::new());
        let token_reviews =
            at.counters("token_reviews_total", "TokenReviews answered, by result.", &["result"])?;
        let token_review_duration_seconds = at.histograms(
            "token_review_duration_seconds",
            "Time from a review's whole body to its answer, by result.",
            &["result"],
        )?;
        let cache_lookups = at.counters(
            "cache_lookups_total",
            "Lookups in the answer cache: hit, miss (a load was started) or joined (it waited for another's).",
            &["result"],
        )?;
        let metrics = Self {
            token_reviews: ByOutcome::new(|result| token_reviews.with_label_values(&[result])),
            token_review_duration_seconds: ByOutcome::new(|result| {
                token_review_duration_seconds.with_label_values(&[result])
            }),
            token_reviews_in_flight: at
                .gauge("token_reviews_in_flight", "TokenReviews being worked on.")?,
            by_issuer: Arc::new(ByIssuer::register(at)?),
            cache_hits: cache_lookups.with_label_values(&["hit"]),
            cache_misses: cache_lookups.with_label_values(&["miss"]),
            cache_joins: cache_lookups.with_label_values(&["joined"]),
            cache_entries: at.gauge("cache_entries", "Answers held in the cache.")?,
            cache_bytes: at.gauge("cache_bytes", "Bytes that the held answers weigh.")?,
            cache_evictions: at.counters(
                "cache_evictions_total",
                "Answers that left the cache, by cause.",
                &["cause"],
            )?,
            config_reloads: at.counters(
                "config_reloads_total",
                "Changes of watched files, by result: success, or failure (the last good content stays).",
                &["result"],
            )?,
            config_files_wrong: at.gauge(
                "config_files_wrong",
                "Watched files whose present content is wrong: the last good one is in force.",
            )?,
            config_last_success_timestamp_seconds: at.time(
                "config_last_success_timestamp_seconds",
                "When the configuration was last read and found good, in seconds since the epoch.",
            )?,
            config_info: at.gauges(
                "config_info",
                "1 for the hash of the configuration in force.",
                &["hash"],
            )?,
            certificate_expiry_timestamp_seconds: at.times(
                "certificate_expiry_timestamp_seconds",
                "When the first certificate in a file expires, in seconds since the epoch.",
                &["file"],
            )?,
            connections: at.gauge("connections", "Open connections of the HTTPS listener.")?,
            requests_shed: at.counter(
                "requests_shed_total",
                "Requests and connections refused because there were too many at once.",
            )?,
            panics: at.counter(
                "panics_total",
                "Panics, each of which is a bug that cost one task; the log says where.",
            )?,
            http_requests: at.counters(
                "http_requests_total",
                "Requests answered by the HTTPS listener, by path (\"other\" if not served) and status code.",
                &["path", "code"],
            )?,
            tokens_issued: at.counters(
                "tokens_issued_total",
                "TokenRequests answered, by result: issued, dry_run, refused or failed.",
                &["result"],
            )?,
            registry: at.0.clone(),
        };
        // A rule that counts increases misses the one that makes a series.
        for result in ["success", "failure"] {
            metrics.config_reloads.with_label_values(&[result]);
        }
        for result in Issuance::ALL {
            metrics.tokens_issued.with_label_values(&[result.as_str()]);
        }
        at.gauges("build_info", "1 for the running version.", &["version"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        #[cfg(target_os = "linux")]
        at.0.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        Ok(metrics)
    }

    /// The series of `issuer`, a name from the configuration or a fixed word: there for as long as
    /// somebody holds them.
    pub fn issuer(&self, issuer: &str) -> Arc<IssuerMetrics> {
        self.by_issuer.of(issuer)
    }

    /// Counts an answer that left the cache.
    pub fn cache_evicted(&self, cause: &'static str) {
        self.cache_evictions.with_label_values(&[cause]).inc();
    }

    /// Counts a changed file that was read anew, and whether it was good.
    pub fn config_reloaded(&self, good: bool) {
        let result = if good { "success" } else { "failure" };
        self.config_reloads.with_label_values(&[result]).inc();
    }

    /// Shows the configuration in force by its hash.
    pub fn config_loaded(&self, hash: &str, now: SystemTime) {
        self.config_info.reset();
        self.config_info.with_label_values(&[hash]).set(1);
        self.config_last_success_timestamp_seconds.set(seconds(now));
    }

    /// Shows when the certificate in `file` expires.
    pub fn certificate_expires(&self, file: &str, at: SystemTime) {
        self.certificate_expiry_timestamp_seconds.with_label_values(&[file]).set(seconds(at));
    }

    /// Shows no longer when the certificate in `file` expires: it is not served any more.
    pub fn certificate_gone(&self, file: &str) {
        // It was shown, or there is nothing to remove.
        let _ = self.certificate_expiry_timestamp_seconds.remove_label_values(&[file]);
    }

    /// Counts an answered request. `path` is a served path or `other`, never what was asked.
    pub fn http_answered(&self, path: &'static str, code: http::StatusCode) {
        self.http_requests.with_label_values(&[path, code.as_str()]).inc();
    }

    /// Counts an answered wish for a token.
    pub fn token_requested(&self, result: Issuance) {
        self.tokens_issued.with_label_values(&[result.as_str()]).inc();
    }

    /// Everything in the Prometheus text format.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        // Writing into memory cannot fail, and a family without metrics was never registered.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Makes and registers metrics in one step, each under the prefix `countersign_`.
struct Registering(Registry);

impl Registering {
    fn opts(name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace("countersign")
    }

    fn add<C: Collector + Clone + 'static>(&self, metric: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::with_opts(Self::opts(name, help))?)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Self::opts(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::with_opts(Self::opts(name, help))?)
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Self::opts(name, help), labels)?)
    }

    fn time(&self, name: &str, help: &str) -> Result<Gauge, prometheus::Error> {
        self.add(Gauge::with_opts(Self::opts(name, help))?)
    }

    fn times(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<GaugeVec, prometheus::Error> {
        self.add(GaugeVec::new(Self::opts(name, help), labels)?)
    }

    fn histograms(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<HistogramVec, prometheus::Error> {
        let opts = HistogramOpts { common_opts: Self::opts(name, help), buckets: BUCKETS.to_vec() };
        self.add(HistogramVec::new(opts, labels)?)
    }
}
