//! A JWT before, during and after proof. Synchronous but for [`KeySet::refresh`].
//!
//! [`UnverifiedJwt`] says whose token it claims to be, [`Verifier`] proves it with the issuer's
//! [`Jwks`] and gives its [claims](crate::claims::Claims); a [`SigningKey`] makes one. Only this floor
//! names cryptographic libraries.

mod base64url;
mod header;
mod key_set;
mod primitives;
mod sign;
mod signature;
mod unverified;
mod verify;

pub mod jwks;

#[cfg(test)]
mod signing;

pub use header::HeaderError;
pub use jwks::{Jwks, JwksError, PublicJwk, SkippedKey};
pub use key_set::{BoxFuture, KeySet, KeysUnavailable, Refreshed};
pub use primitives::{random, sha256};
pub use sign::{SignError, SigningKey, SigningKeyError};
pub use signature::{Algorithm, KeyFlaw};
pub use unverified::{NotAJwt, UnverifiedJwt};
pub use verify::{Verifier, VerifyError};
