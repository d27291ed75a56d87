//! Key sets of strangers: a bounded number of keys, each key that is left out with a bounded reason.

#![no_main]

use countersign::token::Jwks;

libfuzzer_sys::fuzz_target!(|document: &[u8]| match Jwks::parse(document) {
    Ok((keys, skipped)) => {
        assert!(keys.len() <= 100, "{} keys", keys.len());
        assert!(skipped.iter().all(|key| key.flaw.to_string().len() < 500));
        let (again, _) = Jwks::parse(document).expect("it was one");
        assert_eq!(keys, again);
    }
    Err(error) => assert!(error.to_string().len() < 500, "{error}"),
});
