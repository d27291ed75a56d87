//! What holds for every body, whatever its format.

use countersign::api::codec::{decode, encode};
use countersign::api::{Format, Object, SelfSubjectReview, TokenRequest, TokenReview};

/// No body makes a reader panic, and what was read is the same after it was written in any format.
pub fn every_kind(body: &[u8], format: Format) {
    each::<TokenReview>(body, format);
    each::<TokenRequest>(body, format);
    each::<SelfSubjectReview>(body, format);
}

fn each<O: Object>(body: &[u8], format: Format) {
    let Ok(decoded) = decode::<O>(body, format) else { return };
    let written = json(&decoded.object);
    for other in Format::ALL {
        let body = encode(&decoded.object, other, false);
        let again = decode::<O>(&body, other).expect("what was written can be read");
        assert_eq!(again.violations.error(), None);
        assert_eq!(json(&again.object), written, "{other:?}");
    }
}

/// In which the order of members does not count: YAML's are sorted. Nor do managed fields, which are
/// dropped when they are sent: in protobuf they are bytes that say they are JSON.
fn json<O: Object>(object: &O) -> serde_json::Value {
    let text = encode(object, Format::Json, false);
    let mut json: serde_json::Value =
        serde_json::from_slice(&text).expect("what is written is JSON");
    if let Some(metadata) = json.get_mut("metadata").and_then(|it| it.as_object_mut()) {
        metadata.remove("managedFields");
    }
    json
}
