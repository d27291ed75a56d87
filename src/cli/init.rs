//! `countersign init`: the files of a first installation, and what to tell kube-apiserver.
//!
//! It adds what is missing and changes nothing that is there, so that it can be run at any time. A
//! file appears whole or not at all, and a private key is readable by its owner alone from its
//! first byte. A key that has lost its certificate gets a new one; a certificate that has lost its
//! key is an error, since nothing could be made of it.

mod certificates;
mod directory;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::Uri;
use rcgen::KeyPair;
use rustls_pki_types::ServerName;
use time::OffsetDateTime;

use self::certificates::{Authority, CertificateError};
use self::directory::Directory;
use crate::api::kubeconfig::Kubeconfig;

/// Where the starter configuration listens.
const SERVER: &str = "https://127.0.0.1:8443/authenticate";
const STARTER_CONFIGURATION: &str = include_str!("init/config.yaml");

/// Writes certificates, the webhook's kubeconfig and a starter configuration
///
/// Files that are there already are kept as they are.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the files go; made if it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// One more DNS name or IP address that the serving certificate is for [always: localhost,
    /// 127.0.0.1, ::1 and the host of --server]
    #[arg(long = "host", value_name = "NAME", value_parser = parse_host)]
    hosts: Vec<ServerName<'static>>,
    /// Where kube-apiserver finds the webhook [default: https://127.0.0.1:8443/authenticate]
    #[arg(long, value_name = "URL", value_parser = parse_server)]
    server: Option<Server>,
}

/// A URL that kube-apiserver can use with a client certificate.
#[derive(Clone, Debug)]
struct Server {
    url: String,
    host: ServerName<'static>,
}

fn parse_host(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text)
        .map(|name| name.to_owned())
        .map_err(|_| "want a DNS name or an IP address, without port".to_owned())
}

fn parse_server(text: &str) -> Result<Server, String> {
    let want = "want https://HOST:PORT/authenticate";
    let url: Uri = text.parse().map_err(|error| format!("{error}: {want}"))?;
    if url.scheme_str() != Some("https") {
        return Err(format!("kube-apiserver shows its certificate over https only: {want}"));
    }
    if url.path() == "/" {
        return Err(format!("kube-apiserver posts to exactly this URL: {want}"));
    }
    let host = url.host().unwrap_or_default();
    let host = parse_host(host.trim_start_matches('[').trim_end_matches(']'))?;
    Ok(Server { url: text.to_owned(), host })
}

/// Runs the command. Exits with 0, or with 1 after saying what is wrong and what to do about it.
pub fn run(args: &Args) -> ExitCode {
    let said = match init(args, OffsetDateTime::now_utc()) {
        Ok(report) => io::stdout().write_all(report.as_bytes()).map(|()| ExitCode::SUCCESS),
        Err(error) => {
            writeln!(io::stderr(), "countersign init: {error}").map(|()| ExitCode::FAILURE)
        }
    };
    said.unwrap_or(ExitCode::FAILURE)
}

/// Why not everything is there.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error(transparent)]
    Directory(#[from] directory::DirectoryError),
    #[error(
        "{certificate} is there without its key: put {key} back, or remove {certificate} to have \
         both made anew",
        certificate = certificate.display(), key = key.display()
    )]
    KeyMissing { certificate: PathBuf, key: PathBuf },
    #[error(
        "{authority} is gone, but {leaf} was signed by it: put it back with its key, or remove \
         {leaf} and its key as well to have all of them made anew",
        authority = authority.display(), leaf = leaf.display()
    )]
    AuthorityMissing { authority: PathBuf, leaf: PathBuf },
    #[error("{path} cannot be used: {source}; put the right file there, or remove it and the files \
         that depend on it", path = path.display())]
    Unusable { path: PathBuf, source: CertificateError },
    #[error("{path} was made before, and not for {wanted}: remove it to have it made anew",
        path = path.display())]
    NotFor { path: PathBuf, wanted: String },
    #[error("cannot make {path}: {source}", path = path.display())]
    Unmakeable { path: PathBuf, source: CertificateError },
}

/// Makes what is missing and returns the text to print.
fn init(args: &Args, now: OffsetDateTime) -> Result<String, InitError> {
    let mut directory = Directory::open(&args.dir)?;

    let names = names(args);
    let serving = Pair { authority: "ca", leaf: "tls" };
    if let Some(certificate) = directory.read("tls.crt")? {
        is_for(&directory, &certificate, args)?;
    }
    serving.complete(&mut directory, "countersign serving CA", now, |authority, key| {
        authority.server(key, &names, now)
    })?;

    let client = Pair { authority: "client-ca", leaf: "kube-apiserver" };
    client.complete(&mut directory, "countersign client CA", now, |authority, key| {
        authority.client("kube-apiserver", key, now)
    })?;

    let kubeconfig = Kubeconfig {
        server: args.server.as_ref().map_or(SERVER, |server| &server.url),
        certificate_authority: "ca.crt",
        tls_server_name: None,
        client_certificate: "kube-apiserver.crt",
        client_key: "kube-apiserver.key",
    }
    .to_string();
    match (directory.read("webhook.kubeconfig")?, &args.server) {
        (None, _) => directory.write("webhook.kubeconfig", &kubeconfig)?,
        (Some(kept), Some(server)) if !holds_word(&kept, &server.url) => {
            return Err(InitError::NotFor {
                path: directory.path("webhook.kubeconfig"),
                wanted: server.url.clone(),
            });
        }
        _ => {}
    }
    if directory.read("config.yaml")?.is_none() {
        directory.write("config.yaml", STARTER_CONFIGURATION)?;
    }
    directory.sync()?;
    Ok(report(&directory))
}

