//! Objects as bytes: JSON, YAML and Kubernetes' protobuf, in and out.
//!
//! Reading says in upstream's words what is wrong with a body, but never quotes it: upstream shows
//! its first 30 bytes, and a token could begin there.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::document::{Document, Field, Value};

use super::protobuf::{self, Envelope};
use super::quote::quoted;
use super::schema::{Schema, Violations};

/// A body holds at most so many values, which is far beyond any honest one: it bounds what a body
/// can take in memory.
pub(super) const MAX_VALUES: usize = 50_000;

/// What can be written as JSON, YAML and protobuf.
pub trait Message: Serialize + prost::Message {
    /// Its `kind`.
    fn kind(&self) -> &'static str;
    /// Its `apiVersion`.
    fn api_version(&self) -> &'static str;
}

/// What can also be read.
pub trait Object: Serialize + DeserializeOwned + prost::Message + Default {
    /// Its `kind`.
    const KIND: &'static str;
    /// Its `apiVersion`.
    const API_VERSION: &'static str;
    /// Its members.
    const SCHEMA: Schema;
}

impl<O: Object> Message for O {
    fn kind(&self) -> &'static str {
        O::KIND
    }

    fn api_version(&self) -> &'static str {
        O::API_VERSION
    }
}

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Json,
    Yaml,
    Protobuf,
}

impl Format {
    /// All of them, in upstream's order of preference.
    pub const ALL: [Self; 3] = [Self::Json, Self::Yaml, Self::Protobuf];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
}

/// Writes `message`; `pretty` is for JSON only.
pub fn encode(message: &impl Message, format: Format, pretty: bool) -> Vec<u8> {
    let typed = Typed { kind: message.kind(), api_version: message.api_version(), message };
    match format {
        Format::Json => json(&typed, pretty),
        Format::Yaml => yaml(&typed),
        Format::Protobuf => protobuf::encode(message),
    }
}

/// A message with the two members that come first in every one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Typed<'a, M> {
    kind: &'static str,
    api_version: &'static str,
    #[serde(flatten)]
    message: &'a M,
}

/// JSON as Kubernetes writes it: on one line with its end, or indented without.
pub fn json(value: &impl Serialize, pretty: bool) -> Vec<u8> {
    // Writing into memory cannot fail, and no key is anything but a string.
    let mut text = if pretty {
        serde_json::to_vec_pretty(value).unwrap_or_default()
    } else {
        serde_json::to_vec(value).unwrap_or_default()
    };
    if !pretty {
        text.push(b'\n');
    }
    escaped_for_html(text)
}

/// As Go escapes JSON, so that a browser takes none of it for HTML. The letters can stand in strings
/// only.
fn escaped_for_html(text: Vec<u8>) -> Vec<u8> {
    if !text.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&' | 0xe2)) {
        return text;
    }
    let text = String::from_utf8(text).unwrap_or_default();
    let mut escaped = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            letter => escaped.push(letter),
        }
    }
    escaped.into_bytes()
}

/// YAML as Kubernetes writes it: keys sorted, strings quoted that YAML 1.1 would take for something
/// else.
pub fn yaml(value: &impl Serialize) -> Vec<u8> {
    let mut tree = serde_json::to_value(value).unwrap_or_default();
    tree.sort_all_objects();
    let options = serde_saphyr::ser_options! {
        compact_list_indent: true,
        prefer_block_scalars: false,
    };
    serde_saphyr::to_string_with_options(&tree, options).unwrap_or_default().into_bytes()
}

/// A body that was read.
#[derive(Debug)]
pub struct Decoded<O> {
    /// What it says.
    pub object: O,
    /// What it should not have said.
    pub violations: Violations,
}

/// Reads a body that should be an `O`.
///
/// # Errors
///
/// Says what is wrong with it, for a 400.
pub fn decode<O: Object>(bytes: &[u8], format: Format) -> Result<Decoded<O>, String> {
    let unrecognized = |error: String| {
        format!("the object provided is unrecognized (must be of type {}): {error}", O::KIND)
    };
    let document = match format {
        Format::Protobuf => {
            let Envelope { api_version, kind, raw } =
                protobuf::open(bytes).map_err(|error| unrecognized(error.to_string()))?;
            check_kind::<O>(&api_version, &kind)?;
            let object =
                O::decode(raw).map_err(|_| unrecognized("it is not this message".to_owned()))?;
            return Ok(Decoded { object, violations: Violations::default() });
        }
        Format::Json => Document::parse_json(bytes, MAX_VALUES),
        Format::Yaml => Document::parse_first(bytes, MAX_VALUES),
    };
    let syntax = |error: String| {
        unrecognized(format!("couldn't get version/kind; json parse error: {error}"))
    };
    let document = document.map_err(|error| syntax(error.discreet().to_owned()))?;
    let fields = match &document.root().value {
        Value::Null => &[][..],
        Value::Object(fields) => fields,
        _ => return Err(syntax("want an object".to_owned())),
    };
    let api_version = text(fields, "apiVersion").map_err(syntax)?;
    let kind = text(fields, "kind").map_err(syntax)?;
    check_kind::<O>(api_version, kind)?;

    let mut violations = Violations::default();
    if format == Format::Yaml {
        violations.note_yaml_duplicates(document.root());
    }
    let members = O::SCHEMA.read(fields, format == Format::Json, &mut violations);
    let object = members.and_then(|members| {
        // The schema has seen to it that every member has its type.
        serde_json::from_value(members).map_err(|_| "a member has the wrong type".to_owned())
    });
    let object = object.map_err(|error| cannot_be_handled::<O>(kind, &error))?;
    Ok(Decoded { object, violations })
}

/// The last member of that name, which has to be a string; absent and null are empty.
fn text<'a>(fields: &'a [Field], name: &str) -> Result<&'a str, String> {
    match fields.iter().rfind(|field| field.key == name).map(|field| &field.node.value) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{name} is not a string")),
    }
}

/// Every kind of [`AUTHENTICATION_V1`](super::AUTHENTICATION_V1) that is served here.
const KINDS: [&str; 3] = ["SelfSubjectReview", "TokenRequest", "TokenReview"];

/// Whether a body that says that it is a `kind` of `api_version` may be an `O`. Both may be left out.
fn check_kind<O: Object>(api_version: &str, kind: &str) -> Result<(), String> {
    let api_version = if api_version.is_empty() { O::API_VERSION } else { api_version };
    let kind = if kind.is_empty() { O::KIND } else { kind };
    let other_versions = ["authentication.k8s.io/v1beta1", "authentication.k8s.io/v1alpha1"];
    if api_version == O::API_VERSION && kind == O::KIND {
        Ok(())
    } else if api_version == O::API_VERSION && KINDS.contains(&kind) {
        let error =
            format!("converting (v1.{kind}) to (authentication.{}): unknown conversion", O::KIND);
        Err(cannot_be_handled::<O>(kind, &error))
    } else if kind == O::KIND && other_versions.contains(&api_version) {
        Err(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            O::API_VERSION
        ))
    } else {
        let (shown, version) = (quoted(&excerpt(kind)), quoted(&excerpt(api_version)));
        let error = format!("no kind {shown} is registered for version {version}");
        Err(cannot_be_handled::<O>(kind, &error))
    }
}

fn cannot_be_handled<O: Object>(kind: &str, error: &str) -> String {
    let kind = if kind.is_empty() { O::KIND.to_owned() } else { excerpt(kind) };
    format!("{kind} in version \"v1\" cannot be handled as a {}: {error}", O::KIND)
}

/// The beginning of a text that somebody else wrote.
fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
