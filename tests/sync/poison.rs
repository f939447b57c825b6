//! Kills poison as panics do: whoever unwinds while it holds, and nobody else.

use std::rc::Rc;
use std::sync::TryLockError;

use betterthreads::sync::{Mutex, RwLock};
use betterthreads::{shield, sleep};

use crate::common::{hosted, on_drop, parked};

#[test]
fn a_killed_holder_poisons() {
    hosted(|| {
        let (mutex, lock) = (Rc::new(Mutex::new(0)), Rc::new(RwLock::new(0)));
        let (locks, writes) = (mutex.clone(), lock.clone());
        parked(move || {
            let _guards = (locks.lock().unwrap(), writes.write().unwrap());
            sleep(3600);
        })
        .kill();
        assert!(mutex.is_poisoned() && lock.is_poisoned());
        assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
        mutex.clear_poison();
        lock.clear_poison();
        assert!(mutex.lock().is_ok() && lock.read().is_ok());
    });
}

#[test]
fn a_thrown_exception_and_a_time_out_poison_too() {
    hosted(|| {
        let mutex = Rc::new(Mutex::new(0));
        let locks = mutex.clone();
        let thrown = parked(move || {
            let _guard = locks.lock().unwrap();
            sleep(3600);
        });
        thrown.throw("thrown");
        thrown.join();
        assert!(mutex.is_poisoned());
        mutex.clear_poison();
        let result = betterthreads::with_timeout(0.001, || {
            let _guard = mutex.lock().unwrap();
            sleep(3600);
        });
        assert!(result.is_err() && mutex.is_poisoned());
    });
}

#[test]
fn a_killed_reader_does_not_poison() {
    hosted(|| {
        let lock = Rc::new(RwLock::new(0));
        let reads = lock.clone();
        parked(move || {
            let _guard = reads.read().unwrap();
            sleep(3600);
        })
        .kill();
        assert!(!lock.is_poisoned());
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn a_shielded_holder_does_not_poison() {
    hosted(|| {
        let mutex = Rc::new(Mutex::new(0));
        let locks = mutex.clone();
        let killed = parked(move || {
            shield(|| {
                let mut guard = locks.lock().unwrap();
                sleep(0.001);
                *guard += 1;
            });
            sleep(3600);
        });
        killed.kill();
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
}

#[test]
fn a_guard_taken_by_a_destructor_and_kept_over_a_wait_does_not_poison() {
    hosted(|| {
        let (mutex, lock) = (Rc::new(Mutex::new(0)), Rc::new(RwLock::new(0)));
        let (locks, writes) = (mutex.clone(), lock.clone());
        parked(move || {
            let _clean_up = on_drop(move || {
                let mut guards = (locks.lock().unwrap(), writes.write().unwrap());
                sleep(0.001);
                (*guards.0, *guards.1) = (1, 1);
            });
            sleep(3600);
        })
        .kill();
        assert_eq!((*mutex.lock().unwrap(), *lock.read().unwrap()), (1, 1));
    });
}

#[test]
fn a_waiter_gets_the_poison_of_the_killed_holder_before_it() {
    hosted(|| {
        let mutex = Rc::new(Mutex::new(0));
        let (holds, waits) = (mutex.clone(), mutex.clone());
        let holder = parked(move || {
            let _guard = holds.lock().unwrap();
            sleep(3600);
        });
        let waiter = parked(move || waits.lock().is_err());
        holder.kill_nowait();
        assert!(waiter.get().unwrap());
    });
}
