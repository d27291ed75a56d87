//! Tokens in a file, in the format of kube-apiserver's `--token-auth-file`.
//!
//! `token,user,uid[,"group1,group2"]`, one a line. A token may be given as `sha256:<64 hex digits>`
//! instead of in the clear. What is presented is looked up under a hash keyed at random, so that
//! the time it takes says nothing about the tokens in the file.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::UserInfo;
use crate::claims::reserved;
use crate::live::{Live, Marks};
use crate::token::{BoxFuture, random, sha256};

use super::{
    Attempt, Authentication, Authenticator, AuthnError, Cause, TokenFileSettings, Verdict, told,
};

/// The source's name in metrics, logs and `status.error`.
pub const NAME: &str = "tokenFile";

/// What a token in the clear is told from a digest by.
const SHA256_PREFIX: &str = "sha256:";

/// The users of a token file, by their tokens.
pub struct TokenFile {
    key: [u8; 32],
    /// By keyed hash of the token.
    clear: HashMap<blake3::Hash, Arc<UserInfo>>,
    /// By keyed hash of the token's SHA-256.
    hashed: HashMap<blake3::Hash, Arc<UserInfo>>,
    /// Tells two files apart without keeping either.
    content: blake3::Hash,
}

/// What is wrong with a token file. Never part of a token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFileError {
    /// The CSV itself is broken.
    #[error("line {line}: not CSV (RFC 4180): check the quotes")]
    NotCsv {
        /// Counted from 1.
        line: u64,
    },
    /// Too few columns.
    #[error("line {line}: want at least 3 columns (token, user name, user uid), found {found}")]
    TooFewColumns {
        /// Counted from 1.
        line: u64,
        /// How many there are.
        found: usize,
    },
    /// Nothing to present.
    #[error("line {line}: the token is empty")]
    EmptyToken {
        /// Counted from 1.
        line: u64,
    },
    /// Nobody to be.
    #[error("line {line}: the user name is empty")]
    EmptyUsername {
        /// Counted from 1.
        line: u64,
    },
    /// `sha256:` without a digest.
    #[error("line {line}: want sha256: and 64 hexadecimal digits")]
    BadDigest {
        /// Counted from 1.
        line: u64,
    },
    /// Two users for one token would be decided by chance.
    #[error("line {line}: this token has been given to another user above")]
    Duplicate {
        /// Counted from 1.
        line: u64,
    },
}

