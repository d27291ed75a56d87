//! `serviceAccountIssuer`, `callers` and `apiServerIssuers`.

use super::*;
use crate::api::names::NOT_A_SUBDOMAIN;
use crate::issuer::Settings;
use crate::resources::{Allow, ServiceAccountPattern};

const ISSUER: &str = "url: https://c, signingKeyFiles: [active.pem], objectsDir: objects";

fn issuer(more: &str) -> String {
    with(&format!("serviceAccountIssuer: {{{ISSUER}, {more}}}"))
}

fn caller(entry: &str) -> String {
    with(&format!("serviceAccountIssuer: {{{ISSUER}}}\ncallers:\n- {{{entry}}}"))
}

#[test]
fn what_is_right_becomes_settings() {
    let folder = Folder::new();
    let (config, warnings) =
        folder.good(&format!("{HEAD}apiAudiences: [a]\nserviceAccountIssuer: {{{ISSUER}}}"));
    assert_eq!(warnings, [""; 0], "it is somebody whose tokens there are");
    let wanted = Settings {
        url: "https://c".to_owned(),
        signing_key_files: vec![folder.0.join("active.pem")],
        objects_dir: folder.0.join("objects"),
        max_expiration: Duration::from_hours(24),
        username_prefix: String::new(),
        groups_prefix: String::new(),
        allow_reserved: false,
    };
    assert_eq!(config.service_account_issuer, Some(wanted));
    assert_eq!(config.callers, []);

    folder.write("client-ca.crt", &std::fs::read_to_string(folder.0.join("ca.crt")).unwrap());
    let (config, _) = folder.good(include_str!("example.yaml"));
    let issuer = config.service_account_issuer.unwrap();
    let files = ["active.pem", "previous.pem"].map(|name| folder.0.join(name));
    assert_eq!(issuer.signing_key_files, files);
    assert_eq!(issuer.max_expiration, Duration::from_hours(2));
    assert_eq!((&*issuer.username_prefix, &*issuer.groups_prefix), ("build:", "build:"));
    assert!(issuer.allow_reserved);
    let [reviewer, requester] = &config.callers[..] else { panic!("{:?}", config.callers) };
    assert_eq!(
        (&reviewer.users[..], &reviewer.allow[..]),
        (&["ci".into()][..], &[Allow::TokenReviews][..])
    );
    assert_eq!((reviewer.groups.len(), reviewer.max_expiration), (0, None));
    assert_eq!(requester.groups, ["builders", "deployers"]);
    assert_eq!(requester.allow, [Allow::TokenReviews, Allow::ServiceAccountsToken]);
    assert_eq!(requester.audiences, ["https://vault.example.com", "api"]);
    assert_eq!(requester.max_expiration, Some(Duration::from_hours(1)));
    let patterns = ["ci/*", "*/builder"].map(|text| ServiceAccountPattern::parse(text).unwrap());
    assert_eq!(requester.service_accounts, patterns);
}

#[test]
fn each_mistake_of_the_issuer_is_named() {
    let folder = Folder::new();
    folder.write("rubbish.pem", "rubbish");
    let path = |name: &str| folder.0.join(name).display().to_string();
    let s = str::to_owned;
    let at = |field: &str, text: &str| format!("serviceAccountIssuer.{field}: {text}");
    let url = |url: &str| issuer("").replace("https://c", url);
    let keys = |keys: &str| issuer("").replace("[active.pem]", keys);
    let prefix = |field: &str, prefix: &str| {
        let text =
            "names that start with \"system:\" are Kubernetes' own: a prefix must not make any";
        at(field, &format!("Invalid value: {prefix:?}: {text}"))
    };
    for (text, wanted) in [
        (issuer(""), vec![]),
        (
            with("serviceAccountIssuer: {}"),
            vec![
                at("objectsDir", "Required value: the path of a directory"),
                at("signingKeyFiles", "Required value: at least one, which signs"),
                at("url", "Required value"),
            ],
        ),
        (
            with("serviceAccountIssuer: []"),
            vec![s("serviceAccountIssuer: wanted an object, found a list")],
        ),
        (url("''"), vec![at("url", "Required value")]),
        (url("http://c"), vec![at("url", "Invalid value: \"http://c\": URL scheme must be https")]),
        (
            url("https://u@c?q#f"),
            vec![
                at("url", "Invalid value: \"https://u@c?q#f\": URL must not contain a fragment"),
                at("url", "Invalid value: \"https://u@c?q#f\": URL must not contain a query"),
                at(
                    "url",
                    "Invalid value: \"https://u@c?q#f\": URL must not contain a username or password",
                ),
            ],
        ),
        (
            url("'https://ï'"),
            vec![at("url", "Invalid value: \"https://ï\": invalid uri character")],
        ),
        (keys("[]"), vec![at("signingKeyFiles", "Required value: at least one, which signs")]),
        (
            keys("[gone, rubbish.pem]"),
            vec![
                at(
                    "signingKeyFiles[0]",
                    &format!(
                        "cannot read {}: No such file or directory (os error 2)",
                        path("gone")
                    ),
                ),
                at(
                    "signingKeyFiles[1]",
                    &format!(
                        "{} holds no key; expected PEM of a private key in PKCS#8, PKCS#1 or SEC1, not encrypted, or of a public key",
                        path("rubbish.pem")
                    ),
                ),
            ],
        ),
        (
            keys("[previous.pem, active.pem]"),
            vec![at(
                "signingKeyFiles[0]",
                "is a public key; the first file signs, and so needs a private key",
            )],
        ),
        (
            keys("[active.pem, previous.pem, active.pub]"),
            vec![at(
                "signingKeyFiles[2]",
                "is the same key as signingKeyFiles[0]; remove one of the two",
            )],
        ),
        (
            issuer("maxExpiration: 59m"),
            vec![at("maxExpiration", "Invalid value: 59m: must be from 1h to 4294967296s")],
        ),
        (issuer("maxExpiration: 1h"), vec![]),
        (
            issuer("usernamePrefix: 'system:x', groupsPrefix: 'system:'"),
            vec![prefix("groupsPrefix", "system:"), prefix("usernamePrefix", "system:x")],
        ),
        (
            issuer("usernamePrefix: 'system:', groupsPrefix: 'x', allowReserved: true"),
            vec![prefix("usernamePrefix", "system:")],
        ),
        (
            issuer("usernamePrefx: x"),
            vec![at("usernamePrefx", "unknown field; did you mean usernamePrefix?")],
        ),
    ] {
        let mut problems = folder.problems(&text);
        problems.sort();
        assert_eq!(problems, wanted, "{text}");
    }
}

