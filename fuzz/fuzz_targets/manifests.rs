//! Files of `objectsDir`: none of them makes the reader panic, and no error shows what is in one.

#![no_main]

use countersign::filewatch::Change;
use countersign::issuer::Manifests;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let content = content.to_vec().into();
    let change = Change { file: "objects/a.yaml".into(), content: Some(Ok(content)) };
    let (objects, errors) = Manifests::default().apply(vec![change]);
    assert!(errors.is_empty() || objects.is_empty(), "a file that is wrong defines nothing");
});
