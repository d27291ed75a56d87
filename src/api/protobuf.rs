//! Kubernetes' envelope around a protobuf message: `k8s\0`, then what kind it is, then the message.
//!
//! client-go since 0.32 and kubectl since 1.32 send it. The envelope is
//! `k8s.io/apimachinery/pkg/runtime.Unknown`; the messages are the objects of this folder themselves.

use prost::Message as _;
use prost::bytes::{Buf, Bytes};
use prost::encoding::{WireType, decode_key, skip_field};

use super::codec::{MAX_VALUES, Message};

/// What every body begins with.
const PREFIX: &[u8] = b"k8s\0";

/// `runtime.Unknown`.
#[derive(Clone, PartialEq, prost::Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "bytes", tag = "2")]
    raw: Bytes,
    #[prost(string, tag = "3")]
    content_encoding: String,
    #[prost(string, tag = "4")]
    content_type: String,
}

/// `runtime.TypeMeta`.
#[derive(Clone, PartialEq, prost::Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

/// An envelope that was opened.
#[derive(Debug, PartialEq)]
pub(super) struct Envelope {
    pub(super) api_version: String,
    pub(super) kind: String,
    /// The message itself.
    pub(super) raw: Bytes,
}

/// Why an envelope cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EnvelopeError {
    /// It does not begin as one.
    #[error("provided data does not appear to be a protobuf message, expected prefix {:?}", PREFIX)]
    Prefix,
    /// It begins as one, and goes on as something else.
    #[error("provided data does not appear to be a protobuf message")]
    Malformed,
    /// There is nothing in it, not even what it is.
    #[error("empty body")]
    Empty,
    /// What is in it is compressed.
    #[error("the message has a contentEncoding, and none is understood here")]
    Encoded,
    /// It holds more values than a body may.
    #[error("more than {MAX_VALUES} values")]
    TooMany,
}

/// Takes a message out of its envelope. It is not decoded yet, but small enough to be.
pub(super) fn open(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    let unknown = bytes.strip_prefix(PREFIX).ok_or(EnvelopeError::Prefix)?;
    if unknown.is_empty() {
        return Err(EnvelopeError::Empty);
    }
    let unknown = Unknown::decode(unknown).map_err(|_| EnvelopeError::Malformed)?;
    if !unknown.content_encoding.is_empty() {
        return Err(EnvelopeError::Encoded);
    }
    match values(unknown.raw.clone(), MAX_DEPTH) {
        None => Err(EnvelopeError::Malformed),
        Some(MAX_VALUES..) => Err(EnvelopeError::TooMany),
        Some(_) => {
            let TypeMeta { api_version, kind } = unknown.type_meta.unwrap_or_default();
            Ok(Envelope { api_version, kind, raw: unknown.raw })
        }
    }
}

/// How deep the messages of this folder are nested.
const MAX_DEPTH: usize = 4;

/// How many values a message may hold, at most; absent if it is none. An empty submessage is two
/// bytes on the wire and a hundred in memory, so that they have to be counted before they are made.
/// A string that happens to look like a message is counted as one.
fn values(mut message: Bytes, depth: usize) -> Option<usize> {
    let mut count = 0;
    while message.has_remaining() && count < MAX_VALUES {
        let (tag, wire_type) = decode_key(&mut message).ok()?;
        count += 1;
        if wire_type == WireType::LengthDelimited {
            let length = prost::decode_length_delimiter(&mut message).ok()?;
            if length > message.len() {
                return None;
            }
            let inner = message.split_to(length);
            if depth > 0 {
                count += values(inner, depth - 1).unwrap_or(0);
            }
        } else {
            skip_field(wire_type, tag, &mut message, Default::default()).ok()?;
        }
    }
    Some(count)
}

/// Puts a message into its envelope.
pub(super) fn encode(message: &impl Message) -> Vec<u8> {
    seal(message.api_version(), message.kind(), message.encode_to_vec())
}

/// The envelope around a message that is bytes already.
pub(super) fn seal(api_version: &str, kind: &str, raw: Vec<u8>) -> Vec<u8> {
    let type_meta = TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() };
    let raw = raw.into();
    let unknown = Unknown { type_meta: Some(type_meta), raw, ..Unknown::default() };
    [PREFIX, &unknown.encode_to_vec()].concat()
}
