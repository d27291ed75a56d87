//! `format`: Kubernetes' named formats.

use super::Function;

/// What this file has.
pub const FUNCTIONS: &[Function] = &[];

/// `kubernetes.NamedFormat`.
#[derive(Clone, Debug, PartialEq)]
pub struct Format;