impl TokenFile {
    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// The first line that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenFileError> {
        let mut file = Self {
            key: random(),
            clear: HashMap::new(),
            hashed: HashMap::new(),
            content: blake3::hash(bytes),
        };
        if let Some(line) = misquoted(bytes) {
            return Err(TokenFileError::NotCsv { line });
        }
        let mut rows =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        for row in rows.records() {
            let row = row.map_err(|error| TokenFileError::NotCsv {
                line: error.position().map_or(0, csv::Position::line),
            })?;
            file.add(&row)?;
        }
        Ok(file)
    }

    /// Everybody's name, in no order.
    pub fn usernames(&self) -> impl Iterator<Item = &str> {
        self.clear.values().chain(self.hashed.values()).map(|user| user.username.as_str())
    }

    fn add(&mut self, row: &csv::StringRecord) -> Result<(), TokenFileError> {
        let line = row.position().map_or(0, csv::Position::line);
        let mut columns = row.iter();
        let (Some(token), Some(username), Some(uid)) =
            (columns.next(), columns.next(), columns.next())
        else {
            return Err(TokenFileError::TooFewColumns { line, found: row.len() });
        };
        if token.is_empty() {
            return Err(TokenFileError::EmptyToken { line });
        }
        if username.is_empty() {
            return Err(TokenFileError::EmptyUsername { line });
        }
        let groups = columns.next().unwrap_or_default();
        let user = UserInfo {
            username: username.to_owned(),
            uid: uid.to_owned(),
            groups: groups
                .split(',')
                .filter(|group| !group.is_empty())
                .map(str::to_owned)
                .collect(),
            ..UserInfo::default()
        };
        let earlier = match token.strip_prefix(SHA256_PREFIX) {
            Some(digits) => {
                let digest = digest(digits).ok_or(TokenFileError::BadDigest { line })?;
                self.hashed.insert(blake3::keyed_hash(&self.key, &digest), user.into())
            }
            None => self.clear.insert(blake3::keyed_hash(&self.key, token.as_bytes()), user.into()),
        };
        match earlier {
            Some(_) => Err(TokenFileError::Duplicate { line }),
            None => Ok(()),
        }
    }

    /// The user that `token` belongs to.
    pub fn user(&self, token: &str) -> Option<&Arc<UserInfo>> {
        self.clear.get(&blake3::keyed_hash(&self.key, token.as_bytes())).or_else(|| {
            if self.hashed.is_empty() {
                return None;
            }
            self.hashed.get(&blake3::keyed_hash(&self.key, &sha256(token.as_bytes())))
        })
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.clear.len() + self.hashed.len()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PartialEq for TokenFile {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

/// The first line with a quote that RFC 4180 does not allow there, as Go has it. The csv crate
/// forgives them all: one that is never closed would make all lines below it part of one user.
fn misquoted(bytes: &[u8]) -> Option<u64> {
    #[derive(Clone, Copy)]
    enum At {
        Begin,
        Bare,
        /// Since which line.
        Quoted(u64),
        /// The quote is closed, or doubled.
        Quote(u64),
    }
    let (mut at, mut line) = (At::Begin, 1);
    for byte in bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) {
        at = match (at, byte) {
            (At::Begin, b'"') => At::Quoted(line),
            (At::Quoted(since), b'"') => At::Quote(since),
            (At::Quote(since), b'"') => At::Quoted(since),
            (At::Quoted(_), _) => at,
            (_, b',' | b'\n' | b'\r') => At::Begin,
            (At::Bare, b'"') | (At::Quote(_), _) => return Some(line),
            (At::Begin | At::Bare, _) => At::Bare,
        };
        line += u64::from(*byte == b'\n');
    }
    match at {
        At::Quoted(since) => Some(since),
        _ => None,
    }
}

fn digest(digits: &str) -> Option<[u8; 32]> {
    // from_str_radix would take a sign.
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// Judges by the token file as it is now.
pub struct TokenFileAuthenticator {
    name: Arc<str>,
    file: Live<TokenFile>,
    allow_reserved: bool,
    api_audiences: Arc<[String]>,
}

impl TokenFileAuthenticator {
    /// An authenticator over the published `file`.
    pub fn new(
        settings: &TokenFileSettings,
        file: Live<TokenFile>,
        api_audiences: Arc<[String]>,
    ) -> Self {
        Self { name: NAME.into(), file, allow_reserved: settings.allow_reserved, api_audiences }
    }

    /// Its name in metrics and logs.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }
}

impl Authenticator for TokenFileAuthenticator {
    fn authenticate<'a>(
        &'a self,
        attempt: &'a Attempt<'a>,
    ) -> BoxFuture<'a, Result<Verdict, AuthnError>> {
        Box::pin(async move {
            let (mark, file) = self.file.read();
            let transcript = &attempt.transcript;
            let user = file.user(attempt.credential.token.expose());
            transcript.note(|| told::token_file(user.map(|user| &*user.username), file.len()));
            let Some(user) = user else {
                return Ok(Verdict::NoOpinion(Marks::from_iter([mark])));
            };
            let refused = |cause: Cause| AuthnError {
                marks: Marks::from_iter([mark.clone()]),
                ..AuthnError::new(&self.name, cause)
            };
            if !self.allow_reserved {
                let guarded = transcript.judged(reserved::check(user), told::reserved);
                guarded.map_err(|error| refused(error.into()))?;
            }
            let mut audiences = attempt.credential.audiences.clone();
            audiences.retain(|wanted| self.api_audiences.contains(wanted));
            if !transcript.holds(!audiences.is_empty(), || {
                let good_for = told::good_for(&self.api_audiences, "apiAudiences");
                told::audiences(attempt, "").found(good_for)
            }) {
                return Err(refused(Cause::Audiences));
            }
            Ok(Verdict::Authenticated(Authentication {
                user: UserInfo::clone(user),
                audiences,
                valid_until: None,
                marks: Marks::from_iter([mark]),
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kube_apiserver_reads() {
        let file = TokenFile::parse(
            b"t1,ann,1\n\nt2,bob,2,dev\nt3,\"c, d\",3,\"g1,g2\",more\n\
              sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08,eve,4\n",
        )
        .unwrap();
        assert_eq!(file.len(), 4);
        assert_eq!(file.user("t1").unwrap().username, "ann");
        assert_eq!(file.user("t2").unwrap().groups, ["dev"]);
        let user = file.user("t3").unwrap();
        assert_eq!(
            (user.username.as_str(), &user.groups[..]),
            ("c, d", &["g1".into(), "g2".into()][..])
        );
        assert_eq!(file.user("test").unwrap().username, "eve", "by its SHA-256");
        for unknown in [
            "",
            "t",
            "t1 ",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert!(file.user(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn says_which_line_is_wrong() {
        for (text, want) in [
            ("a,b,c\nt,u\n", TokenFileError::TooFewColumns { line: 2, found: 2 }),
            (",u,1\n", TokenFileError::EmptyToken { line: 1 }),
            ("t,,1\n", TokenFileError::EmptyUsername { line: 1 }),
            ("sha256:abc,u,1\n", TokenFileError::BadDigest { line: 1 }),
            ("t,u,1\nx,y,2\nt,v,3\n", TokenFileError::Duplicate { line: 3 }),
            ("t,\u{fffd}\n", TokenFileError::TooFewColumns { line: 1, found: 2 }),
        ] {
            assert_eq!(TokenFile::parse(text.as_bytes()).err(), Some(want), "{text}");
        }
        assert!(matches!(TokenFile::parse(b"t,\xff,1\n"), Err(TokenFileError::NotCsv { line: 1 })));
    }

    /// Without this, one quote too many made the next line's token a group of the line's user.
    #[test]
    fn a_stray_quote_swallows_no_line() {
        for (text, line) in [
            ("t1,ann,1\nt2,bob,2,\"dev\nt3,eve,3\n", 2),
            ("t1,ann,1,\"dev\nt2,bob,2,\"ops\"\n", 2),
            ("t1,\"ann\"x,1\n", 1),
            ("t1,a\"nn,1\n", 1),
            ("\r\nt1\",ann,1\r\n", 2),
            ("t1,ann,1,\"", 1),
        ] {
            let error = TokenFile::parse(text.as_bytes()).err();
            assert_eq!(error, Some(TokenFileError::NotCsv { line }), "{text}");
        }
        let good = "\u{feff}\"t\"\"1\",\"a\nb\",1,\"x,y\"\r\nt2,bob,2,\"\"";
        let file = TokenFile::parse(good.as_bytes()).unwrap();
        assert_eq!(file.user("t\"1").unwrap().groups, ["x", "y"]);
        assert_eq!(file.user("t2").unwrap().username, "bob");
    }

    #[test]
    fn only_other_content_is_a_change() {
        let parse = |text: &str| TokenFile::parse(text.as_bytes()).unwrap();
        assert!(parse("t,u,1\n") == parse("t,u,1\n"));
        assert!(parse("t,u,1\n") != parse("t,u,2\n"));
    }
}
