//! The API server's own file: by itself, and beside our own `jwt`.

use super::issuer::{USERNAME, entry};
use super::*;
use crate::authn::AudienceScope;
use crate::token::Algorithm;

const HEAD: &str = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n";

fn issuer(url: &str) -> String {
    entry(&format!("url: '{url}', audiences: [a]"), USERNAME, "")
}

/// What `check` makes of such a file.
fn checked(text: &str) -> Result<(Checked, Vec<Warning>), Problems> {
    let folder = Folder::new();
    folder.write("authentication.yaml", text);
    check(&folder.0.join("authentication.yaml"))
}

fn problems(text: &str) -> Vec<String> {
    checked(text).map_or_else(Problems::texts, |_| Vec::new())
}

fn good(text: &str) -> (Vec<JwtSettings>, Vec<String>) {
    match checked(text) {
        Ok((Checked::Issuers(issuers), warnings)) => {
            (issuers, warnings.iter().map(Warning::to_string).collect())
        }
        Ok(_) => panic!("a Configuration:\n{text}"),
        Err(problems) => panic!("{problems}\nin\n{text}"),
    }
}

#[test]
fn all_its_versions_are_one_schema() {
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let head = HEAD.replace("/v1", &format!("/{version}"));
        let (issuers, warnings) = good(&format!("{head}jwt:\n{}", issuer("https://a")));
        let [settings] = &issuers[..] else { panic!() };
        assert_eq!(settings.source.issuer, "https://a");
        assert_eq!(settings.audience_scope, AudienceScope::ApiServer);
        assert_eq!(settings.signing_algorithms, Algorithm::DEFAULT);
        assert!(!settings.allow_reserved);
        assert!(warnings.iter().all(|warning| warning.contains("prefix")), "{warnings:?}");
        for nothing in ["", "jwt:", "jwt: []"] {
            let (issuers, warnings) = good(&format!("{head}{nothing}"));
            assert!(issuers.is_empty());
            assert_eq!(warnings, ["jwt: no issuer: no token is anybody's"]);
        }
    }
    let versions = "\"apiserver.config.k8s.io/v1\", \"apiserver.config.k8s.io/v1beta1\", \
                    \"apiserver.config.k8s.io/v1alpha1\"";
    let v99 = HEAD.replace("/v1", "/v99");
    assert_eq!(
        problems(&v99),
        [format!(
            "apiVersion: Unsupported value: \"apiserver.config.k8s.io/v99\": supported values: {versions}"
        )]
    );
    let ours = HEAD.replace("apiserver.config.k8s.io/v1", "countersign.dev/v1alpha1");
    assert_eq!(
        problems(&ours),
        [format!(
            "apiVersion: Unsupported value: \"countersign.dev/v1alpha1\": supported values: {versions}"
        )]
    );
    let other = HEAD.replace("AuthenticationConfiguration", "EncryptionConfiguration");
    assert_eq!(
        problems(&other),
        ["kind: Unsupported value: \"EncryptionConfiguration\": supported values: \
          \"AuthenticationConfiguration\""]
    );
    assert_eq!(
        problems("apiVersion: apiserver.config.k8s.io/v1\n"),
        ["kind: Required value: must be AuthenticationConfiguration"]
    );
    assert_eq!(
        problems("kind: AuthenticationConfiguration\n"),
        ["apiVersion: Required value: must be apiserver.config.k8s.io/v1 or \
          apiserver.config.k8s.io/v1beta1 or apiserver.config.k8s.io/v1alpha1"]
    );
}

