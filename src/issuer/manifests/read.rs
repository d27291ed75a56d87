//! From a file to the objects in it.

use std::path::Path;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Builder;

use super::ManifestError;
use crate::api::names;
use crate::document::{Cursor, Document, Entry, Fields, Report};
use crate::issuer::objects::{Kind, Name, Object, Pod, Thing};
use crate::token::random;

/// A file with more mistakes than this is of another kind altogether.
const MAX_MISTAKES: usize = 100;

/// An object, and where it is written.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) line: usize,
    pub(super) name: Name,
    pub(super) thing: Thing,
}

impl Manifest {
    /// It stands at `line` of the `other` file already.
    pub(super) fn duplicate(&self, file: &Path, other: &Path, line: usize) -> ManifestError {
        let (kind, name, other) = (self.thing.kind().as_str(), &self.name, other.display());
        let text =
            format!("{kind} {name}: Duplicate value: {other}:{line} has it; remove one of both");
        ManifestError::new(file, Some(self.line), text)
    }
}

/// Reads a whole file: all of its objects, or all of its mistakes.
pub(super) fn file(content: &[u8], file: &Path) -> Result<Vec<Manifest>, Vec<ManifestError>> {
    let documents = Document::parse_all(content)
        .map_err(|error| vec![ManifestError::new(file, error.line, error.discreet())])?;
    if documents.is_empty() {
        // Perhaps somebody is about to write it.
        let text = "the file is empty; remove it if nothing in it exists";
        return Err(vec![ManifestError::new(file, None, text)]);
    }
    let (mut manifests, mut errors) = (Vec::new(), Vec::new());
    for document in &documents {
        let report = Report::discreet();
        let mut reading =
            Reading { report: &report, manifests: &mut manifests, labels: Vec::new() };
        reading.document(document.cursor(&report));
        let labels = reading.labels;
        for remark in report.finish().0 {
            let path = remark.place.path();
            let label = labels.iter().find(|(of, _)| is_within(path, of));
            let label = label.map(|(_, label)| format!("{label}: ")).unwrap_or_default();
            let text = format!("{label}{remark}");
            errors.push(ManifestError::new(file, Some(remark.place.line()), text));
        }
    }
    errors.truncate(MAX_MISTAKES);
    if errors.is_empty() { Ok(manifests) } else { Err(errors) }
}

/// Whether the field at `path` is one of the object at `of`.
fn is_within(path: &str, of: &str) -> bool {
    of.is_empty()
        || path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One document being read.
struct Reading<'a> {
    report: &'a Report,
    manifests: &'a mut Vec<Manifest>,
    /// What to call the object at a path.
    labels: Vec<(String, String)>,
}

