//! Files as people have them, and every way to get one wrong.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;

use super::*;
use crate::filewatch::FileWatch;
use crate::issuer::{Object, Pod};

/// A folder's files as they come and change.
#[derive(Default)]
struct Folder {
    manifests: Manifests,
    objects: Objects,
}

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut folder = Self::default();
        assert_eq!(folder.write(files), [""; 0]);
        folder
    }

    /// Writes files, and says what is wrong.
    fn write(&mut self, files: &[(&str, &str)]) -> Vec<String> {
        self.change(files.iter().map(|(file, text)| {
            let content = Some(Ok(Bytes::copy_from_slice(text.as_bytes())));
            Change { file: file.into(), content }
        }))
    }

    fn remove(&mut self, file: &str) -> Vec<String> {
        self.change([Change { file: file.into(), content: None }])
    }

    fn change(&mut self, changes: impl IntoIterator<Item = Change>) -> Vec<String> {
        let (objects, errors) = self.manifests.apply(changes.into_iter().collect());
        self.objects = objects;
        errors.iter().map(ManifestError::to_string).collect()
    }

    /// The UIDs of these service accounts in `default`.
    fn uids(&self, names: &[&str]) -> Vec<Option<&str>> {
        let account = |name: &&str| self.objects.service_account("default", name);
        names.iter().map(|name| account(name).map(|object| &*object.uid)).collect()
    }
}

fn account(name: &str, uid: &str) -> String {
    format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, uid: '{uid}'}}\n")
}

fn object(uid: &str) -> Object {
    Object { uid: uid.to_owned(), deletion: None }
}

#[test]
fn what_kubectl_prints_is_read() {
    let Folder { objects, .. } = Folder::of(&[("all.yaml", include_str!("kubectl.yaml"))]);
    assert_eq!(objects.len(), 4);
    let account = objects.service_account("ci", "builder");
    assert_eq!(account, Some(&object("6f9619ff-8b86-4011-b42d-00c04fc964ff")));
    assert_eq!(objects.secret("ci", "builder-token"), Some(&object("12345")));
    assert_eq!(objects.node("node-1"), Some(&object("n-1")));
    let nine = UNIX_EPOCH + Duration::from_secs(1_714_554_000);
    let uid = "7d444840-9dc0-11d1-b245-5ffdce74fad2".to_owned();
    let pod = Pod {
        object: Object { uid, deletion: Some(nine) },
        service_account: "builder".to_owned(),
        node: Some("node-1".to_owned()),
    };
    assert_eq!(objects.pod("ci", "web-1"), Some(&pod));
    for name in ["web", "builder"] {
        assert_eq!(objects.pod("ci", name), None, "{name}");
    }
    assert_eq!(objects.service_account("default", "builder"), None);
}

#[test]
fn documents_and_json_are_read_and_defaults_are_kubernetes_own() {
    let several = format!(
        "---\n{}---\n# nothing\n---\n{}",
        account("a", "1"),
        r#"{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "uid": "2"}, "spec": {}}"#
    );
    let json = r#"{"kind": "List", "apiVersion": "v1", "items": [
        {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n.example", "uid": "3"}},
        {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "namespace": "x", "uid": "4"}}
    ]}"#;
    let nothing = r#"{"kind": "List", "apiVersion": "v1", "items": []}"#;
    let folder = Folder::of(&[("a.yaml", &several), ("b.json", json), ("c.yml", nothing)]);
    assert_eq!(folder.uids(&["a", "b"]), [Some("1"), None]);
    let pod = folder.objects.pod("default", "p").unwrap();
    assert_eq!((&*pod.service_account, &pod.node), ("default", &None));
    assert_eq!(folder.objects.node("n.example"), Some(&object("3")));
    assert_eq!(folder.objects.secret("x", "s"), Some(&object("4")));
    assert_eq!(folder.objects.len(), 4);
}

#[test]
fn names_say_which_files_are_read() {
    for (name, read) in [
        ("a.yaml", true),
        ("a.yml", true),
        ("a.b.json", true),
        (".a.yaml", false),
        ("..data", false),
        ("a.yaml~", false),
        ("README.md", false),
        ("yaml", false),
    ] {
        assert_eq!(is_manifest(OsStr::new(name)), read, "{name}");
    }
}