#[test]
fn it_is_read_strictly() {
    let ours =
        "unknown field: countersign's own keys belong into the jwt list of its Configuration";
    let own = |field: &str, value: &str| {
        (format!("url: 'https://a', audiences: [a], {field}: {value}"), field.to_owned())
    };
    for (issuer, field) in [
        own("certificateAuthorityFile", "ca.crt"),
        own("audienceScope", "Token"),
        own("jwksURL", "'https://a/keys'"),
        own("jwksFile", "keys.json"),
        own("signingAlgorithms", "[EdDSA]"),
        own("clockSkew", "1s"),
        own("maxTokenLifetime", "1h"),
        own("allowReserved", "true"),
    ] {
        let text = format!("{HEAD}jwt:\n{}", entry(&issuer, USERNAME, ""));
        assert_eq!(problems(&text), [format!("jwt[0].issuer.{field}: {ours}")], "{text}");
    }
    let bare = "url: 'https://a', audiences: [a]";
    let mappings = |extra: &str| entry(bare, &format!("{USERNAME}, extra: [{extra}]"), "");
    let rules = |rules: &str| entry(bare, USERNAME, rules);
    for (jwt, wanted) in [
        (
            mappings("{key: example.org/x, claim: x}"),
            &[
                "jwt[0].claimMappings.extra[0].valueExpression: Required value",
                "jwt[0].claimMappings.extra[0].claim: unknown field: countersign's own keys belong into \
                 the jwt list of its Configuration",
            ][..],
        ),
        (
            rules("claimValidationRules: [{expression: 'true', messageExpression: '\"m\"'}]"),
            &[
                "jwt[0].claimValidationRules[0].messageExpression: unknown field: countersign's own keys \
               belong into the jwt list of its Configuration",
            ],
        ),
        (
            rules("userValidationRules: [{expression: 'true', messageExpression: '\"m\"'}]"),
            &[
                "jwt[0].userValidationRules[0].messageExpression: unknown field: countersign's own keys \
               belong into the jwt list of its Configuration",
            ],
        ),
        (
            rules("issuer: {url: 'https://b', audiences: [a]}"),
            &["jwt[0].issuer: duplicate field; it stands on line 4 already"],
        ),
        (
            rules("userValidationRule: []"),
            &["jwt[0].userValidationRule: unknown field; did you mean userValidationRules?"],
        ),
    ] {
        let text = format!("{HEAD}jwt:\n{jwt}");
        assert_eq!(problems(&text), wanted, "{text}");
    }
    assert_eq!(
        problems(&format!("{HEAD}apiAudiences: [a]\njwt1: []\n")),
        [
            "apiAudiences: unknown field; known here: apiVersion, kind, jwt, anonymous",
            "jwt1: unknown field; did you mean jwt?",
        ]
    );
    let reserved = entry(bare, "username: {claim: sub, prefix: 'system:'}", "");
    assert_eq!(
        problems(&format!("{HEAD}jwt:\n{reserved}")),
        [
            "jwt[0].claimMappings.username.prefix: Invalid value: \"system:\": names that start with \
          system: are reserved for Kubernetes, every token would be refused; only the jwt list of \
          countersign's own Configuration can allow them (issuer.allowReserved: true)"
        ]
    );
}

#[test]
fn it_holds_64_issuers() {
    let file = |number: usize| {
        let entries = (0..number).map(|number| issuer(&format!("https://i{number}")));
        format!("{HEAD}jwt:\n{}", entries.collect::<String>())
    };
    assert_eq!(good(&file(64)).0.len(), 64);
    // Alone, whatever else is wrong.
    let text = file(65).replace("https://i7'", "http://i7'");
    assert_eq!(problems(&text), ["jwt: Too many: 65: must have at most 64 items"]);
}

#[test]
fn what_has_no_meaning_is_checked_and_said() {
    let meaningless = "has no meaning here: a request without a token never comes to a webhook, only \
                       the API server can say what is to become of it";
    let jwt = format!("jwt:\n{}", entry("url: 'https://a', audiences: [a]", PREFIXED, ""));
    for anonymous in [
        "{enabled: true}",
        "{}",
        "{enabled: false, conditions: []}",
        "{enabled: true, conditions: [{path: /livez}, {}]}",
    ] {
        let (_, warnings) = good(&format!("{HEAD}{jwt}anonymous: {anonymous}\n"));
        assert_eq!(warnings, [format!("anonymous: {meaningless}")], "{anonymous}");
    }
    assert_eq!(good(&format!("{HEAD}{jwt}anonymous:\n")).1, Vec::<String>::new());
    for (anonymous, wanted) in [
        (
            "{enabled: false, conditions: [{path: /livez}, {path: /x}]}",
            "anonymous.conditions: Invalid value: [{\"Path\":\"/livez\"},{\"Path\":\"/x\"}]: enabled \
             should be set to true when conditions are defined",
        ),
        (
            "{conditions: [{}]}",
            "anonymous.conditions: Invalid value: [{\"Path\":\"\"}]: enabled should be set to true when \
             conditions are defined",
        ),
        ("{enabled: 'yes'}", "anonymous.enabled: wanted true or false, found the string \"yes\""),
        (
            "{enabled: true, conditions: [{paths: x}]}",
            "anonymous.conditions[0].paths: unknown field; did you mean path?",
        ),
        ("true", "anonymous: wanted an object, found true"),
    ] {
        let text = format!("{HEAD}{jwt}anonymous: {anonymous}\n");
        assert_eq!(problems(&text), [wanted], "{anonymous}");
    }
}

