//! The service over real sockets and real TLS: one file for each behaviour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support; // an identity provider, a client like kube-apiserver, the service, its log