#[test]
fn every_mistake_in_a_manifest_is_one_of_the_configuration() {
    let folder = Folder::new();
    let gone = issuer("").replace("objectsDir: objects", "objectsDir: gone");
    let problem = |text: &str| format!("serviceAccountIssuer.objectsDir: {text}");
    let path = |name: &str| folder.0.join(name).display().to_string();
    assert_eq!(
        folder.problems(&gone),
        [problem(&format!(
            "{}: the directory cannot be read: No such file or directory (os error 2)",
            path("gone")
        ))]
    );
    folder.write("objects/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: P, uid: u}\n");
    folder.write("objects/b.yaml", "kind: [");
    folder.write(
        "objects/z.json",
        r#"{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder", "uid": "x"}}"#,
    );
    assert_eq!(
        folder.problems(&issuer("")),
        [
            problem(&format!(
                "{}:3: Pod: metadata.name: Invalid value: \"P\": {NOT_A_SUBDOMAIN}",
                path("objects/a.yaml")
            )),
            problem(&format!(
                "{}:1: not YAML or JSON: unclosed bracket '['",
                path("objects/b.yaml")
            )),
            problem(&format!(
                "{}:1: ServiceAccount default/builder: Duplicate value: {}:1 has it; remove one of both",
                path("objects/z.json"),
                path("objects/sa.yaml")
            )),
        ]
    );
}

#[test]
fn an_issuer_is_trusted_in_one_place_and_never_an_api_servers() {
    let folder = Folder::new();
    let jwt = |url: &str| {
        format!(
            "jwt: [{{issuer: {{url: '{url}', audiences: [a]}}, claimMappings: {{username: {{claim: sub, \
             prefix: ''}}}}}}]"
        )
    };
    let foreign = |path: &str, url: &str| {
        format!(
            "{path}: Invalid value: {url:?}: is one of apiServerIssuers: trusting it here would bring \
             back tokens that their owner, the API server, has just refused"
        )
    };
    for (more, wanted) in [
        ("apiServerIssuers: [https://k]".to_owned(), vec![]),
        (
            "apiServerIssuers: ['', https://k, https://k]".to_owned(),
            vec![
                "apiServerIssuers[0]: Required value".to_owned(),
                "apiServerIssuers[2]: Duplicate value: \"https://k\"".to_owned(),
            ],
        ),
        (
            format!("apiServerIssuers: [https://k, https://c]\n{}", jwt("https://k")),
            vec![
                foreign("jwt[0].issuer.url", "https://k"),
                foreign("serviceAccountIssuer.url", "https://c"),
            ],
        ),
        (
            jwt("https://c"),
            vec!["serviceAccountIssuer.url: Duplicate value: \"https://c\": jwt has it".to_owned()],
        ),
    ] {
        let mut problems = folder.problems(&issuer(&format!("}}\n{more}\n#")).replace(", }", "}"));
        problems.sort();
        assert_eq!(problems, wanted, "{more}");
    }
}

