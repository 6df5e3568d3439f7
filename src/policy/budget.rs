//! A fixed number of steps for one question about one policy: it gives the same answer on every machine.

use std::cell::Cell;

/// Steps that are left. A step is a few instructions.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// One question takes a few milliseconds at most, and all questions about a policy take about 100.
    const STEPS: usize = 2_000_000;

    pub fn new() -> Self {
        Self(Cell::new(Self::STEPS))
    }

    /// `None` where there are not so many left.
    pub fn take(&self, steps: usize) -> Option<()> {
        self.0.set(self.0.get().checked_sub(steps)?);
        Some(())
    }
}
