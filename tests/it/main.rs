//! The service over real sockets and real TLS: one file for each behaviour.

// What fails in a test fails the test, wherever it stands; clippy's own exception ends at `#[test]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support; // an identity provider, a client like kube-apiserver, the service, its log

mod admin; // probes
mod api_reading; // what clients read before they ask, and what the issuer publishes
mod attacks; // each costs the attacker his connection, and nobody else anything
mod bad_tokens; // one table, a row for each attack
mod cache; // what is remembered, and how it ends
mod callers; // who may use the APIs, and for what
mod claims; // claims become a user and audiences as configured
mod configuration; // a configuration that changes while it is in force
mod distributed_claims; // groups that an issuer leaves to others
mod explain; // one token, what was checked, and what to change
mod expressions; // CEL, and the API server's own file
mod isolation; // one issuer's trouble stays its own
mod issuer_health; // why an issuer is dark, and what to do
mod keys; // rotation, withdrawal, outages, providers that lie
mod keys_on_disk; // a start during an outage
mod layering; // the tower of src/
mod logs; // what a log says, and what it must never say
mod metrics; // names and labels, held by a golden file
mod monitoring; // alert rules and dashboard ask for what there is
mod overload; // too much at once
mod probe; // the command that asks whether all is well
mod providers; // the mappings of deploy/providers make users of documented tokens
mod readme; // what the README promises is there
mod reload; // certificates and client CA that change
mod service_account; // the embedded issuer: its tokens, and what they die with
mod shutdown; // an end in order
mod starting; // what keeps the process from starting, in words that help
mod systemd; // what the process tells who started it
mod takeover; // reviews all the time, whatever is replaced meanwhile
mod token_file; // users in a file
mod token_requests; // tokens are issued, bound, reviewed and revoked
mod token_reviews; // the TokenReview API beside the webhook
mod webhook; // the contract with kube-apiserver on the wire
