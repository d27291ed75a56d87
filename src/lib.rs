//! countersign: a Kubernetes webhook token authenticator.
//!
//! # The life of a review
//!
//! 1. A connection is accepted and shakes hands; a request on it is read whole, within its limits
//!    ([`server`]).
//! 2. [`resources`] looks at path, caller and media types, and [`api`] reads the TokenReview.
//! 3. [`authn::Reviews`] hashes token and audiences under a key of its own. If it has an answer whose
//!    marks ([`live`]) hold and whose time has not come, that is it: no box, no task, no lock of ours.
//! 4. Otherwise the question is judged once for all who ask it. [`authn::Chain`] looks into the token
//!    file, then picks the issuer that the token's unverified `iss` names.
//! 5. [`token::Verifier`] proves signature, audience and time with the issuer's current keys. If no key
//!    fits, [`keys`] is asked for newer ones, and the token is judged once more. Groups that it leaves
//!    to others are fetched and proven likewise ([`authn::DistributedClaims`]).
//! 6. [`claims`] makes the user, checks the rules and guards the reserved names.
//! 7. The answer, good or bad, is kept with the marks of all it rests on, and sent in the version that
//!    was asked.
//!
//! # What changes while it runs
//!
//! Everything that comes from a file: it is read again when its content changes ([`filewatch`]),
//! checked, compared and published whole ([`live`]); what is wrong changes nothing. The configuration
//! is a generation ([`app`]): a new one is built beside the old, takes over the keys that are warm, and
//! serves once its new ones were tried. Files that it only names (tokens, keys, certificates, manifests)
//! live apart: they move marks, and so take only those answers with them that rested on them.
//!
//! # The house
//!
//! A tower, whose floors import only from below (`tests/it/layering.rs` holds it):
//!
//! | floor | |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`app`] | builds, connects, reloads, drains |
//! | [`config`] | files in, every floor's settings out |
//! | [`resources`] | what is served |
//! | [`authn`], [`server`] | who a token is; bytes in, bytes out |
//! | [`keys`], [`issuer`] | key sets from network and files; the embedded issuer and its objects |
//! | [`token`] | a JWT before, during and after proof; signing |
//! | [`claims`] | what a verified token says, and the user it names |
//! | [`api`] | Kubernetes wire types |
//! | [`metrics`], [`lifecycle`], [`fetch`], [`filewatch`], [`live`], [`document`], [`secret`], [`transcript`] | the ground |

pub mod api;
pub mod app;
pub mod authn;
pub mod claims;
pub mod cli;
pub mod config;
pub mod document;
pub mod fetch;
pub mod filewatch;
pub mod issuer;
pub mod keys;
pub mod lifecycle;
pub mod live;
pub mod metrics;
pub mod resources;
pub mod secret;
pub mod server;
pub mod token;
pub mod transcript;
