//! `Once`, `OnceLock`, `LazyLock`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use super::{
    hosted,
    sync::{self, LazyLock, Once, OnceLock},
    thread,
};
use crate::support::fail;

fn fails(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

#[test]
fn it_is_done_once_and_done_when_the_call_returns() {
    hosted(|| {
        let (once, runs) = (Arc::new(Once::new()), Arc::new(AtomicUsize::new(0)));
        let callers: Vec<_> = (0..5)
            .map(|_| {
                let (once, runs) = (once.clone(), runs.clone());
                thread::spawn(move || {
                    once.call_once(|| {
                        thread::yield_now();
                        runs.fetch_add(1, SeqCst);
                    });
                    assert!(once.is_completed());
                    runs.load(SeqCst)
                })
            })
            .collect();
        assert!(callers.into_iter().all(|caller| caller.join().unwrap() == 1));
        once.wait();
        once.wait_force();
        once.call_once_force(|_| unreachable!("it is done"));
    });
}

#[test]
fn an_unwinding_initializer_poisons_a_once() {
    hosted(|| {
        let once = Once::new();
        assert!(fails(|| once.call_once(|| fail())));
        assert!(!once.is_completed());
        assert!(fails(|| once.call_once(|| ())));
        assert!(fails(|| once.wait()));
        once.call_once_force(|state| assert!(state.is_poisoned()));
        assert!(once.is_completed());
        once.call_once(|| unreachable!("it is done"));
        let fresh = Once::new();
        fresh.call_once_force(|state| assert!(!state.is_poisoned()));
    });
}

#[test]
fn a_forced_initializer_that_unwinds_leaves_the_poison() {
    hosted(|| {
        let once = Once::new();
        assert!(fails(|| once.call_once_force(|_| fail())));
        assert!(fails(|| once.call_once_force(|state| {
            assert!(state.is_poisoned());
            fail()
        })));
        assert!(fails(|| once.call_once(|| ())));
    });
}

#[test]
fn a_wait_ends_when_it_is_done() {
    hosted(|| {
        let once = Arc::new(Once::new());
        let waiters: Vec<_> = [false, true, true]
            .into_iter()
            .map(|force| {
                let once = once.clone();
                thread::spawn(move || if force { once.wait_force() } else { once.wait() })
            })
            .collect();
        thread::yield_now();
        once.call_once(thread::yield_now);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn a_wait_during_a_forced_repair_sees_it_through() {
    hosted(|| {
        let once = Arc::new(Once::new());
        assert!(fails(|| once.call_once(|| fail())));
        let (begun, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (repairs, begins, goes) = (once.clone(), begun.clone(), go.clone());
        let repairer = thread::spawn(move || {
            repairs.call_once_force(|_| {
                begins.store(true, SeqCst);
                while !goes.load(SeqCst) {
                    thread::yield_now();
                }
            });
        });
        while !begun.load(SeqCst) {
            thread::yield_now();
        }
        let waiter = thread::spawn(move || once.wait());
        (0..5).for_each(|_| thread::yield_now());
        go.store(true, SeqCst);
        repairer.join().unwrap();
        waiter.join().unwrap();
    });
}

#[test]
fn a_once_lock_is_set_once() {
    hosted(|| {
        let lock = Arc::new(OnceLock::new());
        assert_eq!(lock.get(), None);
        let setters: Vec<_> = (0..5)
            .map(|n| {
                let lock = lock.clone();
                thread::spawn(move || {
                    let value = *lock.get_or_init(|| {
                        thread::yield_now();
                        n
                    });
                    (value, lock.set(9))
                })
            })
            .collect();
        let waits = lock.clone();
        let waiter = thread::spawn(move || *waits.wait());
        let first = waiter.join().unwrap();
        for setter in setters {
            assert_eq!(setter.join().unwrap(), (first, Err(9)));
        }
    });
}

#[test]
fn a_once_lock_is_empty_after_an_initializer_that_unwinds() {
    hosted(|| {
        let lock = OnceLock::new();
        assert!(fails(|| {
            lock.get_or_init(|| fail());
        }));
        assert_eq!(lock.get(), None);
        assert_eq!(*lock.get_or_init(|| 5), 5);
    });
}

#[test]
fn the_owner_of_a_once_lock_may_change_it() {
    hosted(|| {
        let mut lock = OnceLock::from(1);
        *lock.get_mut().unwrap() += 1;
        assert_eq!(lock.clone(), lock);
        assert_eq!((lock.take(), lock.take()), (Some(2), None));
        assert_eq!(lock, OnceLock::default());
        assert_eq!(lock.set(3), Ok(()));
        assert_ne!(lock, OnceLock::new());
        assert_eq!((*lock.wait(), lock.into_inner()), (3, Some(3)));
    });
}

#[test]
fn a_lazy_value_is_made_once_on_first_use() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    hosted(|| {
        RUNS.store(0, SeqCst);
        let lazy: Arc<LazyLock<usize>> = Arc::new(LazyLock::new(|| {
            thread::yield_now();
            RUNS.fetch_add(1, SeqCst) + 1
        }));
        let users: Vec<_> = (0..5)
            .map(|_| {
                let lazy = lazy.clone();
                thread::spawn(move || **lazy)
            })
            .collect();
        assert!(users.into_iter().all(|user| user.join().unwrap() == 1));
        assert_eq!(*LazyLock::force(&lazy), 1);
        assert_eq!(*LazyLock::<Vec<u8>>::default(), []);
    });
}

#[test]
fn the_owner_of_a_lazy_value_may_change_it() {
    hosted(|| {
        let mut lazy = LazyLock::<u32>::new(|| 1);
        assert_eq!(LazyLock::get(&lazy), None);
        assert_eq!(LazyLock::get_mut(&mut lazy), None);
        *LazyLock::force_mut(&mut lazy) += 1;
        *lazy += 1;
        *LazyLock::get_mut(&mut lazy).unwrap() += 1;
        assert_eq!(LazyLock::get(&lazy), Some(&4));
        let mut untouched = LazyLock::<u32>::new(|| 5);
        *untouched += 1;
        assert_eq!(*untouched, 6);
    });
}

#[test]
fn an_unwinding_initializer_poisons_a_lazy_value() {
    hosted(|| {
        let mut lazy = LazyLock::<u32, _>::new(|| fail());
        assert!(fails(|| {
            LazyLock::force(&lazy);
        }));
        assert!(fails(|| {
            LazyLock::force(&lazy);
        }));
        assert_eq!(LazyLock::get(&lazy), None);
        assert_eq!(LazyLock::get_mut(&mut lazy), None);
        assert!(fails(|| {
            LazyLock::force_mut(&mut lazy);
        }));
    });
}

#[test]
fn nothing_is_there_while_it_is_being_made() {
    hosted(|| {
        let once = Once::new();
        once.call_once(|| assert!(!once.is_completed()));
        let lock = Arc::new(OnceLock::new());
        let value = *lock.get_or_init(|| {
            assert_eq!(lock.get(), None);
            let looks = lock.clone();
            // Who looks does not wait.
            assert_eq!(thread::spawn(move || looks.get().copied()).join().unwrap(), None);
            let sets = lock.clone();
            let setter = thread::spawn(move || sets.set(2));
            (0..5).for_each(|_| thread::yield_now());
            drop(setter);
            1
        });
        assert_eq!((value, lock.set(3)), (1, Err(3)));
    });
}

#[test]
fn a_forced_wait_outlasts_poison() {
    hosted(|| {
        let once = Arc::new(Once::new());
        assert!(fails(|| once.call_once(|| fail())));
        let done = Arc::new(AtomicBool::new(false));
        let (waits, seen) = (once.clone(), done.clone());
        let waiter = thread::spawn(move || {
            waits.wait_force();
            seen.load(SeqCst)
        });
        (0..5).for_each(|_| thread::yield_now());
        once.call_once_force(|_| done.store(true, SeqCst));
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn values_of_the_whole_program_need_no_making() {
    static ONCE: Once = Once::new();
    static LOCK: OnceLock<u32> = OnceLock::new();
    static LAZY: LazyLock<String> = LazyLock::new(|| String::from("made"));
    static OTHERS: (sync::Mutex<u32>, sync::RwLock<u32>, sync::Condvar, sync::Barrier) =
        (sync::Mutex::new(1), sync::RwLock::new(2), sync::Condvar::new(), sync::Barrier::new(1));
    hosted(|| {
        ONCE.call_once(|| ());
        assert_eq!((*LOCK.get_or_init(|| 5), LAZY.as_str()), (5, "made"));
        assert_eq!((*OTHERS.0.lock().unwrap(), *OTHERS.1.read().unwrap()), (1, 2));
        OTHERS.2.notify_all();
        assert!(OTHERS.3.wait().is_leader());
    });
}
