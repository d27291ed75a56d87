//! What `countersign init` says when it is done: what it made, what to do now, and until when it
//! will last.

use std::fmt::Write;
use std::path::Path;

use time::{Duration, OffsetDateTime};

use super::arguments::Args;
use super::bundle;
use super::certificates::LEAF_LIFETIME;
use super::directory::{Directory, DirectoryError};
use super::family::{Family, certificate_file};
use super::kubeconfigs;
use super::rotation::Step;
use super::service_account_key;

/// How long before its end a certificate is worth a word.
const NEAR_END: Duration = Duration::days(30);

/// What a run was for.
pub enum Done {
    /// Made what was missing.
    Completed,
    /// `--renew`.
    Renewed,
    /// `--renew-ca`.
    Advanced(Step),
    /// `--force`.
    Forced,
}

/// The text for the operator.
///
/// # Errors
///
/// When a certificate's file cannot be read.
pub fn report(
    directory: &Directory,
    args: &Args,
    made: &[String],
    done: &Done,
    families: &[Family],
    now: OffsetDateTime,
) -> Result<String, DirectoryError> {
    let root = directory.root().display();
    let mut text = match made {
        [] => format!("Nothing was missing in {root}.\n\n"),
        made => format!("Made {} in {root}.\n\n", made.join(", ")),
    };
    text += match done {
        Done::Completed => "",
        Done::Renewed => RENEWED,
        Done::Advanced(Step::TrustBoth) => TRUST_BOTH,
        Done::Advanced(Step::SignWithNew) => SIGN_WITH_NEW,
        Done::Advanced(Step::DropOld) => DROP_OLD,
        Done::Forced => FORCED,
    };
    let signs = directory.read(service_account_key::FILE)?.is_some();
    if signs && matches!(done, Done::Forced) {
        text += KEPT;
    }
    text += &expiries(directory, families, now)?;
    if matches!(done, Done::Completed | Done::Forced) {
        text += &start(&directory.path("config.yaml"), &directory.path(kubeconfigs::WEBHOOK));
    }
    if args.service_account_key {
        text += SIGNS;
    }
    for client in args.further_clients() {
        text += &ask(client, &directory.path(&kubeconfigs::file(client)));
    }
    Ok(text)
}

const RENEWED: &str = "\
The keys and certificates of the server and the clients are new, the authorities are the same, so
that old and new get on with each other. Copy them to where else they are used (for the chart:
--secret), and let every countersign take up tls.crt and tls.key (a restart always does).
kube-apiserver takes up its own by itself within five minutes.

";

const TRUST_BOTH: &str = "\
Step 1 of 3: ca.crt and client-ca.crt hold the old authority and the new one, which signs nothing
yet. Before the next --renew-ca:
  1. copy both files to where else they are used (for the chart: --secret);
  2. let every countersign take up client-ca.crt (a restart always does);
  3. let every kube-apiserver take up ca.crt: from 1.36 on it does within five minutes of asking
     countersign; restart older ones, one after the other.
Whoever does not trust the new authority by then refuses what step 2 makes.

";

const SIGN_WITH_NEW: &str = "\
Step 2 of 3: the keys and certificates of the server and the clients are new, and of the new
authorities. The old ones are still trusted. Before the next --renew-ca:
  1. copy them to where else they are used (for the chart: --secret);
  2. let every countersign take up tls.crt and tls.key (a restart always does);
  3. wait five minutes, in which every kube-apiserver takes up kube-apiserver.crt and .key.

";

const DROP_OLD: &str = "\
Step 3 of 3: ca.crt and client-ca.crt hold the new authority alone. Copy both files to where else
they are used (for the chart: --secret), and let both sides take them up as in step 1. What the old
authorities have signed is worth nothing then.

";

const FORCED: &str = "\
Every key and certificate is new, and does not get on with any old one: until both sides have the
new files no token is reviewed, but those that kube-apiserver has cached. (--renew-ca comes to the
same without interruption, in three steps.) In this order:
  1. copy the new files to where else the old ones are used (for the chart: --secret);
  2. restart every countersign;
  3. restart every kube-apiserver, one after the other.

";

const KEPT: &str = "\
sa.key is the same as before: tokens that it has signed stay good.

";

const SIGNS: &str = "
sa.key signs service account tokens as soon as config.yaml has it in
serviceAccountIssuer.signingKeyFiles. Every countersign of one issuer needs the same one.
";

/// Every certificate with its end, and a warning for each that is near it.
fn expiries(
    directory: &Directory,
    families: &[Family],
    now: OffsetDateTime,
) -> Result<String, DirectoryError> {
    let mut text = "The certificates end:\n".to_owned();
    let mut warnings = String::new();
    for family in families {
        // An authority near its end cuts short what it signs.
        let authority = (family.authority, LEAF_LIFETIME, "--renew-ca");
        let leaves = family.leaves.iter().map(|leaf| (leaf.stem.as_str(), NEAR_END, "--renew"));
        for (stem, near, remedy) in std::iter::once(authority).chain(leaves) {
            let file = certificate_file(stem);
            let Some(content) = directory.read(&file)? else { continue };
            match bundle::parse(&content) {
                Err(error) => {
                    let _ = writeln!(warnings, "Warning: {file} cannot be used: {error}.");
                }
                Ok(bundle) => {
                    for certificate in bundle {
                        let end = certificate.not_after;
                        let _ = writeln!(text, "  {}  {file}", end.date());
                        let left = end - now;
                        let when = match left.whole_days() {
                            _ if left >= near => continue,
                            _ if left <= Duration::ZERO => "has ended".to_owned(),
                            0 => "ends within a day".to_owned(),
                            days => format!("ends within {} days", days + 1),
                        };
                        let _ = writeln!(warnings, "Warning: {file} {when}: run with {remedy}.");
                    }
                }
            }
        }
    }
    Ok(text + &warnings)
}

fn start(config: &Path, kubeconfig: &Path) -> String {
    format!(
        "
Start countersign:
  countersign serve --config {config}

Start kube-apiserver with
  --authentication-token-webhook-config-file={kubeconfig}
  --authentication-token-webhook-version=v1
which reads, beside that file, ca.crt, kube-apiserver.crt and kube-apiserver.key.
Its --api-audiences (or else its --service-account-issuer) must be the apiAudiences of config.yaml.
",
        config = config.display(),
        kubeconfig = kubeconfig.display(),
    )
}

fn ask(client: &str, kubeconfig: &Path) -> String {
    format!(
        "
Ask countersign itself as {client}:
  kubectl --kubeconfig {kubeconfig} auth whoami
",
        kubeconfig = kubeconfig.display(),
    )
}
