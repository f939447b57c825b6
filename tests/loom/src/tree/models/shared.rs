//! Shared and exclusive access: who leaves the queue leaves nobody behind in it.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::{check, passed};
use crate::wait::shared::{Access, Accesses};

#[test]
pub(crate) fn exclusive_access_is_exclusive() {
    check(|| {
        let shared = Arc::new((Accesses::new(), AtomicUsize::new(0)));
        let write = |(accesses, writes): &(Accesses, AtomicUsize)| {
            assert!(accesses.acquire(Access::Exclusive, None));
            writes.store(writes.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            accesses.release(Access::Exclusive);
        };
        let writer = thread::spawn({
            let shared = shared.clone();
            move || write(&shared)
        });
        assert!(shared.0.acquire(Access::Shared, None));
        let before = shared.1.load(Ordering::Relaxed);
        assert_eq!(shared.1.load(Ordering::Relaxed), before, "a write during a read");
        shared.0.release(Access::Shared);
        write(&shared);
        writer.join().unwrap();
        assert_eq!(shared.1.load(Ordering::Relaxed), 2, "a write was overlooked");
    });
}

#[test]
pub(crate) fn a_downgrade_lets_readers_in() {
    check(|| {
        let accesses = Arc::new(Accesses::new());
        assert!(accesses.acquire(Access::Exclusive, None));
        let reader = thread::spawn({
            let accesses = accesses.clone();
            move || {
                assert!(accesses.acquire(Access::Shared, None));
                accesses.release(Access::Shared);
            }
        });
        accesses.downgrade();
        assert!(!accesses.try_acquire(Access::Exclusive));
        reader.join().unwrap();
        accesses.release(Access::Shared);
        assert!(accesses.try_acquire(Access::Exclusive));
    });
}

#[test]
pub(crate) fn a_writer_that_times_out_leaves_no_reader_waiting() {
    check(|| {
        let accesses = Arc::new(Accesses::new());
        assert!(accesses.acquire(Access::Shared, None));
        let reader = thread::spawn({
            let accesses = accesses.clone();
            move || {
                assert!(accesses.acquire(Access::Shared, None));
                accesses.release(Access::Shared);
            }
        });
        let writer = thread::spawn({
            let accesses = accesses.clone();
            move || assert!(!accesses.acquire(Access::Exclusive, passed()))
        });
        // Until then the writer cannot have access, and the reader must not wait for more.
        reader.join().unwrap();
        writer.join().unwrap();
        accesses.release(Access::Shared);
        assert!(accesses.try_acquire(Access::Exclusive));
    });
}
