//! Who is trusted: every issuer in one place only, and none that somebody else judges.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::authn::JwtSettings;
use crate::document::{Entry, Place, Report};
use crate::fetch::CertificateAuthority;
use crate::issuer;
use crate::keys::{self, Location};

use super::super::file::{Jwt, Schema};
use super::super::files::Files;
use super::names::{Names, Source, warn_of_equals};
use super::{issuer as entry, set};

/// Upstream's limit for one `AuthenticationConfiguration`.
const MOST_UPSTREAM: usize = 64;

/// Which list an issuer is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// `jwt` of the file itself.
    Jwt,
    /// `jwt` of `authenticationConfigurationFile`.
    File,
    /// `serviceAccountIssuer`.
    ServiceAccountIssuer,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jwt => "jwt",
            Self::File => "authenticationConfigurationFile",
            Self::ServiceAccountIssuer => "serviceAccountIssuer",
        })
    }
}

/// Everybody who is trusted so far.
pub struct Trust<'r> {
    urls: HashMap<String, Whose>,
    discovery_urls: HashMap<String, Whose>,
    /// Issuers, by the address of their discovery document.
    discovered: HashMap<String, String>,
    /// Each checked once, however many issuers have it.
    authorities: HashSet<CertificateAuthority>,
    api_audiences: &'r [String],
    /// `apiServerIssuers`.
    foreign: &'r [String],
    /// What their users are called.
    sources: Vec<Source<'r>>,
}

impl<'r> Trust<'r> {
    /// In nobody, by API servers with these audiences and issuers.
    pub fn new(api_audiences: &'r [String], foreign: &'r [String]) -> Self {
        Self {
            urls: HashMap::new(),
            discovery_urls: HashMap::new(),
            discovered: HashMap::new(),
            authorities: HashSet::new(),
            api_audiences,
            foreign,
            sources: Vec::new(),
        }
    }

    /// Checks a list of issuers.
    pub fn issuers(
        &mut self,
        list: Entry<Vec<Jwt>>,
        whose: Whose,
        files: &mut Files,
        report: &'r Report,
    ) -> Option<Vec<JwtSettings>> {
        let place = list.place.clone();
        let entries = list.or(Vec::new())?;
        let upstreams = entries.iter().all(|entry| entry.schema == Schema::Upstream);
        if upstreams && entries.len() > MOST_UPSTREAM {
            // Alone, as upstream.
            let number = entries.len();
            let text = format!("Too many: {number}: must have at most {MOST_UPSTREAM} items");
            report.problem(&place, text);
            return None;
        }
        let mut settings = Vec::with_capacity(entries.len());
        for jwt in entries {
            self.issuer(&jwt.issuer.url, whose, report);
            once(&jwt.issuer.discovery_url, whose, &mut self.discovery_urls, report);
            let (place, url) = (jwt.username.place.clone(), jwt.issuer.url.clone());
            let checked =
                entry::check(jwt, self.api_audiences, &mut self.authorities, files, report);
            if let Some(checked) = &checked {
                self.warn_of_twin(&checked.source, &url.place, report);
                self.sources.push(Source {
                    name: format!("{:?}", checked.source.issuer),
                    names: Names::of(&checked.claim_mapping.username),
                    allow_reserved: checked.allow_reserved,
                    place,
                    report,
                });
            }
            settings.push(checked);
        }
        settings.into_iter().collect()
    }

    /// Warns of an issuer whose discovery document is looked for where another's is: it is one's only.
    fn warn_of_twin(&mut self, source: &keys::Source, place: &Place, report: &Report) {
        let Location::Discovery { url } = &source.location else { return };
        let other = self.discovered.insert(url.clone(), source.issuer.clone());
        if let Some(other) = other.filter(|other| *other != source.issuer) {
            let text = format!(
                "{other:?} is discovered at the same address, {url}, and the document there can be of one \
                 of both only"
            );
            report.warning(place, text);
        }
    }

    /// Trusts an issuer, and complains about one that is trusted already or that somebody else
    /// judges.
    pub fn issuer(&mut self, url: &Entry<String>, whose: Whose, report: &Report) {
        once(url, whose, &mut self.urls, report);
        let Some(text) = set(url) else { return };
        if self.foreign.iter().any(|foreign| foreign == text) {
            let text = format!(
                "Invalid value: {text:?}: is one of apiServerIssuers: trusting it here would bring back \
                 tokens that their owner, the API server, has just refused"
            );
            report.problem(&url.place, text);
        }
        if whose != Whose::ServiceAccountIssuer
            && self.api_audiences.iter().any(|audience| audience == text)
        {
            let text = format!(
                "{text:?} is one of apiAudiences too: if this is the API server's own service account \
                 issuer, trusting it here brings back tokens that the API server has refused"
            );
            report.warning(&url.place, text);
        }
    }

    /// Notes what the users of `serviceAccountIssuer` are called.
    pub fn service_accounts(
        &mut self,
        settings: &issuer::Settings,
        place: &Place,
        report: &'r Report,
    ) {
        self.sources.push(Source {
            name: format!("{:?}", settings.url),
            names: Names::StartingWith(format!(
                "{}system:serviceaccount:",
                settings.username_prefix
            )),
            allow_reserved: settings.allow_reserved,
            place: place.clone(),
            report,
        });
    }

    /// Notes what the users of `tokenFile` are called.
    pub fn token_file<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        allow_reserved: bool,
        place: &Place,
        report: &'r Report,
    ) {
        let names = Names::These(names.map(str::to_owned).collect());
        let name = "tokenFile".to_owned();
        self.sources.push(Source { name, names, allow_reserved, place: place.clone(), report });
    }

    /// Warns of sources whose users may have the same names.
    pub fn warn_of_equal_names(&self) {
        warn_of_equals(&self.sources);
    }
}

/// Complains about a value that was `seen` before; empty is unset.
fn once(entry: &Entry<String>, whose: Whose, seen: &mut HashMap<String, Whose>, report: &Report) {
    let Some(value) = set(entry) else { return };
    match seen.get(value) {
        None => {
            seen.insert(value.to_owned(), whose);
        }
        Some(&before) if before == whose => {
            report.problem(&entry.place, format!("Duplicate value: {value:?}"));
        }
        Some(before) => {
            report.problem(&entry.place, format!("Duplicate value: {value:?}: {before} has it"));
        }
    }
}
