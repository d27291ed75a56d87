//! `listen` and `limits`, and the socket of `admin`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::document::{Entry, Report};
use crate::server;

use super::super::file::{Limits, Listen};
use super::super::files::Files;
use super::{TIMEOUT, distinct, lasting, number, size};

/// The settings of the HTTPS listener.
pub fn check(
    listen: Listen,
    limits: Limits,
    files: &Files,
    report: &Report,
) -> Option<server::Settings> {
    let address = listen.address.clone().or(SocketAddr::from(([127, 0, 0, 1], 8443)));
    if let Some(address) = address {
        guarded(address, &listen, report);
    }
    let path = |entry: &Entry<String>| files.read(entry, report).map(|named| named.path);
    let certificate_entry = listen.certificate_file.with_default("tls.crt");
    let private_key_entry = listen.private_key_file.with_default("tls.key");
    let certificate_file = path(&certificate_entry);
    let private_key_file = path(&private_key_entry);
    let client_ca_file = match listen.client_ca_file.is_absent() {
        true => Some(None),
        false => path(&listen.client_ca_file).map(Some),
    };
    let limits = within_reason(limits, report);
    let settings = server::Settings {
        address: address?,
        certificate_file: certificate_file?,
        private_key_file: private_key_file?,
        client_ca_file: client_ca_file?,
        limits: limits?,
    };
    if let Err(error) = server::Tls::load(&settings) {
        let of = |file: Option<&PathBuf>| file.map(PathBuf::as_path) == error.file();
        let entry = if of(settings.client_ca_file.as_ref()) {
            &listen.client_ca_file
        } else if of(Some(&settings.private_key_file)) {
            &private_key_entry
        } else {
            &certificate_entry
        };
        report.problem(&entry.place, error.to_string());
    }
    Some(settings)
}

/// The path of a unix socket: `None` is a problem, `Some(None)` is none.
pub fn socket(entry: Entry<String>, files: &Files, report: &Report) -> Option<Option<PathBuf>> {
    let path = entry.and_then(report, |written| {
        let path = files.path(&written)?;
        match std::os::unix::net::SocketAddr::from_pathname(&path) {
            Ok(_) => Ok(path),
            Err(error) => Err(format!("{} cannot be a socket: {error}", path.display())),
        }
    });
    path.map(Some).or(None)
}

/// Whose client certificates may ask: `None` is a problem, `Some(None)` is anybody.
pub fn client_names(listen: &Listen, report: &Report) -> Option<Option<Vec<String>>> {
    let names = distinct(&listen.client_names, report);
    let place = &listen.client_names.place;
    if listen.client_ca_file.is_absent() {
        if !listen.client_names.is_absent() {
            report
                .problem(place, "needs listen.clientCAFile: without it nobody is asked for a name");
        }
        return Some(None);
    }
    if listen.client_names.is_absent() {
        return Some(Some(vec!["kube-apiserver".to_owned()]));
    }
    if names.as_ref().is_some_and(Vec::is_empty) {
        report.problem(place, "Required value: at least one name, else nobody may ask");
    }
    names.map(Some)
}

/// An open webhook tells anybody who reaches it which tokens are good.
fn guarded(address: SocketAddr, listen: &Listen, report: &Report) {
    let open = &listen.allow_unauthenticated_webhook;
    let allowed = open.value().copied().unwrap_or(false);
    if !listen.client_ca_file.is_absent() {
        if allowed {
            report.warning(&open.place, "has no effect beside listen.clientCAFile");
        }
        return;
    }
    if !allowed && !address.ip().to_canonical().is_loopback() {
        let text = format!(
            "Invalid value: \"{address}\": anybody who reaches this address could try tokens: set \
             listen.clientCAFile, so that only kube-apiserver may ask, or \
             listen.allowUnauthenticatedWebhook: true, if something else guards it"
        );
        report.problem(&listen.address.place, text);
    }
}

fn within_reason(limits: Limits, report: &Report) -> Option<server::Limits> {
    let seconds = Duration::from_secs;
    let age = Duration::from_secs(1)..=Duration::from_hours(24);
    let max_connections = number(limits.max_connections, 4096, 1 << 20, report);
    let max_connection_age = lasting(limits.max_connection_age, seconds(300), age, report);
    let max_requests_in_flight = number(limits.max_requests_in_flight, 1024, 1 << 20, report);
    let max_body_bytes = size(limits.max_body_bytes, 3 << 20, report);
    let request_timeout = lasting(limits.request_timeout, seconds(10), TIMEOUT, report);
    let handshake_timeout = lasting(limits.handshake_timeout, seconds(10), TIMEOUT, report);
    let shutdown_timeout = lasting(limits.shutdown_timeout, seconds(25), TIMEOUT, report);
    Some(server::Limits {
        max_connections: max_connections?,
        max_connection_age: max_connection_age?,
        max_requests_in_flight: max_requests_in_flight?,
        max_body_bytes: max_body_bytes?,
        request_timeout: request_timeout?,
        handshake_timeout: handshake_timeout?,
        shutdown_timeout: shutdown_timeout?,
    })
}
