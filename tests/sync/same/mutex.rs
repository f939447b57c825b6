//! `Mutex`.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, TryLockError};

use super::{hosted, sync::Mutex, thread};
use crate::support::fail;

/// A mutex that a panicking holder poisoned.
fn poisoned(value: u32) -> Arc<Mutex<u32>> {
    let mutex = Arc::new(Mutex::new(value));
    let holder = mutex.clone();
    let result = thread::spawn(move || {
        let _guard = holder.lock().unwrap();
        fail()
    });
    assert!(result.join().map(|(): ()| ()).is_err());
    mutex
}

#[test]
fn no_increment_is_lost() {
    hosted(|| {
        let total = Arc::new(Mutex::new(0));
        let adders: Vec<_> = (0..6)
            .map(|_| {
                let total = total.clone();
                thread::spawn(move || {
                    for _ in 0..50 {
                        let mut guard = total.lock().unwrap();
                        let before = *guard;
                        thread::yield_now();
                        *guard = before + 1;
                    }
                })
            })
            .collect();
        adders.into_iter().for_each(|adder| adder.join().unwrap());
        assert_eq!(*total.lock().unwrap(), 300);
    });
}

#[test]
fn try_lock_does_not_wait() {
    hosted(|| {
        let mutex = Arc::new(Mutex::new(1));
        let guard = mutex.lock().unwrap();
        let tries = mutex.clone();
        let would_block =
            thread::spawn(move || matches!(tries.try_lock(), Err(TryLockError::WouldBlock)));
        assert!(would_block.join().unwrap());
        drop(guard);
        assert_eq!(*mutex.try_lock().unwrap(), 1);
    });
}

#[test]
fn a_panicking_holder_poisons() {
    hosted(|| {
        let mutex = poisoned(5);
        assert!(mutex.is_poisoned());
        assert_eq!(*mutex.lock().unwrap_err().into_inner(), 5);
        match mutex.try_lock() {
            Err(TryLockError::Poisoned(poisoned)) => assert_eq!(**poisoned.get_ref(), 5),
            Err(TryLockError::WouldBlock) | Ok(_) => panic!("it is poisoned and free"),
        };
        assert!(mutex.is_poisoned(), "a look does not change that");
        mutex.clear_poison();
        assert!(!mutex.is_poisoned() && mutex.lock().is_ok() && mutex.try_lock().is_ok());
    });
}

#[test]
fn the_owner_of_a_poisoned_one_gets_the_value_in_an_error() {
    hosted(|| {
        let mut mutex = Arc::into_inner(poisoned(5)).unwrap();
        assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 5);
        assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 5);
        let mut mutex = Mutex::from(6);
        *mutex.get_mut().unwrap() += 1;
        assert_eq!(mutex.into_inner().unwrap(), 7);
        assert_eq!(Mutex::<u8>::default().into_inner().unwrap(), 0);
    });
}

#[test]
fn a_waiter_behind_a_panicking_holder_gets_the_poison() {
    hosted(|| {
        let mutex = Arc::new(Mutex::new(0));
        let holder = mutex.clone();
        let guard = mutex.lock().unwrap();
        let waiter = thread::spawn(move || holder.lock().is_err());
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _guard = guard;
            thread::yield_now();
            fail()
        }));
        assert!(result.map(|(): ()| ()).is_err());
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn a_lock_taken_and_let_go_of_in_an_unwind_does_not_poison() {
    struct Locks(Arc<Mutex<u32>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
            thread::yield_now();
        }
    }
    hosted(|| {
        let mutex = Arc::new(Mutex::new(0));
        let locks = Locks(mutex.clone());
        let result = thread::spawn(move || {
            let _locks = locks;
            fail()
        });
        assert!(result.join().map(|(): ()| ()).is_err());
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
}

#[test]
fn a_caught_panic_under_the_lock_does_not_poison() {
    hosted(|| {
        let mutex = Mutex::new(0);
        let guard = mutex.lock().unwrap();
        assert!(catch_unwind(|| fail()).map(|(): ()| ()).is_err());
        drop(guard);
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn values_without_a_size_are_held() {
    hosted(|| {
        let mutex: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
        mutex.lock().unwrap()[1] = 4;
        assert_eq!(*mutex.lock().unwrap(), [1, 4, 3]);
    });
}

#[test]
fn a_poisoned_one_that_is_held_is_held_first_of_all() {
    hosted(|| {
        let mutex = poisoned(5);
        let guard = mutex.lock().unwrap_err().into_inner();
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        drop(guard);
        assert!(matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    });
}

#[test]
fn a_forgotten_guard_keeps_everybody_out_but_the_owner() {
    hosted(|| {
        let mut mutex = Mutex::new(5);
        forget(mutex.lock().unwrap());
        *mutex.get_mut().unwrap() += 1;
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!(mutex.into_inner().unwrap(), 6);
    });
}

#[test]
fn a_panic_under_a_lock_that_was_taken_in_an_unwind_does_not_poison() {
    struct Panics(Arc<Mutex<u32>>);
    impl Drop for Panics {
        fn drop(&mut self) {
            let second = catch_unwind(AssertUnwindSafe(|| {
                let _guard = self.0.lock().unwrap();
                fail()
            }));
            assert!(second.map(|(): ()| ()).is_err());
        }
    }
    hosted(|| {
        let mutex = Arc::new(Mutex::new(0));
        let panics = Panics(mutex.clone());
        let first = thread::spawn(move || {
            let _panics = panics;
            fail()
        });
        assert!(first.join().map(|(): ()| ()).is_err());
        assert!(!mutex.is_poisoned());
    });
}
