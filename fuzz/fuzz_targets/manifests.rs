//! Files of `objectsDir`: none of them makes the reader panic, and no error shows much of one.

#![no_main]

use countersign::filewatch::Change;
use countersign::issuer::Manifests;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let content = content.to_vec().into();
    let change = Change { file: "objects/a.yaml".into(), content: Some(Ok(content)) };
    let (_, errors) = Manifests::default().apply(vec![change]);
    assert!(
        errors.iter().all(|error| error.to_string().len() < 2000),
        "no more than a line or two"
    );
});
