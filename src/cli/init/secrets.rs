//! The Secrets that the chart mounts, as YAML for `kubectl apply -f -`.

use base64_simd::STANDARD;

use super::InitError;
use super::directory::Directory;

/// The chart's `tls.secretName` and `clientCA.secretName` as its examples have them: the files that
/// countersign serves with, and none that it has no need of.
///
/// # Errors
///
/// When a file cannot be read.
pub fn secrets(directory: &Directory, namespace: Option<&str>) -> Result<String, InitError> {
    let tls = [("ca.crt", "ca.crt"), ("tls.crt", "tls.crt"), ("tls.key", "tls.key")];
    let client_ca = [("ca.crt", "client-ca.crt")];
    Ok(secret(directory, namespace, "countersign-tls", "kubernetes.io/tls", &tls)?
        + "---\n"
        + &secret(directory, namespace, "countersign-client-ca", "Opaque", &client_ca)?)
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
