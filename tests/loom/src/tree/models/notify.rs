//! Notifications: whoever waits from before the lock is let go of is told.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::check;
use crate::wait::notify::Notify;
use crate::wait::semaphore::Permits;

#[test]
pub(crate) fn a_notification_is_not_missed_between_the_look_and_the_wait() {
    check(|| {
        let shared = Arc::new((Permits::new(1), Notify::new(), AtomicBool::new(false)));
        let (mutex, notify, condition) = &*shared;
        let notifier = thread::spawn({
            let shared = shared.clone();
            move || {
                let (mutex, notify, condition) = &*shared;
                assert!(mutex.acquire(None));
                condition.store(true, Ordering::Relaxed);
                mutex.release();
                notify.one();
            }
        });
        let reacquire = |()| assert!(mutex.acquire(None));
        assert!(mutex.acquire(None));
        while !condition.load(Ordering::Relaxed) {
            notify.wait(None, (), |()| mutex.release(), reacquire);
        }
        mutex.release();
        notifier.join().unwrap();
    });
}
