//! What is said of good and of bad files, word for word.

use rcgen::{CertificateParams, KeyPair};

use super::*;

fn said(files: &[&Path]) -> (bool, String) {
    let files = files.iter().map(|file| file.to_path_buf()).collect::<Vec<_>>();
    let mut out = Vec::new();
    let right = check(&files, &mut out).unwrap();
    (right, String::from_utf8(out).unwrap())
}

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let name = format!("countersign-check-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_file_is_checked_and_every_mistake_named() {
    let folder = folder("mistakes");
    let bad = folder.join("bad.yaml");
    std::fs::write(&bad, "apiVersion: v2\nkind: Configuration\n").unwrap();
    let theirs = folder.join("theirs.yaml");
    let text =
        "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: {}\n";
    std::fs::write(&theirs, text).unwrap();
    let gone = folder.join("gone.yaml");
    let (right, said) = said(&[&gone, &bad, &theirs]);
    assert!(!right);
    let [gone, bad, theirs] = [gone, bad, theirs].map(|file| file.display().to_string());
    assert_eq!(
        said,
        format!(
            "{gone}: cannot be read: No such file or directory (os error 2)\n\
             {gone}: 1 mistake\n\
             {bad}:1: apiVersion: Unsupported value: \"v2\": supported values: \
             \"countersign.dev/v1alpha1\"\n\
             {bad}: 1 mistake\n\
             {theirs}:3: jwt: wanted a list, found an object\n\
             {theirs}: 1 mistake\n"
        )
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Every kind of source.
const OURS: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Configuration
apiAudiences: [api]
tokenFile: {path: tokens.csv}
serviceAccountIssuer:
  {url: "https://s", signingKeyFiles: [sa.key], objectsDir: objects, usernamePrefix: "s:", groupsPrefix: "s:"}
authenticationConfigurationFile: theirs.yaml
jwt:
- issuer: {url: "https://a", audiences: [a], jwksURL: "https://a/keys", audienceScope: Token, allowReserved: true}
  claimMappings:
    username: {claim: sub, prefix: "a:"}
    groups: {claim: groups, prefix: "a:"}
    uid: {claim: oid}
    extra: [{key: example.com/team, claim: team}]
  claimValidationRules: [{claim: hd, requiredValue: example.com}]
"#;

/// The file of an API server.
const THEIRS: &str = r#"
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous: {enabled: true}
jwt:
- issuer: {url: "https://b", audiences: [b, c], audienceMatchPolicy: MatchAny}
  claimMappings:
    username:
      expression: |
        'b:' + (claims.?name.orValue('') != '' ? string(claims.name)
                                                : string(claims.sub))
    uid: {expression: claims.sub}
- issuer: {url: "https://c", audiences: [a], discoveryURL: "https://c.internal/x"}
  claimMappings: {username: {claim: sub, prefix: ""}}
  userValidationRules: [{expression: "user.username != 'jane'"}]
"#;

#[test]
fn of_a_good_file_it_says_what_will_happen() {
    let folder = folder("outlook");
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let files = [
        ("tls.crt", certificate.pem()),
        ("tls.key", key.serialize_pem()),
        ("sa.key", key.serialize_pem()),
        ("tokens.csv", "secret,root,1\n".to_owned()),
        ("theirs.yaml", THEIRS.to_owned()),
        ("ours.yaml", OURS.to_owned()),
    ];
    std::fs::create_dir_all(folder.join("objects")).unwrap();
    for (name, text) in &files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    for (file, wanted) in [
        ("ours.yaml", include_str!("tests/ours.txt")),
        ("theirs.yaml", include_str!("tests/theirs.txt")),
    ] {
        let (right, said) = said(&[&folder.join(file)]);
        assert!(right, "{said}");
        assert_eq!(said.replace(&format!("{}/", folder.display()), ""), wanted);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
