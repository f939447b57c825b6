//! `gevent.util`: a look inside.

use crate::sched::current;
use crate::sched::hub::Hub;

/// The stacks of this thread's hub.
///
/// A stack is mapped once and used by one greenlet after another. Of the free ones those that were
/// not needed for a second or two lose their memory, half of them at a time, but for 64 of each
/// size; their addresses stay mapped until the hub ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackStats {
    /// Stacks of greenlets that have begun.
    pub used: usize,
    /// Free stacks that hold memory.
    pub warm: usize,
    /// Free stacks that hold none.
    pub clean: usize,
    /// Bytes of address space that all of them and their guards take.
    pub mapped_bytes: usize,
}

/// Counts the stacks of this thread's hub; all zero without one.
///
/// ```
/// use betterthreads::util::stack_stats;
///
/// let greenlet = betterthreads::spawn(|| stack_stats().used);
/// assert_eq!(greenlet.get().unwrap(), 1);
/// assert_eq!(stack_stats().used, 0);
/// assert!(stack_stats().warm > 0);
/// ```
pub fn stack_stats() -> StackStats {
    let stock = current::with(Hub::stock).unwrap_or_default();
    StackStats {
        used: stock.used,
        warm: stock.warm,
        clean: stock.clean,
        mapped_bytes: stock.mapped_bytes,
    }
}
