//! The numbers of greenlets and threads, unique in the process.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many numbers a hub takes at once.
const BLOCK: u64 = 256;

/// Takes as many as asked for.
pub(super) fn take(count: u64) -> Range<u64> {
    static NEXT_ID: AtomicU64 = AtomicU64::new(1);
    let start = NEXT_ID.fetch_add(count, Ordering::Relaxed);
    start..start + count
}

/// Those that a hub has to give.
#[derive(Default)]
pub(super) struct Ids {
    next: Cell<u64>,
    end: Cell<u64>,
}

impl Ids {
    #[inline]
    pub(super) fn next(&self) -> u64 {
        if self.next == self.end {
            let block = take(BLOCK);
            self.next.set(block.start);
            self.end.set(block.end);
        }
        let id = self.next.get();
        self.next.set(id + 1);
        id
    }
}
