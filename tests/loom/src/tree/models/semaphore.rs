//! Permits: the fast path beside the queue, and the mark that leads from one to the other.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::{caught, check, hosted, passed, throw};
use crate::wait::park;
use crate::wait::semaphore::Permits;

#[test]
pub(crate) fn one_permit_admits_one_at_a_time() {
    check(|| {
        let shared = Arc::new((Permits::new(1), AtomicUsize::new(0)));
        let visit = |(permits, visits): &(Permits, AtomicUsize)| {
            assert!(permits.acquire(None));
            visits.store(visits.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            permits.release();
        };
        let other = thread::spawn({
            let shared = shared.clone();
            move || visit(&shared)
        });
        visit(&shared);
        other.join().unwrap();
        assert_eq!(shared.1.load(Ordering::Relaxed), 2, "a visit was overlooked");
        assert_eq!(shared.0.free(), 1, "a permit was doubled");
    });
}

#[test]
pub(crate) fn a_permit_for_one_who_times_out_goes_to_the_next() {
    check(|| {
        let permits = Arc::new(Permits::new(0));
        let spawn = |f: fn(&Permits)| {
            let permits = permits.clone();
            thread::spawn(move || f(&permits))
        };
        let patient = spawn(|permits| assert!(permits.acquire(None)));
        let giver = spawn(Permits::release);
        if permits.acquire(passed()) {
            permits.release();
        }
        giver.join().unwrap();
        patient.join().unwrap();
        assert_eq!((permits.free(), permits.waiters()), (0, 0));
    });
}

#[test]
pub(crate) fn a_permit_for_one_who_is_raised_goes_to_the_next() {
    check(|| {
        let permits = Arc::new(Permits::new(0));
        hosted(|main| {
            let patient = thread::spawn({
                let permits = permits.clone();
                move || assert!(permits.acquire(None))
            });
            let giver = thread::spawn({
                let (permits, main) = (permits.clone(), main.clone());
                move || {
                    throw(&main);
                    permits.release();
                }
            });
            let acquired = caught(|| permits.acquire(None)).is_ok();
            if acquired {
                permits.release();
            }
            giver.join().unwrap();
            patient.join().unwrap();
            assert_eq!(acquired, caught(park::checkpoint).is_err(), "thrown once, raised once");
        });
        assert_eq!((permits.free(), permits.waiters()), (0, 0));
    });
}