#[test]
fn each_mistake_has_its_place_and_remedy() {
    let head = |kind: &str| format!("apiVersion: v1\nkind: {kind}\n");
    let subdomain = crate::api::names::NOT_A_SUBDOMAIN;
    let label = crate::api::names::NOT_A_LABEL;
    let rows: &[(String, &[String])] = &[
        (String::new(), &["f.yaml: the file is empty; remove it if nothing in it exists".into()]),
        ("a: [".into(), &["f.yaml:1: not YAML or JSON: unclosed bracket '['".into()]),
        ("- a".into(), &["f.yaml:1: wanted an object, found a list".into()]),
        (
            "metadata: {}".into(),
            &[
                "f.yaml:1: apiVersion: Required value: must be v1".into(),
                "f.yaml:1: kind: Required value: such as ServiceAccount".into(),
            ],
        ),
        (
            format!("---\n{}---\napiVersion: apps/v1\nkind: Deployment\n", account("a", "1")),
            &["f.yaml:7: kind: Unsupported value: \"Deployment\" of \"apps/v1\": supported values: \
               ServiceAccount, Pod, Secret, Node of \"v1\", and a List of them"
                .into()],
        ),
        (
            format!("{}items:\n- {{apiVersion: v1, kind: List}}", head("List")),
            &["f.yaml:4: items[0].kind: Unsupported value: \"List\" of \"v1\": supported values: \
               ServiceAccount, Pod, Secret, Node of \"v1\", and a List of them"
                .into()],
        ),
        (
            head("Node"),
            &[
                "f.yaml:1: Node: metadata.name: Required value: what it is called".into(),
                "f.yaml:1: Node: metadata.uid: Required value: add it, for example uid: UID".into(),
            ],
        ),
        (
            format!("{}metadata:\n  name: a\n  namespace: ci", head("ServiceAccount")),
            &["f.yaml:3: ServiceAccount ci/a: metadata.uid: Required value: add it, for example uid: \
               UID"
                .into()],
        ),
        (
            format!("{}metadata: {{name: A, uid: 5, deletionTimestamp: soon}}", head("Pod")),
            &[
                format!("f.yaml:3: Pod: metadata.name: Invalid value: \"A\": {subdomain}"),
                "f.yaml:3: Pod: metadata.uid: wanted a string, found a number: put it in quotes if it \
                 is a text"
                    .into(),
                "f.yaml:3: Pod: metadata.deletionTimestamp: Invalid value: not a time, such as \
                 2006-01-02T15:04:05Z"
                    .into(),
            ],
        ),
        (
            format!("{}metadata: {{name: 'a:b', namespace: 'c.d', uid: u}}", head("Secret")),
            &[
                format!("f.yaml:3: Secret: metadata.name: Invalid value: \"a:b\": {subdomain}"),
                format!("f.yaml:3: Secret: metadata.namespace: Invalid value: \"c.d\": {label}"),
            ],
        ),
        (
            format!("{}metadata: {{name: a, name: b, uid: u}}\nspec: x", head("Pod")),
            &[
                "f.yaml:3: Pod default/a: metadata.name: duplicate field; it stands on line 3 already"
                    .into(),
                "f.yaml:4: Pod default/a: spec: wanted an object, found a string".into(),
            ],
        ),
        (
            format!("{}items:\n- {}", head("List"), account("a", "").replace('\n', "\n  ")),
            &["f.yaml:6: ServiceAccount default/a: items[0].metadata.uid: Required value: add it, for \
               example uid: UID"
                .into()],
        ),
    ];
    for (text, wanted) in rows {
        let mut folder = Folder::default();
        let said = folder.write(&[("f.yaml", text)]);
        let said = said.iter().map(|line| match line.split_once("example uid: ") {
            Some((start, uid)) => {
                assert_eq!(uuid::Uuid::parse_str(uid).unwrap().get_version_num(), 4);
                format!("{start}example uid: UID")
            }
            None => line.clone(),
        });
        assert_eq!(&said.collect::<Vec<_>>(), wanted, "{text}");
        assert!(folder.objects.is_empty(), "{text}");
    }
}

