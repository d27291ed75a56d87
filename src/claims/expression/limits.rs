//! What one token may cost.

/// What evaluating expressions may still cost: one for each step, more for work in proportion to
/// texts and lists.
///
/// One budget serves all expressions of one token; each of them alone may take at most
/// [`Budget::EXPRESSION`], as upstream.
#[derive(Debug)]
pub struct Budget {
    left: u64,
}

impl Budget {
    /// What one expression may cost.
    pub const EXPRESSION: u64 = 1_000_000;
    /// What all expressions of one token may cost.
    pub const TOKEN: u64 = 4_000_000;

    /// For one token.
    pub fn new() -> Self {
        Self { left: Self::TOKEN }
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}
