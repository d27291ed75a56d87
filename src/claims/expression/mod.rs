//! CEL as Kubernetes' structured authentication has it.

pub mod types;
