//! Stands in for the switch: a greenlet is a call, so it runs to its end and cannot wait.
//!
//! Main greenlets need no switch. They wait, are killed and time out as in the library.

use std::cell::Cell;
use std::ops::Range;

use super::stack::Stack;

#[derive(Debug)]
pub(crate) enum Switched {
    Suspended,
    Returned(Stack),
}

/// What is to be called.
pub(crate) struct Switch(Cell<Option<fn()>>);

impl Switch {
    pub(crate) fn new() -> Switch {
        Switch(Cell::new(None))
    }

    pub(crate) fn is_prepared(&self) -> bool {
        self.0.get().is_some()
    }

    pub(crate) fn guard(&self) -> Range<usize> {
        0..0
    }

    pub(crate) fn prepare(&self, _: Stack, root: fn()) {
        self.0.set(Some(root));
    }

    pub(crate) fn resume(&self) -> Switched {
        let root = self.0.take().expect("a greenlet is prepared when it is resumed");
        root();
        Switched::Returned(Stack)
    }

    pub(crate) fn prefetch_stack(&self) {}

    pub(crate) fn leave(&self) {
        unreachable!("a greenlet waits that is no main greenlet")
    }
}
