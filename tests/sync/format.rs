//! `Debug` and `Display` look like std's.

use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use betterthreads::{sleep, spawn, sync as ours};

use crate::common::{hosted, parked};

/// Both forms of `Debug`.
fn shown(value: &dyn Debug) -> [String; 2] {
    [format!("{value:?}"), format!("{value:#?}")]
}

/// Shows everything there is, on the given module.
macro_rules! show_all {
    ($sync:path) => {{
        use $sync as sync;
        let mut all = Vec::new();
        let mutex = sync::Mutex::new("value");
        all.push(shown(&mutex));
        let guard = mutex.lock().unwrap();
        all.extend([shown(&guard), shown(&mutex), [format!("{guard}"), String::new()]]);
        drop(guard);
        let poisoned = catch_unwind(AssertUnwindSafe(|| {
            let _guard = mutex.lock().unwrap();
            resume_unwind(Box::new(()))
        }));
        assert!(poisoned.map(|(): ()| ()).is_err());
        all.extend([shown(&mutex), shown(&mutex.lock()), shown(&mutex.try_lock())]);
        let lock = sync::RwLock::new("value");
        all.push(shown(&lock));
        let reading = lock.read().unwrap();
        all.extend([shown(&reading), shown(&lock), [format!("{reading}"), String::new()]]);
        all.push(shown(&lock.try_write()));
        drop(reading);
        let writing = lock.write().unwrap();
        all.extend([shown(&writing), shown(&lock), [format!("{writing}"), String::new()]]);
        drop(writing);
        all.extend([shown(&sync::Condvar::new()), shown(&sync::Barrier::new(2))]);
        all.push(shown(&sync::Barrier::new(1).wait()));
        let guard = sync::Mutex::new(());
        let limit = std::time::Duration::ZERO;
        let end = sync::Condvar::new().wait_timeout(guard.lock().unwrap(), limit).unwrap().1;
        all.push(shown(&end));
        let once = sync::Once::new();
        once.call_once_force(|state| all.push(shown(state)));
        all.push(shown(&once));
        let once = sync::OnceLock::new();
        all.push(shown(&once));
        once.set(5).unwrap();
        all.push(shown(&once));
        let lazy = sync::LazyLock::<u8>::new(|| 5);
        all.push(shown(&lazy));
        assert_eq!(*lazy, 5);
        all.push(shown(&lazy));
        let (sender, receiver) = sync::mpsc::channel::<u8>();
        all.extend([shown(&sender), shown(&receiver), shown(&receiver.iter())]);
        all.extend([shown(&receiver.try_iter()), shown(&receiver.into_iter())]);
        all.push(shown(&sync::mpsc::sync_channel::<u8>(1).0));
        all
    }};
}

#[test]
fn everything_is_shown_as_in_std() {
    let expected = show_all!(std::sync);
    let found = hosted(|| spawn(|| show_all!(betterthreads::sync)).get().unwrap());
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(expected, found);
    }
}

/// Takes its time to be shown.
struct Slow;

impl Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        sleep(0.002);
        f.write_str("Slow")
    }
}

#[test]
fn a_mutex_that_is_being_shown_makes_others_wait_without_stopping_the_hub() {
    hosted(|| {
        let mutex = Rc::new(ours::Mutex::new(Slow));
        let shows = mutex.clone();
        let showing = parked(move || format!("{shows:?}"));
        drop(mutex.lock().unwrap());
        assert!(showing.get().unwrap().contains("Slow"));
    });
}

#[test]
fn a_reader_writer_lock_that_is_being_shown_makes_others_wait_without_stopping_the_hub() {
    hosted(|| {
        let lock = Rc::new(ours::RwLock::new(Slow));
        let shows = lock.clone();
        let showing = parked(move || format!("{shows:?}"));
        drop(lock.write().unwrap());
        assert!(showing.get().unwrap().contains("Slow"));
    });
}
