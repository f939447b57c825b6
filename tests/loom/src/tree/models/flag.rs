//! The flag of an event.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{check, passed};
use crate::wait::flag::Flag;

#[test]
pub(crate) fn what_was_written_before_a_flag_was_set_is_seen_with_it() {
    check(|| {
        let shared = Arc::new((Flag::new(), AtomicBool::new(false)));
        let setter = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(true, Ordering::Relaxed);
                shared.0.set();
            }
        });
        if shared.0.is_set() {
            assert!(shared.1.load(Ordering::Relaxed), "the flag brought no order");
        }
        setter.join().unwrap();
    });
}

#[test]
pub(crate) fn everyone_who_waits_for_a_flag_sees_it_set_and_what_was_written_before() {
    check(|| {
        let shared = Arc::new((Flag::new(), AtomicBool::new(false)));
        let waiters = [(), ()].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || {
                assert!(shared.0.wait(None));
                assert!(shared.1.load(Ordering::Relaxed), "the flag brought no order");
            })
        });
        shared.1.store(true, Ordering::Relaxed);
        shared.0.set();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
pub(crate) fn a_flag_that_is_cleared_at_once_releases_who_waited() {
    check(|| {
        let flag = Arc::new(Flag::new());
        let waiter = thread::spawn({
            let flag = flag.clone();
            move || assert!(flag.wait(None))
        });
        let is_waited_for = flag.waiters() > 0;
        flag.set();
        if is_waited_for {
            flag.clear();
        }
        waiter.join().unwrap();
    });
}

#[test]
pub(crate) fn a_flag_that_was_cleared_lets_nobody_through() {
    check(|| {
        let flag = Arc::new(Flag::new());
        let setter = thread::spawn({
            let flag = flag.clone();
            move || flag.set()
        });
        if flag.is_set() {
            flag.clear();
            assert!(!flag.wait(passed()), "released by what was cleared before");
        }
        setter.join().unwrap();
    });
}
