//! Control blocks of greenlets that are over, kept for those to come.
//!
//! To allocate one, fill it in, take it apart and free it would be half of the price of a short
//! greenlet. A block that nobody knows any more, handles and wakers included, is as good as new.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::control::{Control, Status};
use super::current;
use super::hub::Hub;
use crate::base::prefetch::prefetch;

/// Blocks that are kept in any case.
const KEPT: usize = 64;

/// The most that are kept, some five megabytes.
const MOST: usize = 16 * 1024;

/// The spare blocks of one hub.
#[derive(Default)]
pub(super) struct Spares {
    free: RefCell<Vec<Arc<Control>>>,
    /// The fewest there were since the last trim: nobody needed those.
    unneeded: Cell<usize>,
}

impl Spares {
    pub(super) fn take(&self) -> Option<Arc<Control>> {
        let mut free = self.free.borrow_mut();
        let spare = free.pop();
        if let Some(next) = free.last() {
            prefetch::<256>(Arc::as_ptr(next).addr());
        }
        self.unneeded.set(self.unneeded.get().min(free.len()));
        spare
    }

    /// Tells whether there are now more than are kept in any case.
    fn put(&self, spare: Arc<Control>) -> bool {
        let mut free = self.free.borrow_mut();
        if free.len() < MOST {
            free.push(spare);
        }
        free.len() > KEPT
    }

    /// Frees half of those that nobody has needed since the last time. Tells whether there may be
    /// more to free.
    pub(super) fn trim(&self) -> bool {
        let mut free = self.free.borrow_mut();
        let surplus = self.unneeded.get().saturating_sub(KEPT).div_ceil(2);
        let kept = free.len() - surplus;
        free.truncate(kept);
        self.unneeded.set(kept);
        kept > KEPT
    }
}

/// Lets go of a handle. The last one of a greenlet that is over, on its own thread, leaves its
/// control block to the hub.
#[inline]
pub(super) fn recycle(mut control: Arc<Control>) {
    let is_last = Arc::strong_count(&control) == 1;
    if !is_last || control.status() != Status::Dead || !current::is_here(&control) {
        return;
    }
    current::with(|hub| {
        if let Some(block) = Arc::get_mut(&mut control) {
            block.renew(hub);
            hub.keep_spare(control);
        }
    });
}

impl Hub {
    fn keep_spare(&self, spare: Arc<Control>) {
        if self.spares.put(spare) {
            self.trim_soon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(spares: &Spares, count: usize) {
        for _ in 0..count {
            spares.put(Arc::new(Control::thread()));
        }
    }

    fn len(spares: &Spares) -> usize {
        spares.free.borrow().len()
    }

    #[test]
    fn a_trim_frees_half_of_what_nobody_needed_since_the_last() {
        let spares = Spares::default();
        put(&spares, KEPT + 100);
        assert!(spares.trim(), "all of it may still be needed");
        assert_eq!(len(&spares), KEPT + 100);
        // Sixty are needed for a while.
        let taken: Vec<_> = (0..60).map(|_| spares.take().unwrap()).collect();
        for spare in taken {
            spares.put(spare);
        }
        assert!(spares.trim());
        assert_eq!(len(&spares), KEPT + 100 - 20);
        while spares.trim() {}
        assert_eq!(len(&spares), KEPT);
    }

    #[test]
    fn no_more_are_kept_than_are_allowed() {
        let spares = Spares::default();
        put(&spares, MOST + 1);
        assert_eq!(len(&spares), MOST);
    }
}