#[test]
fn each_mistake_of_a_caller_is_named() {
    let folder = Folder::new();
    let at = |field: &str, text: &str| format!("callers[0]{field}: {text}");
    let token = "serviceAccounts: [ci/a], audiences: [a], maxExpiration: 1h, allow: [serviceaccounts/token]";
    let meaningless = "has no meaning unless allow has serviceaccounts/token";
    let words = "\"tokenreviews\", \"serviceaccounts/token\"";
    let pattern = |index: usize, text: &str| {
        let rule =
            "must be namespace/name, such as ci/builder, ci/* or */*: * stands for a whole segment";
        at(&format!(".serviceAccounts[{index}]"), &format!("Invalid value: {text:?}: {rule}"))
    };
    for (entry, wanted) in [
        ("users: [a], allow: [tokenreviews]", vec![]),
        (&format!("groups: [a], {token}"), vec![]),
        (
            "allow: [tokenreviews]",
            vec![at("", "Required value: users or groups, else nobody is meant")],
        ),
        (
            "users: [], groups: [], allow: [tokenreviews]",
            vec![at("", "Required value: users or groups, else nobody is meant")],
        ),
        ("users: [a]", vec![at(".allow", &format!("Required value: at least one of {words}"))]),
        (
            "users: [a], allow: []",
            vec![at(".allow", &format!("Required value: at least one of {words}"))],
        ),
        (
            "users: [a, a], allow: [tokenreview, tokenreviews, tokenreviews], audiences: [a]",
            vec![
                at(
                    ".allow[0]",
                    &format!("Unsupported value: \"tokenreview\": supported values: {words}"),
                ),
                at(".allow[2]", "Duplicate value: \"tokenreviews\""),
                at(".users[1]", "Duplicate value: \"a\""),
            ],
        ),
        (
            "users: [a], allow: [serviceaccounts/token], audiences: []",
            vec![
                at(
                    ".audiences",
                    "Required value: with serviceaccounts/token, such as [https://vault.example.com]",
                ),
                at(
                    ".serviceAccounts",
                    "Required value: with serviceaccounts/token, such as [ci/builder]",
                ),
            ],
        ),
        (
            "users: [a], allow: [tokenreviews], serviceAccounts: [], audiences: [a], maxExpiration: 1h",
            vec![
                at(".audiences", meaningless),
                at(".maxExpiration", meaningless),
                at(".serviceAccounts", meaningless),
            ],
        ),
        (
            &format!(
                "users: [a], {}",
                token.replace("[ci/a]", "[ci, 'ci/a*', 'a/b/c', Ci/a, '/a', 'a/', '*/*']")
            ),
            vec![
                pattern(0, "ci"),
                pattern(1, "ci/a*"),
                pattern(2, "a/b/c"),
                pattern(3, "Ci/a"),
                pattern(4, "/a"),
                pattern(5, "a/"),
            ],
        ),
        (
            &format!("users: [a], {}", token.replace("1h", "9m")),
            vec![at(".maxExpiration", "Invalid value: 9m: must be from 10m to 4294967296s")],
        ),
        (
            "users: [a], allow: [tokenreviews], verbs: [create]",
            vec![at(
                ".verbs",
                "unknown field; known here: users, groups, allow, serviceAccounts, audiences, maxExpiration",
            )],
        ),
    ] {
        let mut problems = folder.problems(&caller(entry));
        problems.sort();
        assert_eq!(problems, wanted, "{entry}");
    }
}

#[test]
fn odd_but_valid_is_a_warning() {
    let folder = Folder::new();
    let token = "{users: [a], allow: [serviceaccounts/token], serviceAccounts: ['*/*'], audiences: ['*'], \
                 maxExpiration: 1h}";
    let one_prefix = "is empty, and the other prefix is not: without allowReserved every token is \
                      refused at /authenticate (reserved_identity)";
    let any = "callers[0].audiences[0]: any audience of a token can replay it at the others: list those \
               that are needed";
    for (text, wanted) in [
        (caller(&token[1..token.len() - 1]), vec![any.to_owned()]),
        (
            with(&format!("callers: [{token}]")),
            vec![
                "callers[0].allow: serviceaccounts/token without serviceAccountIssuer: there are no \
                 tokens to request"
                    .to_owned(),
                any.to_owned(),
            ],
        ),
        (issuer("usernamePrefix: x"), vec![format!("serviceAccountIssuer.groupsPrefix: {one_prefix}")]),
        (issuer("groupsPrefix: x"), vec![format!("serviceAccountIssuer.usernamePrefix: {one_prefix}")]),
        (issuer("groupsPrefix: x, allowReserved: true"), vec![]),
        (issuer("groupsPrefix: x, usernamePrefix: y"), vec![]),
    ] {
        assert_eq!(folder.good(&text).1, wanted, "{text}");
    }
}
