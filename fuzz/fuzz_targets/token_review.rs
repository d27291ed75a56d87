//! Reviews as kube-apiserver posts them: what is read is what another reader of JSON reads, and no error
//! shows the token.

#![no_main]

use countersign::api::webhook::{Question, answer, question};

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    match Question::from_json(body) {
        Ok(asked) => {
            // It refuses numbers and surrogates that nobody needs, in members that we do not read.
            let Ok(other) = serde_json::from_slice::<serde_json::Value>(body) else { return };
            let spec = &other["spec"];
            assert_eq!(spec["token"].as_str().unwrap_or_default(), asked.token);
            let audiences = spec["audiences"].as_array().cloned().unwrap_or_default();
            let audiences: Vec<_> =
                audiences.iter().map(|one| one.as_str().unwrap_or_default()).collect();
            assert_eq!(audiences, asked.audiences);
            if let Some(version) =
                other["apiVersion"].as_str().filter(|version| !version.is_empty())
            {
                assert_eq!(version, asked.version.as_str());
            }
            let audiences: Vec<_> = audiences.into_iter().map(str::to_owned).collect();
            let again = question(&asked.token, &audiences);
            let again = Question::from_json(again.as_bytes()).expect("what we ask ourselves");
            assert_eq!((again.token, again.audiences), (asked.token, asked.audiences));
            let said = answer(asked.version, br#"{"authenticated":false}"#);
            let said: serde_json::Value = serde_json::from_slice(&said).expect("an answer is JSON");
            assert_eq!(said["apiVersion"], asked.version.as_str());
        }
        Err(text) => assert!(text.len() < 1000, "{} bytes of error", text.len()),
    }
});
