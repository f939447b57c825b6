//! Counts what a hub, and the process, hold at a moment.

use super::hub::Hub;
use super::ledger;

/// What is alive. Whatever a piece of work makes it also clears away, so the same work done again
/// leaves the same census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Greenlets of this thread's hub that are not over, started or not.
    pub greenlets: usize,
    /// Deadlines that have not passed: sleeps, time-outs, delayed starts.
    pub timers: usize,
    /// Descriptors in the poller.
    pub descriptors: usize,
    /// Greenlets that wait for a descriptor to be ready.
    pub waiters: usize,
    /// Those who wait for the end of a greenlet, links included.
    pub watchers: usize,
    /// Greenlets that are ready to run.
    pub ready: usize,
    /// Stacks that are in use by greenlets.
    pub stacks_used: usize,
    /// Stacks that are kept for the next greenlets.
    pub stacks_free: usize,
    /// Spare tokens of the panic ledger, process-wide.
    pub tokens: usize,
    /// Stacks kept for tokens of the panic ledger, process-wide.
    pub token_stacks: usize,
}

impl Hub {
    /// Counts what there is now.
    pub(crate) fn census(&self) -> Census {
        let stacks = self.stock();
        let (tokens, token_stacks) = ledger::count();
        Census {
            greenlets: self.live.borrow().len(),
            timers: self.timers.borrow().len(),
            descriptors: self.io.borrow().len(),
            waiters: self.io.borrow().waiters(),
            watchers: self.live.borrow().iter().map(|greenlet| greenlet.watchers()).sum(),
            ready: self.ready(),
            stacks_used: stacks.used,
            stacks_free: stacks.warm + stacks.clean,
            tokens,
            token_stacks,
        }
    }
}
