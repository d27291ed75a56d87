//! The proof of a token by keys that may have to be renewed.
//!
//! If no key fits, the keys are asked for once more and the token is judged a second time: that is
//! how a rotation goes unnoticed.

use std::time::SystemTime;

use crate::claims::Claims;
use crate::live::Mark;
use crate::token::{KeySet, KeysUnavailable, UnverifiedJwt, Verifier, VerifyError};
use crate::transcript::{Check, Transcript};

/// What a token says, proven, and the mark of the keys that did.
pub(super) struct Proven {
    pub(super) claims: Claims,
    pub(super) mark: Mark,
}

/// Why a token is not proven.
pub(super) struct Unproven {
    pub(super) cause: Flaw,
    /// The keys that were tried.
    pub(super) mark: Mark,
    /// When time alone may change it.
    pub(super) retry_at: Option<SystemTime>,
}

/// Whose fault it is.
pub(super) enum Flaw {
    /// The token's.
    Token(VerifyError),
    /// No keys could be had.
    Keys(KeysUnavailable),
}

/// What a transcript calls that newer keys are wanted.
pub const NEWER_KEYS: &str = "newer keys";

/// Proves `jwt`, asking for newer keys if none fits.
pub(super) async fn prove(
    verifier: &Verifier,
    jwt: &UnverifiedJwt<'_>,
    keys: &dyn KeySet,
    now: SystemTime,
    transcript: &Transcript,
) -> Result<Proven, Unproven> {
    let begun = transcript.position();
    let (mark, current) = keys.current();
    let error = match verifier.verify(jwt, &current, now, transcript) {
        Ok(claims) => return Ok(Proven { claims, mark }),
        Err(error) if error.wants_newer_keys() => error,
        Err(error) => return Err(unproven(error, mark)),
    };
    match keys.refresh(&mark).await {
        Ok(refreshed) => {
            let until_newer = |error: VerifyError, mark| {
                let no_key = error.wants_newer_keys();
                let unproven = unproven(error, mark);
                let retry_at = if no_key { Some(refreshed.retry_at) } else { unproven.retry_at };
                Unproven { retry_at, ..unproven }
            };
            // The same keys would say the same: a forged token costs no more than a good one.
            if mark.holds() {
                return Err(until_newer(error, mark));
            }
            transcript.rewind(begun);
            let (mark, current) = keys.current();
            match verifier.verify(jwt, &current, now, transcript) {
                Ok(claims) => Ok(Proven { claims, mark }),
                Err(error) => Err(until_newer(error, mark)),
            }
        }
        // The key it names is here and did not sign it: an outage does not make that uncertain.
        Err(KeysUnavailable::Unreachable) if matches!(error, VerifyError::BadSignature) => {
            Err(unproven(error, mark))
        }
        Err(unavailable) => {
            transcript.holds(false, || {
                Check::of(NEWER_KEYS).expected("to be had").found(unavailable.to_string())
            });
            Err(Unproven { cause: Flaw::Keys(unavailable), mark, retry_at: None })
        }
    }
}

fn unproven(error: VerifyError, mark: Mark) -> Unproven {
    let retry_at = error.valid_from();
    Unproven { cause: Flaw::Token(error), mark, retry_at }
}