impl Reading<'_> {
    /// An object, or a `List` of them as kubectl prints it.
    fn document(&mut self, cursor: Cursor<'_>) {
        let mut fields = cursor.object();
        match self.kind(&mut fields, true) {
            Some(Some(kind)) => self.object(kind, fields),
            Some(None) => {
                for item in fields.take("items").list().or(Vec::new()).unwrap_or_default() {
                    let mut fields = item.object();
                    if let Some(Some(kind)) = self.kind(&mut fields, false) {
                        self.object(kind, fields);
                    }
                }
            }
            None => {}
        }
    }

    /// The kind of what is here; `Some(None)` is a list.
    fn kind(&self, fields: &mut Fields<'_>, may_be_list: bool) -> Option<Option<Kind>> {
        let (version, kind) = (fields.take("apiVersion").string(), fields.take("kind").string());
        let place = kind.place.clone();
        let version = self.required(version, "must be v1");
        let kind = self.required(kind, "such as ServiceAccount");
        let (version, kind) = (version?, kind?);
        match Kind::from_name(&kind) {
            Some(kind) if version == "v1" => Some(Some(kind)),
            None if version == "v1" && kind == "List" && may_be_list => Some(None),
            _ => {
                let known = Kind::ALL.map(Kind::as_str).join(", ");
                let short = |text: &str| text.chars().take(64).collect::<String>();
                let (kind, version) = (short(&kind), short(&version));
                let text = format!(
                    "Unsupported value: {kind:?} of {version:?}: supported values: {known} of \"v1\", \
                     and a List of them"
                );
                self.report.problem(&place, text);
                None
            }
        }
    }

    /// Takes in an object, whose other fields may be whatever they are.
    fn object(&mut self, kind: Kind, mut fields: Fields<'_>) {
        let place = fields.place().clone();
        let mut metadata = fields.take("metadata").object();
        let name = metadata.take("name").string();
        let name = self.name(name, names::is_subdomain, names::NOT_A_SUBDOMAIN);
        let namespace = match kind {
            Kind::Node => Some(String::new()),
            _ => {
                let entry = metadata.take("namespace").string().with_default("default");
                self.name(entry, names::is_label, names::NOT_A_LABEL)
            }
        };
        let name = namespace.zip(name).map(|(namespace, name)| Name { namespace, name });
        let label = match &name {
            Some(name) => format!("{} {name}", kind.as_str()),
            None => kind.as_str().to_owned(),
        };
        self.labels.push((place.path().to_owned(), label));

        let uid = self.uid(metadata.take("uid").string());
        let deletion = metadata.take("deletionTimestamp").string();
        let deletion = deletion.and_then(self.report, instant).map(Some).or(None);
        let object = uid.zip(deletion).map(|(uid, deletion)| Object { uid, deletion });
        let thing = match kind {
            Kind::ServiceAccount => object.map(Thing::ServiceAccount),
            Kind::Secret => object.map(Thing::Secret),
            Kind::Node => object.map(Thing::Node),
            Kind::Pod => pod(object, fields.take("spec").object()).map(Thing::Pod),
        };
        if let (Some(name), Some(thing)) = (name, thing) {
            self.manifests.push(Manifest { line: place.line(), name, thing });
        }
    }

    /// What an object or a namespace is called.
    fn name(&self, entry: Entry<String>, is_one: fn(&str) -> bool, rule: &str) -> Option<String> {
        let place = entry.place.clone();
        let name = self.required(entry, "what it is called")?;
        if is_one(&name) {
            return Some(name);
        }
        let shown: String = name.chars().take(64).collect();
        self.report.problem(&place, format!("Invalid value: {shown:?}: {rule}"));
        None
    }

    fn uid(&self, entry: Entry<String>) -> Option<String> {
        let place = entry.place.clone();
        let uid = entry.or(String::new())?;
        if uid.is_empty() {
            let uid = Builder::from_random_bytes(random()).into_uuid();
            self.report.problem(&place, format!("Required value: add it, for example uid: {uid}"));
            return None;
        }
        Some(uid)
    }

    /// A text that is not empty.
    fn required(&self, entry: Entry<String>, what: &str) -> Option<String> {
        let place = entry.place.clone();
        let text = entry.or(String::new())?;
        if text.is_empty() {
            self.report.problem(&place, format!("Required value: {what}"));
            return None;
        }
        Some(text)
    }
}

fn pod(object: Option<Object>, mut spec: Fields<'_>) -> Option<Pod> {
    let service_account = spec.take("serviceAccountName").string().or(String::new());
    let node = spec.take("nodeName").string().or(String::new());
    let (service_account, node) = (service_account?, node?);
    Some(Pod {
        object: object?,
        // As the API server's admission sets it.
        service_account: if service_account.is_empty() {
            "default".into()
        } else {
            service_account
        },
        node: Some(node).filter(|node| !node.is_empty()),
    })
}

fn instant(text: String) -> Result<SystemTime, String> {
    OffsetDateTime::parse(&text, &Rfc3339)
        .map(SystemTime::from)
        .map_err(|_| "Invalid value: not a time, such as 2006-01-02T15:04:05Z".to_owned())
}
