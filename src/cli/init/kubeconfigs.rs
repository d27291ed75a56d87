//! The kubeconfigs of an installation: kube-apiserver's, which leads to the webhook, and one of
//! each further client, with which kubectl asks countersign's own API.
//!
//! None is replaced once it is there. One that leads elsewhere than was asked for is refused.

use http::Uri;

use super::InitError;
use super::arguments::Args;
use super::directory::Directory;
use super::family::{API_SERVER, certificate_file, key_file};
use crate::api::kubeconfig::{Kubeconfig, Webhook};

/// kube-apiserver's.
pub const WEBHOOK: &str = "webhook.kubeconfig";
/// Where the starter configuration listens, for the webhook and for everything else.
const SERVER: &str = "https://127.0.0.1:8443/authenticate";
const API: &str = "https://127.0.0.1:8443";

/// Writes those that are missing: kube-apiserver's, and that of each client that is asked for.
///
/// # Errors
///
/// When one was made before and leads elsewhere, or cannot be read.
pub fn write(directory: &mut Directory, args: &Args) -> Result<(), InitError> {
    let asked = args.server.as_ref().map(|server| server.url.as_str());
    let asked_name = args.server_name.as_ref().map(|name| name.as_ref());
    let webhook = Kubeconfig {
        context: "webhook",
        server: asked.unwrap_or(SERVER),
        certificate_authority: "ca.crt",
        tls_server_name: asked_name,
        user: API_SERVER,
        client_certificate: &certificate_file(API_SERVER),
        client_key: &key_file(API_SERVER),
        namespace: None,
    };
    write_missing(directory, WEBHOOK, &webhook, asked, asked_name)?;

    // Clients ask where kube-apiserver asks, which a run without --server knows from that file
    // alone. Of one that the operator has made something else of, the default is what is left.
    let webhook = directory.read(WEBHOOK)?.and_then(|text| Webhook::parse(&text).ok());
    let known = webhook.as_ref().and_then(|webhook| origin(&webhook.server));
    let known_name = webhook.as_ref().and_then(|webhook| webhook.tls_server_name.as_deref());
    let asked = asked.and_then(origin);
    let server = asked.clone().or(known).unwrap_or_else(|| API.to_owned());
    for client in args.further_clients() {
        let kubeconfig = Kubeconfig {
            context: &format!("{client}@countersign"),
            server: &server,
            certificate_authority: "ca.crt",
            tls_server_name: asked_name.or(known_name),
            user: client,
            client_certificate: &certificate_file(client),
            client_key: &key_file(client),
            namespace: Some("default"),
        };
        write_missing(directory, &file(client), &kubeconfig, asked.as_deref(), asked_name)?;
    }
    Ok(())
}

/// Where that of a client is.
pub fn file(client: &str) -> String {
    format!("{client}.kubeconfig")
}

/// Writes the file, unless it is there. Refuses one that has not what was asked for.
fn write_missing(
    directory: &mut Directory,
    file: &str,
    kubeconfig: &Kubeconfig<'_>,
    server: Option<&str>,
    server_name: Option<&str>,
) -> Result<(), InitError> {
    let Some(kept) = directory.read(file)? else {
        directory.write(file, kubeconfig.to_string());
        return Ok(());
    };
    let mut asked = server.into_iter().chain(server_name);
    match asked.find(|word| !holds_word(&kept, word)) {
        None => Ok(()),
        Some(lacks) => Err(InitError::NotFor {
            path: directory.path(file),
            wanted: lacks.to_owned(),
            remedy: "remove it to have it made anew",
        }),
    }
}

/// Whether `yaml` has `word` as a whole value, quoted or not.
fn holds_word(yaml: &str, word: &str) -> bool {
    yaml.split_whitespace().any(|text| text.trim_matches(['"', '\'']) == word)
}

/// A URL without its path: kubectl appends those of the resources.
fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    Some(format!("{}://{}", url.scheme_str()?, url.authority()?))
}
