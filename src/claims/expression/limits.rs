//! How large expressions may be, and what evaluating them may cost.
//!
//! Costs are counted as upstream counts them, roughly: one for each step, one for each ten bytes
//! of text that are looked at, one for each element of a list that is. What upstream evaluates
//! within its limit is evaluated here.

use super::EvaluationError;

/// The longest expression, in characters. Upstream's limit is 100,000.
pub const MAX_LENGTH: usize = 32_768;

/// The most operators, dots and brackets, each of which the parser may recurse for.
pub const MAX_CHAIN: usize = 4_096;

/// How deep brackets and ternaries may stand in each other: upstream's limit.
pub const MAX_NESTING: u16 = 250;

/// How deep parts of an expression may stand in each other, chains such as `a.b.c` included.
pub const MAX_DEPTH: usize = 250;

/// How much deeper whatever may be a loop counts.
pub const LOOP_DEPTH: usize = 2;

/// How deep values may stand in each other. Loops can nest them deeper than the expression is.
pub const MAX_VALUE_DEPTH: u16 = 400;

/// Enough for [`MAX_NESTING`] and [`MAX_CHAIN`] at once, also without optimisations, where they take
/// 64 and 16 MiB. Only what is used is ever given to the thread.
pub const PARSER_STACK: usize = 128 << 20;

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

    /// What the next expression may take.
    pub(super) fn lend(&self) -> Meter {
        Meter { left: self.left.min(Self::EXPRESSION) }
    }

    /// Takes off what an expression took of what it was lent.
    pub(super) fn settle(&mut self, rest: &Meter) {
        let lent = self.left.min(Self::EXPRESSION);
        self.left -= lent.saturating_sub(rest.left).min(self.left);
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// What one expression may still cost. Once it is used up, it stays so.
#[derive(Debug)]
pub struct Meter {
    left: u64,
}

impl Meter {
    /// Pays for a number of steps before they are taken.
    pub fn charge(&mut self, cost: usize) -> Result<(), EvaluationError> {
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(EvaluationError::TOO_COSTLY)
            }
        }
    }

    /// Pays for going through a text of that many bytes.
    pub fn text(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.charge(bytes / 10 + 1)
    }

    /// Pays for matching a pattern.
    pub fn regex(&mut self, bytes: usize, pattern: usize) -> Result<(), EvaluationError> {
        self.charge((bytes / 10 + 1).saturating_mul(pattern / 4 + 1))
    }
}
