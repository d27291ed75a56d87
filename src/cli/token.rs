//! A token that somebody hands to a command: in a file or on standard input, never as an argument,
//! which every user of the machine can read and a shell remembers.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::secret::Secret;

/// More than any token.
const MAX_BYTES: u64 = 1 << 20;

/// What is said to those who give a token as an argument, without it.
pub(super) const AN_ARGUMENT: &str = "one of the arguments looks like a token: every user of this machine can read \
     arguments, and the shell remembers them. Give the token on standard input, or name a file that has it";

/// Why there is no token. It never has any of it, nor the name of the file: that may be the token.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    #[error("cannot be read: {0}; it has to exist and be readable by this user")]
    Unreadable(#[from] io::Error),
    #[error("the token is longer than 1 MiB")]
    TooLong,
}

/// What is in `file` but for its last newline, or on standard input if that is `-`.
pub(super) fn read(file: &Path) -> Result<Secret, TokenError> {
    let source: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(file)?),
    };
    let mut text = String::new();
    source.take(MAX_BYTES + 2).read_to_string(&mut text)?;
    let token =
        text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    if token.len() as u64 > MAX_BYTES { Err(TokenError::TooLong) } else { Ok(Secret::new(token)) }
}

/// Whether an argument is rather a token than the name of anything.
pub(super) fn looks_like_one(argument: &str) -> bool {
    let argument = argument.rsplit(['=', ' ']).next().unwrap_or(argument);
    let is_base64url = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let parts: Vec<_> = argument.split('.').collect();
    // `{"` is what headers begin with.
    argument.starts_with("eyJ")
        || (parts.len() > 2 && argument.len() > 60 && parts.iter().all(|part| is_base64url(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_newline_is_not_the_tokens() {
        let file = std::env::temp_dir().join(format!("countersign-token-{}", std::process::id()));
        for (content, expected) in [
            ("a.b.c", Some("a.b.c")),
            ("a.b.c\n", Some("a.b.c")),
            ("a.b.c\r\n", Some("a.b.c")),
            (" a.b.c \n\n", Some(" a.b.c \n")),
            ("a.b.c\r", Some("a.b.c\r")),
            ("", Some("")),
            (&"x".repeat((1 << 20) + 1), None),
        ] {
            std::fs::write(&file, content).unwrap();
            let token = read(&file).ok();
            assert_eq!(token.as_ref().map(Secret::expose), expected, "{:?}", content.get(..9));
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_token_is_told_from_a_file() {
        let long = format!("{0}.{0}.{0}", "x".repeat(30));
        for token in ["eyJhbGciOiJSUzI1NiJ9.e30.x", "eyJh", &long, "--token=eyJh", "Bearer eyJh"] {
            assert!(looks_like_one(token), "{token}");
        }
        for file in ["-", "token", "token.txt", "/run/secrets/a.b.c", "a.b.c", "", "--config"] {
            assert!(!looks_like_one(file), "{file}");
        }
    }
}