/// What the serving certificate is for, each name once.
fn names(args: &Args) -> Vec<ServerName<'static>> {
    let mut names: Vec<_> =
        ["localhost", "127.0.0.1", "::1"].into_iter().flat_map(ServerName::try_from).collect();
    for name in args.server.iter().map(|server| &server.host).chain(&args.hosts) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Refuses a kept serving certificate that lacks a name that was asked for: keeping it in silence
/// would look as if it had been granted.
fn is_for(directory: &Directory, certificate: &str, args: &Args) -> Result<(), InitError> {
    let path = || directory.path("tls.crt");
    let present = certificates::names(certificate)
        .map_err(|source| InitError::Unusable { path: path(), source })?;
    let mut wanted = args.server.iter().map(|server| &server.host).chain(&args.hosts);
    match wanted.find(|name| !present.contains(name)) {
        None => Ok(()),
        Some(missing) => {
            Err(InitError::NotFor { path: path(), wanted: missing.to_str().into_owned() })
        }
    }
}

/// Whether `yaml` has `word` as a whole value, quoted or not.
fn holds_word(yaml: &str, word: &str) -> bool {
    yaml.split_whitespace().any(|text| text.trim_matches(['"', '\'']) == word)
}

/// An authority and the one certificate that it signs: `NAME.crt` and `NAME.key` of each.
struct Pair {
    authority: &'static str,
    leaf: &'static str,
}

impl Pair {
    /// Makes what is missing of the four files. Keys are written before their certificates, so that
    /// what is left by a crash is a key without certificate, which the next run mends.
    fn complete(
        &self,
        directory: &mut Directory,
        authority_name: &str,
        now: OffsetDateTime,
        sign: impl FnOnce(&Authority, &KeyPair) -> Result<String, CertificateError>,
    ) -> Result<(), InitError> {
        let (authority_certificate, authority_key) = read_pair(directory, self.authority)?;
        let (leaf_certificate, leaf_key) = read_pair(directory, self.leaf)?;
        if authority_key.is_none() && leaf_certificate.is_some() {
            return Err(InitError::AuthorityMissing {
                authority: directory.path(&certificate_file(self.authority)),
                leaf: directory.path(&certificate_file(self.leaf)),
            });
        }
        if authority_certificate.is_some() && leaf_certificate.is_some() {
            return Ok(());
        }

        let path = directory.path(&certificate_file(self.authority));
        let key = read_or_make_key(directory, self.authority, authority_key)?;
        let authority = match authority_certificate {
            Some(certificate) => Authority::read(&certificate, key, now)
                .map_err(|source| InitError::Unusable { path, source })?,
            None => {
                let (authority, certificate) = Authority::new(authority_name, key, now)
                    .map_err(|source| InitError::Unmakeable { path, source })?;
                directory.write(&certificate_file(self.authority), &certificate)?;
                authority
            }
        };
        if leaf_certificate.is_none() {
            let key = read_or_make_key(directory, self.leaf, leaf_key)?;
            let file = certificate_file(self.leaf);
            let certificate = sign(&authority, &key)
                .map_err(|source| InitError::Unmakeable { path: directory.path(&file), source })?;
            directory.write(&file, &certificate)?;
        }
        Ok(())
    }
}

/// The PEM of a certificate and of its key, of which the certificate may be missing.
fn read_pair(
    directory: &Directory,
    name: &str,
) -> Result<(Option<String>, Option<String>), InitError> {
    let (certificate, key) = (certificate_file(name), key_file(name));
    match (directory.read(&certificate)?, directory.read(&key)?) {
        (Some(_), None) => Err(InitError::KeyMissing {
            certificate: directory.path(&certificate),
            key: directory.path(&key),
        }),
        pair => Ok(pair),
    }
}

fn read_or_make_key(
    directory: &mut Directory,
    name: &str,
    pem: Option<String>,
) -> Result<KeyPair, InitError> {
    let file = key_file(name);
    let path = directory.path(&file);
    if let Some(pem) = pem {
        return KeyPair::from_pem(&pem)
            .map_err(|error| InitError::Unusable { path, source: error.into() });
    }
    let key = certificates::key().map_err(|source| InitError::Unmakeable { path, source })?;
    directory.write_private(&file, &key.serialize_pem())?;
    Ok(key)
}

fn certificate_file(name: &str) -> String {
    format!("{name}.crt")
}

fn key_file(name: &str) -> String {
    format!("{name}.key")
}

fn report(directory: &Directory) -> String {
    let shown = |path: &Path| path.display().to_string();
    let made = match directory.made() {
        [] => "Nothing was missing in".to_owned(),
        made => format!("Made {} in", made.join(", ")),
    };
    format!(
        "\
{made} {directory}.

Start countersign:
  countersign serve --config {config}

Start kube-apiserver with
  --authentication-token-webhook-config-file={kubeconfig}
  --authentication-token-webhook-version=v1
which reads, beside that file, ca.crt, kube-apiserver.crt and kube-apiserver.key.
Its --api-audiences (or else its --service-account-issuer) must be the apiAudiences of config.yaml.
",
        directory = shown(directory.root()),
        config = shown(&directory.path("config.yaml")),
        kubeconfig = shown(&directory.path("webhook.kubeconfig")),
    )
}

#[cfg(test)]
mod tests;
