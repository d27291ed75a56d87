//! Token files: whoever is in one is somebody, and no mistake shows a token.

#![no_main]

use countersign::authn::token_file::TokenFile;

libfuzzer_sys::fuzz_target!(|content: &[u8]| match TokenFile::parse(content) {
    Ok(tokens) => {
        assert_eq!(tokens.usernames().count(), tokens.len());
        assert!(tokens.usernames().all(|name| !name.is_empty()));
        assert!(tokens.user("").is_none(), "nothing is nobody's token");
    }
    Err(error) => assert!(error.to_string().len() < 400, "{error}"),
});
