//! Where greenlets that end are noted, in the order they end, for one who waits for several.

use std::collections::VecDeque;

use super::control::Waker;
use crate::base::lock::Lock;

#[derive(Default)]
struct State {
    ended: VecDeque<usize>,
    waiter: Option<Waker>,
}

/// A queue of numbers, each given by its reader to one greenlet.
#[derive(Default)]
pub(crate) struct Board(Lock<State>);

impl Board {
    /// Notes that number `index` has ended, and wakes the reader.
    pub(crate) fn report(&self, index: usize) {
        let mut state = self.0.lock();
        state.ended.push_back(index);
        let waiter = state.waiter.take();
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// The next number; if there is none, leaves what `waker` makes for the next report to find.
    pub(crate) fn next(&self, waker: impl FnOnce() -> Waker) -> Option<usize> {
        let mut state = self.0.lock();
        let next = state.ended.pop_front();
        if next.is_none() {
            state.waiter = Some(waker());
        }
        next
    }
}
