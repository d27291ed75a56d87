//! Kubernetes wire types: what is read from and written to the wire, and nothing about why.
//!
//! Nothing here does I/O or decides anything.

pub mod kubeconfig;
pub mod names;
pub mod status;
pub mod token_review;

pub use status::Status;
pub use token_review::{TokenReview, UserInfo, Version};
