//! What `countersign init` can be asked for, checked as far as a command line can be.

use std::path::PathBuf;

use http::Uri;
use rustls_pki_types::{DnsName, ServerName};

use super::family::API_SERVER;
use super::owner::Owner;

/// The names of files that are not a client's.
const TAKEN: [&str; 9] = [
    "ca",
    "ca-next",
    "ca-old",
    "client-ca",
    "client-ca-next",
    "client-ca-old",
    "sa",
    "tls",
    "webhook",
];

/// Writes certificates, kubeconfigs and a starter configuration
///
/// Files that are there already are kept as they are, unless --renew, --renew-ca or --force says
/// otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the files go; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// One more DNS name or IP address that the serving certificate is for [always: localhost,
    /// 127.0.0.1, ::1, the host of --server and --server-name]
    #[arg(long = "host", value_name = "NAME", value_parser = parse_host)]
    pub hosts: Vec<ServerName<'static>>,
    /// Where kube-apiserver finds the webhook [default: https://127.0.0.1:8443/authenticate]
    #[arg(long, value_name = "URL", value_parser = parse_server)]
    pub server: Option<Server>,
    /// The DNS name that kube-apiserver asks the webhook's certificate for, where --server has an
    /// address: the kubeconfig's tls-server-name
    #[arg(long, value_name = "NAME", value_parser = parse_server_name)]
    pub server_name: Option<DnsName<'static>>,
    /// One more client: NAME.crt and NAME.key, a certificate with this common name, for an entry in
    /// `callers` or, to ask the webhook, in listen.clientNames; and NAME.kubeconfig, with which
    /// kubectl asks countersign at the host and port of --server
    #[arg(long = "client", value_name = "NAME", value_parser = parse_client)]
    pub clients: Vec<String>,
    /// Makes sa.key, a P-256 key for serviceAccountIssuer.signingKeyFiles, if it is not there. No
    /// option makes that one anew
    #[arg(long)]
    pub service_account_key: bool,
    /// Makes new keys and certificates for the server and the clients, of the same authorities
    #[arg(long, conflicts_with_all = ["renew_ca", "force"])]
    pub renew: bool,
    /// Does the next of three steps to new authorities, without interruption: trust old and new,
    /// sign with the new, drop the old
    #[arg(long, conflicts_with = "force")]
    pub renew_ca: bool,
    /// Makes every key and certificate anew, but not sa.key; until both sides have them no token is reviewed
    #[arg(long)]
    pub force: bool,
    /// Gives tls.crt, tls.key, client-ca.crt, config.yaml and sa.key to the user that countersign
    /// runs as (65532 in the image); needs root
    #[arg(long, value_name = "UID[:GID]")]
    pub owner: Option<Owner>,
    /// Prints the Secrets that the chart uses, countersign-tls, countersign-client-ca and, with
    /// --service-account-key, countersign-service-account-key, to standard output, and everything
    /// else to standard error
    #[arg(long)]
    pub secret: bool,
    /// Where those Secrets are to be
    #[arg(long, value_name = "NAMESPACE", requires = "secret", value_parser = parse_namespace)]
    pub namespace: Option<String>,
}

impl Args {
    /// The names that were asked for by whatever option.
    pub fn names(&self) -> impl Iterator<Item = ServerName<'static>> {
        let server = self.server.iter().map(|server| server.host.clone());
        let server_name = self.server_name.iter().cloned().map(ServerName::DnsName);
        server.chain(server_name).chain(self.hosts.iter().cloned())
    }

    /// The clients that were asked for, but for kube-apiserver, which is always there and asks the
    /// webhook alone.
    pub fn further_clients(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(String::as_str).filter(|client| *client != API_SERVER)
    }
}

/// A URL that kube-apiserver can use with a client certificate.
#[derive(Clone, Debug)]
pub struct Server {
    /// As it was written.
    pub url: String,
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

fn parse_server_name(text: &str) -> Result<DnsName<'static>, String> {
    match parse_host(text) {
        Ok(ServerName::DnsName(name)) => Ok(name),
        _ => Err("want a DNS name, such as countersign.countersign.svc".to_owned()),
    }
}

/// A client's name is a file's name too, and a common name has at most 64 characters (RFC 5280,
/// appendix A.1, `ub-common-name`).
fn parse_client(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > 64 || text.starts_with('.') || !text.bytes().all(plain) {
        return Err("want 1 to 64 letters, digits, '-', '_' or '.', not first".to_owned());
    }
    if TAKEN.contains(&text) {
        return Err("another file of this directory has that name".to_owned());
    }
    Ok(text.to_owned())
}

/// A DNS label (RFC 1123), as Kubernetes wants it.
fn parse_namespace(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let ends = text.starts_with('-') || text.ends_with('-');
    if text.is_empty() || text.len() > 63 || ends || !text.bytes().all(plain) {
        return Err("want the name of a namespace".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        _args: Args,
    }

    fn refusal(arguments: &[&str]) -> String {
        let line = [&["init", "--dir", "d"], arguments].concat();
        Line::try_parse_from(&line).expect_err(&line.join(" ")).to_string()
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_made() {
        let long = "n".repeat(65);
        for (option, value, says) in [
            ("--host", "webhook.example.com:8443", "without port"),
            ("--host", "", "want a DNS name"),
            ("--host", "not a name", "want a DNS name"),
            ("--server", "http://localhost:8443/authenticate", "over https only"),
            ("--server", "localhost:8443", "over https only"),
            ("--server", "https://localhost:8443", "exactly this URL"),
            ("--server", "https://a_b c/authenticate", "https://HOST:PORT/authenticate"),
            ("--server-name", "10.96.0.7", "want a DNS name"),
            ("--client", "", "want 1 to 64"),
            ("--client", &long, "want 1 to 64"),
            ("--client", "../x", "want 1 to 64"),
            ("--client", ".hidden", "want 1 to 64"),
            ("--client", "a/b", "want 1 to 64"),
            ("--client", "tls", "another file"),
            ("--client", "client-ca-old", "another file"),
            ("--client", "sa", "another file"),
            ("--client", "webhook", "another file"),
            ("--owner", "nobody", "want UID or UID:GID"),
        ] {
            let error = refusal(&[option, value]);
            assert!(error.contains(says), "{option} {value}: {error}");
        }
        for namespace in ["", "-a", "a-", "A", "a.b"] {
            let option = format!("--namespace={namespace}");
            let error = refusal(&["--secret", &option]);
            assert!(error.contains("name of a namespace"), "{namespace}: {error}");
        }
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for pair in [["--renew", "--force"], ["--renew", "--renew-ca"], ["--renew-ca", "--force"]] {
            assert!(refusal(&pair).contains("cannot be used with"), "{pair:?}");
        }
        assert!(refusal(&["--namespace", "a"]).contains("--secret"));
    }
}
