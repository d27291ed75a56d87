//! The integration tests of countersign: one binary.

// What fails in a test fails the test, wherever it stands; clippy's own exception ends at `#[test]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod layering;
