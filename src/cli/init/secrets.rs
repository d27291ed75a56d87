//! The Secrets that the chart mounts, as YAML for `kubectl apply -f -`.

use base64_simd::STANDARD;

use super::InitError;
use super::arguments::Args;
use super::directory::Directory;
use super::service_account_key;

/// The chart's `tls.secretName` and `clientCA.secretName` as its examples have them: the files that
/// countersign serves with, and none that it has no need of. With `--service-account-key` also that
/// key, for the chart's `fileSources`.
///
/// # Errors
///
/// When a file cannot be read.
pub fn secrets(directory: &Directory, args: &Args) -> Result<String, InitError> {
    let namespace = args.namespace.as_deref();
    let tls = [("ca.crt", "ca.crt"), ("tls.crt", "tls.crt"), ("tls.key", "tls.key")];
    let client_ca = [("ca.crt", "client-ca.crt")];
    let mut yaml = secret(directory, namespace, "countersign-tls", "kubernetes.io/tls", &tls)?;
    yaml += "---\n";
    yaml += &secret(directory, namespace, "countersign-client-ca", "Opaque", &client_ca)?;
    if args.service_account_key {
        let key = [(service_account_key::FILE, service_account_key::FILE)];
        yaml += "---\n";
        yaml += &secret(directory, namespace, "countersign-service-account-key", "Opaque", &key)?;
    }
    Ok(yaml)
}

fn secret(
    directory: &Directory,
    namespace: Option<&str>,
    name: &str,
    kind: &str,
    files: &[(&str, &str)],
) -> Result<String, InitError> {
    let mut yaml =
        format!("apiVersion: v1\nkind: Secret\ntype: {kind}\nmetadata:\n  name: {name}\n");
    if let Some(namespace) = namespace {
        // Quoted, since a namespace may be called `1` or `true`.
        yaml += &format!("  namespace: \"{namespace}\"\n");
    }
    yaml += "data:\n";
    for (member, file) in files {
        // Whatever is there was read or made before; an absent file is an empty member.
        let text = directory.read(file)?.unwrap_or_default();
        yaml += &format!("  {member}: {}\n", STANDARD.encode_to_string(text));
    }
    Ok(yaml)
}
