//! `RwLock`.

use std::sync::{Arc, TryLockError};

use super::{
    hosted,
    sync::{Barrier, RwLock, RwLockWriteGuard},
    thread,
};
use crate::support::fail;

/// A lock whose holder panicked.
fn failed(writing: bool) -> Arc<RwLock<u32>> {
    let lock = Arc::new(RwLock::new(5));
    let holds = lock.clone();
    let holder = thread::spawn(move || {
        if writing {
            let _guard = holds.write().unwrap();
            fail()
        }
        let _guard = holds.read().unwrap();
        fail()
    });
    assert!(holder.join().map(|(): ()| ()).is_err());
    lock
}

#[test]
fn readers_read_together() {
    hosted(|| {
        let (lock, all) = (Arc::new(RwLock::new(1)), Arc::new(Barrier::new(3)));
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (lock, all) = (lock.clone(), all.clone());
                thread::spawn(move || {
                    let guard = lock.read().unwrap();
                    // Nobody gets past this alone.
                    all.wait();
                    *guard
                })
            })
            .collect();
        assert_eq!(readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u32>(), 3);
    });
}

#[test]
fn a_writer_is_alone() {
    hosted(|| {
        let lock = Arc::new(RwLock::new((0, 0)));
        let writers: Vec<_> = (0..4)
            .map(|n| {
                let lock = lock.clone();
                thread::spawn(move || {
                    for _ in 0..30 {
                        if n == 0 {
                            let guard = lock.read().unwrap();
                            thread::yield_now();
                            assert_eq!(guard.0, guard.1);
                        } else {
                            let mut guard = lock.write().unwrap();
                            guard.0 += 1;
                            thread::yield_now();
                            guard.1 += 1;
                        }
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(*lock.read().unwrap(), (90, 90));
    });
}

#[test]
fn the_try_forms_do_not_wait() {
    hosted(|| {
        let lock = RwLock::new(1);
        let reading = lock.read().unwrap();
        assert_eq!(*lock.try_read().unwrap(), 1);
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop(reading);
        *lock.try_write().unwrap() = 2;
        let writing = lock.write().unwrap();
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop(writing);
        assert_eq!(lock.into_inner().unwrap(), 2);
    });
}

#[test]
fn a_writer_that_goes_on_as_a_reader_lets_readers_in_and_no_writer() {
    hosted(|| {
        let lock = Arc::new(RwLock::new(0));
        let mut writing = lock.write().unwrap();
        let reads = lock.clone();
        let reader = thread::spawn(move || *reads.read().unwrap());
        thread::yield_now();
        *writing = 1;
        let reading = RwLockWriteGuard::downgrade(writing);
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        assert_eq!((*reading, reader.join().unwrap()), (1, 1));
        drop(reading);
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn a_writer_that_panics_as_a_reader_does_not_poison() {
    hosted(|| {
        let lock = Arc::new(RwLock::new(0));
        let holds = lock.clone();
        let holder = thread::spawn(move || {
            let _reading = RwLockWriteGuard::downgrade(holds.write().unwrap());
            fail()
        });
        assert!(holder.join().map(|(): ()| ()).is_err());
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn a_panicking_writer_poisons() {
    hosted(|| {
        let lock = failed(true);
        assert!(lock.is_poisoned());
        assert_eq!(*lock.read().unwrap_err().into_inner(), 5);
        assert_eq!(*lock.write().unwrap_err().into_inner(), 5);
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
        lock.clear_poison();
        assert!(lock.read().is_ok() && lock.write().is_ok());
    });
}

#[test]
fn a_panicking_reader_does_not_poison() {
    hosted(|| {
        let lock = failed(false);
        assert!(!lock.is_poisoned());
        assert_eq!(*lock.write().unwrap(), 5);
    });
}

#[test]
fn the_owner_of_a_poisoned_one_gets_the_value_in_an_error() {
    hosted(|| {
        let mut lock = Arc::into_inner(failed(true)).unwrap();
        assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 5);
        assert_eq!(lock.into_inner().unwrap_err().into_inner(), 5);
        let mut lock = RwLock::from(6);
        *lock.get_mut().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 7);
        assert_eq!(RwLock::<u8>::default().into_inner().unwrap(), 0);
    });
}

#[test]
fn a_poisoned_one_that_is_held_is_held_first_of_all() {
    hosted(|| {
        let lock = failed(true);
        let writing = lock.write().unwrap_err().into_inner();
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop(writing);
        let reading = lock.read().unwrap_err().into_inner();
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop(reading);
    });
}

#[test]
fn a_forgotten_guard_keeps_everybody_out_but_the_owner() {
    hosted(|| {
        let mut lock = RwLock::new(5);
        std::mem::forget(lock.read().unwrap());
        assert!(lock.try_read().is_ok());
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        *lock.get_mut().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 6);
        let lock = RwLock::new(7);
        std::mem::forget(lock.write().unwrap());
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        assert_eq!(lock.into_inner().unwrap(), 7);
    });
}
