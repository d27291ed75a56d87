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

/// In which the order of members does not count: YAML's are sorted.
fn json<O: Object>(object: &O) -> serde_json::Value {
    serde_json::from_slice(&encode(object, Format::Json, false)).expect("what is written is JSON")
}
