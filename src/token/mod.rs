//! A JWT before, during and after proof. Synchronous but for [`KeySet::refresh`].

mod key_set;
mod signature;

pub mod jwks;

pub use jwks::Jwks;
pub use key_set::{BoxFuture, KeySet, KeysUnavailable, Refreshed};
pub use signature::Algorithm;
