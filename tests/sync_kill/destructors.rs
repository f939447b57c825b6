//! Locks in destructors, during a kill: free ones, contended ones, and what they poison.

use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::{Mutex, RwLock};
use betterthreads::{sleep, spawn};

use crate::common::{Journal, caught, hosted, leak, on_drop, parked, settle};

/// An event, to be set here and waited for there.
fn gate() -> (Rc<Event>, Rc<Event>) {
    let gate = Rc::new(Event::new());
    (gate.clone(), gate)
}

/// Kills a greenlet whose destructor runs `clean_up` while `hold` has what that waits for, and lets
/// go of it a little later.
fn cleans_up<H>(hold: impl FnOnce() -> H + 'static, clean_up: impl FnOnce() + 'static)
where
    H: 'static,
{
    let journal = Journal::default();
    let noted = journal.clone();
    let target = parked(move || {
        let _clean_up = on_drop(move || {
            clean_up();
            noted.note("cleaned up");
        });
        sleep(3600);
    });
    let (go, goes) = gate();
    let holder = spawn(move || {
        let held = hold();
        goes.wait();
        drop(held);
    });
    sleep(0);
    target.kill_nowait();
    settle();
    assert!(!target.dead(), "its clean-up waits");
    assert!(journal.take().is_empty());
    go.set();
    target.join();
    assert_eq!(journal.take(), ["cleaned up"]);
    assert!(target.get().unwrap_err().is_killed());
    holder.get().unwrap();
}

#[test]
fn a_mutex_that_somebody_holds() {
    hosted(|| {
        let mutex = leak(Mutex::new(0_u32));
        cleans_up(|| mutex.lock().unwrap(), || *mutex.lock().unwrap() += 1);
        assert_eq!(*mutex.lock().unwrap(), 1, "locked in unwind, so not poisoned");
    });
}

#[test]
fn a_reader_writer_lock_that_somebody_holds() {
    hosted(|| {
        let lock = leak(RwLock::new(0_u32));
        cleans_up(|| lock.read().unwrap(), || *lock.write().unwrap() += 1);
        cleans_up(|| lock.write().unwrap(), || assert_eq!(*lock.read().unwrap(), 1));
        assert!(!lock.is_poisoned());
    });
}

#[test]
fn permits_that_somebody_has() {
    hosted(|| {
        let semaphore = Rc::new(Semaphore::new(1));
        let (holds, takes) = (semaphore.clone(), semaphore.clone());
        let hold = move || {
            holds.acquire();
            on_drop(move || holds.release())
        };
        cleans_up(hold, move || takes.with(|| sleep(0)));
        assert_eq!(semaphore.counter(), 1);
        let bounded = Rc::new(BoundedSemaphore::new(1));
        let (holds, takes) = (bounded.clone(), bounded.clone());
        let hold = move || {
            holds.acquire();
            on_drop(move || holds.release().unwrap())
        };
        cleans_up(hold, move || takes.with(|| sleep(0)));
        assert_eq!(bounded.counter(), 1);
    });
}

#[test]
fn a_reentrant_lock_that_somebody_owns() {
    hosted(|| {
        let lock = Rc::new(RLock::new());
        let (holds, takes) = (lock.clone(), lock.clone());
        let hold = move || {
            holds.acquire();
            on_drop(move || holds.release().unwrap())
        };
        cleans_up(hold, move || takes.with(|| takes.with(|| sleep(0))));
        assert!(!lock.locked());
    });
}

#[test]
fn queues_that_make_it_wait() {
    hosted(|| {
        let queue = Rc::new(Queue::bounded(1));
        queue.put(1);
        let (takes, puts) = (queue.clone(), queue.clone());
        cleans_up(move || on_drop(move || assert_eq!(takes.get(), 1)), move || puts.put(2));
        assert_eq!(queue.get(), 2);
        let channel = Rc::new(Channel::new());
        let (puts, takes) = (channel.clone(), channel);
        cleans_up(move || on_drop(move || puts.put(3)), move || assert_eq!(takes.get(), 3));
    });
}

#[test]
fn a_guard_held_by_a_killed_one_poisons_for_its_own_destructors_too() {
    hosted(|| {
        let mutex = leak(Mutex::new(0_u32));
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            let _after = on_drop(move || {
                noted.note(if mutex.lock().is_err() { "poisoned" } else { "clean" });
            });
            let _guard = mutex.lock().unwrap();
            sleep(3600);
        });
        target.kill();
        assert_eq!(journal.take(), ["poisoned"]);
    });
}

#[test]
fn an_innocent_holder_is_not_poisoned_while_another_parks_in_unwind() {
    hosted(|| {
        let (mutex, lock) = (Rc::new(Mutex::new(0)), Rc::new(RwLock::new(0)));
        let (go, goes) = gate();
        let dying = parked(move || {
            let _clean_up = on_drop(move || assert!(goes.wait()));
            sleep(3600);
        });
        dying.kill_nowait();
        sleep(0);
        let (locks, writes) = (mutex.clone(), lock.clone());
        let innocent = spawn(move || {
            for _ in 0..3 {
                let (mut one, mut other) = (locks.lock().unwrap(), writes.write().unwrap());
                sleep(0);
                (*one, *other) = (*one + 1, *other + 1);
            }
        });
        innocent.get().unwrap();
        assert!(!dying.dead(), "it was in its destructor all the time");
        go.set();
        dying.join();
        assert_eq!((*mutex.lock().unwrap(), *lock.read().unwrap()), (3, 3));
    });
}

#[test]
fn an_innocent_holder_that_locked_before_is_not_poisoned_either() {
    hosted(|| {
        let mutex = Rc::new(Mutex::new(0));
        let locks = mutex.clone();
        let innocent = parked(move || {
            let _guard = locks.lock().unwrap();
            (0..5).for_each(|_| sleep(0));
        });
        let (go, goes) = gate();
        let dying = parked(move || {
            let _clean_up = on_drop(move || assert!(goes.wait()));
            sleep(3600);
        });
        dying.kill_nowait();
        innocent.get().unwrap();
        assert!(!dying.dead());
        go.set();
        dying.join();
        assert!(!mutex.is_poisoned());
    });
}

#[test]
fn a_kill_recorded_during_a_lock_in_unwind_is_not_raised_there() {
    hosted(|| {
        let mutex = leak(Mutex::new(()));
        let journal = Journal::default();
        let held = mutex.lock().unwrap();
        let noted = journal.clone();
        let target = parked(move || {
            let _clean_up = on_drop(move || {
                let result = caught(|| drop(mutex.lock()));
                noted.note(if result.is_ok() { "locked" } else { "raised" });
            });
            sleep(3600);
        });
        target.kill_nowait();
        settle();
        target.kill_nowait();
        target.throw("more");
        settle();
        drop(held);
        target.join();
        assert_eq!(journal.take(), ["locked"]);
    });
}

#[test]
fn gevent_locks_do_not_poison() {
    hosted(|| {
        let (semaphore, lock) = (Rc::new(Semaphore::new(1)), Rc::new(RLock::new()));
        let (with, owns) = (semaphore.clone(), lock.clone());
        let killed = parked(move || with.with(|| owns.with(|| sleep(3600))));
        killed.kill();
        assert_eq!(semaphore.counter(), 1);
        assert!(!lock.locked());
        semaphore.with(|| lock.with(|| ()));
    });
}