const PREFIXED: &str = "username: {claim: sub, prefix: 'a:'}";

/// Our own configuration with this `jwt`, and `theirs` in the API server's file.
fn both(ours: &str, theirs: &str) -> (Folder, String) {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.0.join("api")).unwrap();
    folder.write("api/authentication.yaml", &format!("{HEAD}jwt:\n{theirs}"));
    let file =
        "authenticationConfigurationFile: api/authentication.yaml\napiServerIssuers: [https://k]";
    (folder, with(&format!("{file}\njwt:\n{ours}")))
}

#[test]
fn its_issuers_are_trusted_beside_ours() {
    let (folder, text) = both(&issuer("https://a"), &issuer("https://b"));
    let (config, _) = folder.good(&text);
    let issuers = config.authn.jwt.iter().map(|jwt| jwt.source.issuer.as_str());
    assert_eq!(issuers.collect::<Vec<_>>(), ["https://a", "https://b"]);
    folder.write("api/authentication.yaml", &format!("{HEAD}jwt:\n{}", issuer("https://c")));
    assert_ne!(folder.good(&text).0.hash, config.hash, "the hash covers it");
    let text = format!(
        "{}apiAudiences: [api]\nauthenticationConfigurationFile: api/authentication.yaml",
        super::HEAD
    );
    let says_nobody = || folder.good(&text).1.iter().any(|warning| warning.contains("neither"));
    assert!(!says_nobody());
    folder.write("api/authentication.yaml", HEAD);
    assert!(says_nobody());
}

#[test]
fn its_mistakes_have_its_name_and_lines() {
    let theirs = ["https://b", "https://a", "https://k", "http://c"].map(issuer).concat();
    let (folder, text) = both(&issuer("https://a"), &theirs);
    let said = folder.parse(&text).unwrap_err().to_string();
    let file = folder.0.join("api/authentication.yaml").display().to_string();
    assert_eq!(
        said,
        format!(
            "{file}:7: jwt[1].issuer.url: Duplicate value: \"https://a\": jwt has it\n\
             {file}:10: jwt[2].issuer.url: Invalid value: \"https://k\": is one of apiServerIssuers: \
             trusting it here would bring back tokens that their owner, the API server, has just refused\n\
             {file}:13: jwt[3].issuer.url: Invalid value: \"http://c\": URL scheme must be https"
        )
    );
    for (content, wanted) in [
        ("", "the file is empty"),
        ("kind: [", "not YAML or JSON: unclosed bracket '['"),
        ("kind: Configuration\napiVersion: countersign.dev/v1alpha1", "kind: Unsupported value"),
    ] {
        folder.write("api/authentication.yaml", content);
        let said = folder.parse(&text).unwrap_err().to_string();
        assert!(said.lines().all(|line| line.starts_with(&file)), "{said}");
        assert!(said.contains(wanted), "{said}");
    }
    let both_wrong = text.replace("https://a", "http://a");
    folder.write("api/authentication.yaml", &format!("{HEAD}jwt:\n{}", issuer("http://b")));
    let said = folder.parse(&both_wrong).unwrap_err();
    assert_eq!(said.len(), 2, "{said}");
    let gone = text.replace("api/authentication.yaml", "gone.yaml");
    assert_eq!(
        folder.problems(&gone),
        [format!(
            "authenticationConfigurationFile: cannot read {}: No such file or directory (os error 2)",
            folder.0.join("gone.yaml").display()
        )]
    );
    assert_eq!(
        folder.problems(&text.replace("api/authentication.yaml", "''")),
        ["authenticationConfigurationFile: Required value: the path of a file"]
    );
}

#[test]
fn a_service_account_issuer_is_not_one_of_its() {
    let (folder, text) = both(&issuer("https://a"), &issuer("https://c"));
    let text = format!(
        "{text}serviceAccountIssuer: {{url: 'https://c', signingKeyFiles: [active.pem], objectsDir: \
         objects}}\n"
    );
    assert_eq!(
        folder.problems(&text),
        [
            "serviceAccountIssuer.url: Duplicate value: \"https://c\": authenticationConfigurationFile \
          has it"
        ]
    );
}

#[test]
fn it_is_not_served_by_itself() {
    let text = format!("{HEAD}jwt:\n{}", issuer("https://a"));
    assert_eq!(
        Folder::new().problems(&text),
        ["kind: an AuthenticationConfiguration is not served by itself: write a Configuration of \
          countersign.dev/v1alpha1 that names this file in authenticationConfigurationFile"]
    );
}
