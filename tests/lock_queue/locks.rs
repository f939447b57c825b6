//! `gevent.lock`.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread as os;

use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::{joinall, run, sleep, spawn};

use crate::common::{Journal, caught, hosted, parked, settle};

#[test]
fn a_semaphore_counts() {
    hosted(|| {
        let semaphore = Semaphore::new(2);
        assert!(semaphore.ready() && !semaphore.locked());
        semaphore.acquire();
        assert!(semaphore.acquire_nowait());
        assert!(semaphore.locked() && !semaphore.ready());
        assert!(!semaphore.acquire_nowait());
        assert!(!semaphore.acquire_timeout(0));
        assert!(!semaphore.acquire_timeout(0.001));
        semaphore.release();
        assert!(semaphore.acquire_timeout(0));
        (0..3).for_each(|_| semaphore.release());
        assert_eq!(semaphore.counter(), 3, "it has no bound");
        assert_eq!(format!("{semaphore:?}"), "<Semaphore counter=3 links[0]>");
        assert_eq!(Semaphore::default().counter(), 1);
    });
}

#[test]
fn permits_go_in_the_order_of_asking() {
    hosted(|| {
        let (semaphore, journal) = (Rc::new(Semaphore::new(0)), Journal::default());
        let waiters = ["a", "b", "c", "d"].map(|name| {
            let (semaphore, journal) = (semaphore.clone(), journal.clone());
            parked(move || {
                semaphore.acquire();
                journal.note(name);
            })
        });
        assert_eq!(semaphore.linkcount(), 4);
        (0..4).for_each(|_| semaphore.release());
        assert_eq!((semaphore.counter(), semaphore.linkcount()), (0, 0), "all are handed over");
        assert!(!semaphore.acquire_nowait());
        joinall(&waiters);
        assert_eq!(journal.take(), ["a", "b", "c", "d"]);
    });
}

#[test]
fn with_gives_the_permit_back_however_it_ends() {
    hosted(|| {
        let (one, other) = (Rc::new(Semaphore::new(1)), Rc::new(BoundedSemaphore::new(1)));
        assert_eq!(one.with(|| other.with(|| 5)), 5);
        let failed = caught(|| one.with(|| other.with(|| std::panic::resume_unwind(Box::new(1)))));
        assert!(failed.map(|(): ()| ()).is_err());
        let (holds, holds_too) = (one.clone(), other.clone());
        parked(move || holds.with(|| holds_too.with(|| sleep(3600)))).kill();
        assert_eq!((one.counter(), other.counter()), (1, 1));
    });
}

#[test]
fn a_killed_holder_without_a_guard_keeps_its_permit() {
    hosted(|| {
        let semaphore = Rc::new(Semaphore::new(1));
        let holds = semaphore.clone();
        parked(move || {
            holds.acquire();
            sleep(3600);
        })
        .kill();
        assert_eq!(semaphore.counter(), 0);
    });
}

#[test]
fn a_bounded_semaphore_is_not_released_too_often() {
    hosted(|| {
        let semaphore = BoundedSemaphore::new(2);
        let text = semaphore.release().unwrap_err().to_string();
        assert_eq!(text, "Semaphore released too many times");
        semaphore.acquire();
        semaphore.release().unwrap();
        assert!(semaphore.release().is_err());
        assert_eq!(semaphore.counter(), 2);
        assert!(semaphore.acquire_timeout(0.001) && semaphore.acquire_nowait());
        assert!(semaphore.locked() && !semaphore.acquire_timeout(0.001));
        semaphore.release().unwrap();
        semaphore.release().unwrap();
        assert!(semaphore.release().is_err());
    });
}

#[test]
fn a_bounded_semaphore_counts_a_permit_on_its_way_once() {
    hosted(|| {
        let semaphore = Rc::new(BoundedSemaphore::new(1));
        semaphore.acquire();
        let waits = semaphore.clone();
        let waiter = parked(move || waits.acquire());
        semaphore.release().unwrap();
        assert!(semaphore.release().is_err(), "the permit is on its way to the waiter");
        assert_eq!(semaphore.counter(), 0);
        waiter.get().unwrap();
        semaphore.release().unwrap();
        assert!(semaphore.release().is_err());
        assert_eq!(semaphore.counter(), 1);
    });
}

