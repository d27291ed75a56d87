//! Kubernetes wire types: what is read from and written to the wire, and nothing about why.
//!
//! Nothing here does I/O or decides anything.

pub mod codec;
pub mod kubeconfig;
pub mod meta;
pub mod names;
pub mod quote;
pub mod schema;
pub mod self_subject_review;
pub mod status;
pub mod token_request;
pub mod token_review;
pub mod user_info;
pub mod webhook;

mod protobuf;

pub use codec::{Format, Object};
pub use self_subject_review::SelfSubjectReview;
pub use status::Status;
pub use token_request::TokenRequest;
pub use token_review::TokenReview;
pub use user_info::{ExtraValue, UserInfo};
pub use webhook::Version;

/// The API group of everything that is created here.
pub const AUTHENTICATION_GROUP: &str = "authentication.k8s.io";
/// Its `apiVersion`.
pub const AUTHENTICATION_V1: &str = "authentication.k8s.io/v1";