#[test]
fn no_secret_is_quoted() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:";
    for text in [
        format!("{secret} hunter2"),
        format!("{secret}\n  name: [hunter2]\n  namespace: {{hunter2: 1}}\n  uid: [hunter2]\n"),
        format!("{secret} {{name: a, uid: b, deletionTimestamp: hunter2}}"),
        format!("{secret} {{name: a, uid: b}}\ndata: hunter2: x"),
        format!("{secret} {{name: a, uid: b}}\ndata: !hunter2 x"),
        format!("{secret} {{name: a, uid: b}}\ndata: {{a: *hunter2}}"),
        format!("{secret} {{name: a, uid: b}}\ndata: [hunter2"),
        format!("{secret} {{name: a, uid: b}}\ndata: \"\\hunter2\""),
    ] {
        let said = Folder::default().write(&[("s.yaml", &text)]);
        assert!(!said.is_empty() && !said.join("\n").contains("hunter2"), "{said:?}");
    }
}

#[test]
fn a_wrong_file_keeps_its_last_good_objects_and_holds_back_no_other() {
    let mut folder = Folder::of(&[
        ("a.yaml", &account("a", "1")),
        ("b.yaml", &account("b", "1")),
        ("c.yaml", &account("c", "1")),
    ]);
    let wrong = format!("{}---\nkind: [", account("a", "2"));
    let said = folder.write(&[("a.yaml", &wrong), ("b.yaml", &account("b", "2"))]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(folder.uids(&["a", "b", "c"]), [Some("1"), Some("2"), Some("1")]);
    assert_eq!(folder.remove("c.yaml"), said, "it is as wrong as it was");
    assert_eq!(folder.uids(&["a", "b", "c"]), [Some("1"), Some("2"), None]);
    let unreadable = FileWatch::open("/dev/null").1;
    let said = folder.change([Change { file: "b.yaml".into(), content: Some(unreadable) }]);
    let unreadable = "b.yaml: the file cannot be read: it is not a regular file";
    assert_eq!((said.len(), &*said[1]), (2, unreadable));
    assert_eq!(folder.uids(&["a", "b"]), [Some("1"), Some("2")]);
    assert_eq!(folder.write(&[("a.yaml", &account("a", "3"))]), [unreadable]);
    assert_eq!(folder.remove("b.yaml"), [""; 0]);
    assert_eq!(folder.uids(&["a", "b"]), [Some("3"), None]);
}

#[test]
fn of_two_that_are_one_the_first_by_name_counts() {
    let mut folder = Folder::of(&[("b.yaml", &account("x", "b"))]);
    let said = folder.write(&[("c.yaml", &format!("# c\n{}", account("x", "c")))]);
    let duplicate = "c.yaml:2: ServiceAccount default/x: Duplicate value: b.yaml:1 has it; remove one \
                     of both";
    assert_eq!(said, [duplicate]);
    assert_eq!(folder.uids(&["x"]), [Some("b")]);
    assert_eq!(folder.write(&[("d.yaml", &account("d", "1"))]), [duplicate], "it still is one");
    let said = folder.write(&[("a.yaml", &account("x", "a"))]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(folder.uids(&["x"]), [Some("a")]);
    assert_eq!(folder.remove("a.yaml").len(), 1, "again b.yaml has it");
    assert_eq!(folder.remove("b.yaml"), [""; 0]);
    assert_eq!(folder.uids(&["x"]), [Some("c")]);

    let twice = format!("{}---\n{}", account("x", "1"), account("x", "2"));
    let mut folder = Folder::default();
    assert_eq!(folder.write(&[("a.yaml", &twice)]).len(), 1, "in one file");
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: x, uid: 1x}";
    let secret = node.replace("Node", "Secret");
    let elsewhere = node.replace("Node", "Secret").replace("name: x", "name: x, namespace: y");
    let others = [("b.yaml", node), ("c.yaml", &*secret), ("d.yaml", &elsewhere)];
    assert_eq!(folder.write(&others).len(), 1, "another kind, another namespace");
    assert_eq!(folder.objects.len(), 4);
}
