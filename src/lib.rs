//! countersign: a Kubernetes webhook token authenticator.

pub mod api;
pub mod app;
pub mod authn;
pub mod claims;
pub mod cli;
pub mod config;
pub mod document;
pub mod fetch;
pub mod filewatch;
pub mod keys;
pub mod lifecycle;
pub mod live;
pub mod metrics;
pub mod resources;
pub mod secret;
pub mod server;
pub mod token;
