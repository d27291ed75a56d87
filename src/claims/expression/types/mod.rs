//! The values behind Kubernetes' CEL library: plain Rust in, plain Rust out.
//!
//! Nothing here knows an expression or its values; who wires these into the environment does. What
//! they do is what Kubernetes 1.37 does (cel-go 0.29, Go 1.26), bug for bug where an expression can
//! see it, and their errors have its texts. Where that cannot be, or is not wanted, the file says so
//! under *Differs*. Everything takes text that somebody else wrote: nothing panics, nothing recurses,
//! and nothing takes much more than time in proportion to its text.
//!
//! The files under `golden/` hold what the real thing answered; `golden.rs` reads them.

#[cfg(test)]
mod golden;

pub mod cidr;
pub mod duration;
pub mod formats;
pub mod ip;
pub mod number;
pub mod pattern;
pub mod percent;
pub mod quantity;
pub mod semver;
pub mod template;
pub mod text;
pub mod timestamp;
pub mod url;
pub mod zone;
