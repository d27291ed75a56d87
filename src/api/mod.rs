//! Kubernetes wire types: what is read from and written to the wire, and nothing about why.
//!
//! Nothing here does I/O or decides anything.

pub mod kubeconfig;
pub mod status;
pub mod user_info;
pub mod webhook;

pub use status::Status;
pub use user_info::{ExtraValue, UserInfo};
pub use webhook::Version;