#[test]
fn a_reentrant_lock_is_the_greenlets_own() {
    hosted(|| {
        let (lock, journal) = (Rc::new(RLock::new()), Journal::default());
        lock.acquire();
        lock.acquire();
        assert!(lock.acquire_nowait() && lock.acquire_timeout(0));
        let (other, notes) = (lock.clone(), journal.clone());
        let waiter = parked(move || {
            assert!(!other.acquire_nowait() && !other.acquire_timeout(0.001));
            let text = other.release().unwrap_err().to_string();
            assert_eq!(text, "cannot release un-acquired lock");
            other.acquire();
            notes.note("waiter");
            other.release().unwrap();
        });
        settle();
        for _ in 0..3 {
            lock.release().unwrap();
            settle();
            assert!(lock.locked());
        }
        assert!(journal.take().is_empty());
        lock.release().unwrap();
        assert!(lock.release().is_err());
        waiter.get().unwrap();
        assert_eq!(journal.take(), ["waiter"]);
        assert!(!lock.locked());
    });
}

#[test]
fn taking_a_reentrant_lock_again_is_a_yield_point_too() {
    hosted(|| {
        let (lock, journal) = (Rc::new(RLock::new()), Journal::default());
        let (own, notes) = (lock.clone(), journal.clone());
        let greenlet = spawn(move || {
            own.with(|| {
                betterthreads::getcurrent().kill_nowait();
                own.acquire();
                notes.note("went on");
            });
        });
        greenlet.join();
        assert!(journal.take().is_empty());
        assert!(!lock.locked());
    });
}

#[test]
fn an_attempt_at_a_lock_of_ones_own_is_no_yield_point() {
    hosted(|| {
        let (lock, journal) = (Rc::new(RLock::new()), Journal::default());
        let (own, notes) = (lock.clone(), journal.clone());
        let greenlet = spawn(move || {
            betterthreads::getcurrent().kill_nowait();
            assert!(own.acquire_nowait() && own.acquire_nowait());
            notes.note("has it twice");
            own.release().unwrap();
            own.release().unwrap();
        });
        greenlet.join();
        assert_eq!(journal.take(), ["has it twice"]);
        assert!(!lock.locked());
    });
}

/// 3 OS threads, with and without hubs, take turns at `work`.
fn duel(work: impl Fn() + Send + Sync) {
    os::scope(|scope| {
        let work = &work;
        scope.spawn(move || (0..2000).for_each(|_| work()));
        scope.spawn(move || run(|| (0..2000).for_each(|_| work())));
        scope.spawn(|| {
            run(|| {
                betterthreads::thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| (0..500).for_each(|_| work()));
                    }
                });
            });
        });
    });
}

#[test]
fn duelling_threads_lose_no_permit() {
    let (semaphore, inside) = (Semaphore::new(1), AtomicUsize::new(0));
    duel(|| {
        while !semaphore.acquire_timeout(0.01) {}
        assert_eq!(inside.fetch_add(1, SeqCst), 0);
        inside.fetch_sub(1, SeqCst);
        semaphore.release();
    });
    assert_eq!((semaphore.counter(), semaphore.linkcount()), (1, 0));
}

#[test]
fn duelling_threads_release_no_bounded_permit_too_often() {
    let semaphore = BoundedSemaphore::new(2);
    duel(|| {
        semaphore.acquire();
        semaphore.release().unwrap();
    });
    assert_eq!(semaphore.counter(), 2);
    assert!(semaphore.release().is_err());
}

#[test]
fn duelling_threads_and_greenlets_share_a_reentrant_lock() {
    let (lock, inside) = (RLock::new(), AtomicUsize::new(0));
    duel(|| {
        lock.with(|| {
            lock.with(|| {
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                inside.fetch_sub(1, SeqCst);
            });
        });
    });
    assert!(!lock.locked());
}

#[test]
fn a_greenlet_waits_for_a_permit_from_another_thread() {
    hosted(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let waits = semaphore.clone();
        let waiter = spawn(move || waits.acquire());
        let releaser = os::spawn(move || {
            while semaphore.linkcount() == 0 {
                os::yield_now();
            }
            semaphore.release();
        });
        waiter.get().unwrap();
        releaser.join().unwrap();
    });
}
