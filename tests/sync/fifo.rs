//! Waiters are served in the order of asking; nobody barges in.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::sync::mpsc::sync_channel;
use betterthreads::sync::{Condvar, Mutex, OnceLock, RwLock, RwLockWriteGuard};
use betterthreads::{Greenlet, joinall, sleep, spawn};

use crate::common::{Journal, hosted, parked, settle};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn a_mutex_goes_to_the_first_who_asked() {
    hosted(|| {
        let (mutex, journal) = (Rc::new(Mutex::new(())), Journal::default());
        let guard = mutex.lock().unwrap();
        let waiters = NAMES.map(|name| {
            let (mutex, journal) = (mutex.clone(), journal.clone());
            parked(move || {
                let _guard = mutex.lock().unwrap();
                journal.note(name);
                sleep(0);
            })
        });
        drop(guard);
        assert!(mutex.try_lock().is_err(), "it belongs to the first waiter");
        drop(mutex.lock().unwrap());
        assert_eq!(journal.take(), NAMES, "the last to ask is the last to have it");
        joinall(&waiters);
    });
}

#[test]
fn readers_that_stand_together_are_let_in_together_and_stay_behind_a_writer() {
    hosted(|| {
        let (lock, journal) = (Rc::new(RwLock::new(())), Journal::default());
        let reads = |name| {
            let (lock, journal) = (lock.clone(), journal.clone());
            parked(move || {
                let _guard = lock.read().unwrap();
                journal.note(name);
                sleep(0.001);
            })
        };
        let reading = lock.read().unwrap();
        let (writes, notes) = (lock.clone(), journal.clone());
        let writer = parked(move || {
            let _guard = writes.write().unwrap();
            notes.note("writer");
            sleep(0.001);
        });
        let readers = ["one", "other"].map(reads);
        assert!(lock.try_read().is_err(), "a writer waits");
        assert!(journal.take().is_empty());
        drop(reading);
        writer.join();
        sleep(0);
        assert_eq!(journal.take(), ["writer", "one", "other"]);
        assert!(readers.iter().all(|reader| !reader.dead()), "they read together");
        joinall(&readers);
    });
}

#[test]
fn a_downgrade_lets_in_the_readers_in_front_and_no_others() {
    hosted(|| {
        let (lock, journal) = (Rc::new(RwLock::new(())), Journal::default());
        let reads = |name| {
            let (lock, journal) = (lock.clone(), journal.clone());
            parked(move || {
                let _guard = lock.read().unwrap();
                journal.note(name);
            })
        };
        let writing = lock.write().unwrap();
        let one = reads("one");
        let (writes, notes) = (lock.clone(), journal.clone());
        let writer = parked(move || {
            let _guard = writes.write().unwrap();
            notes.note("writer");
        });
        let other = reads("other");
        let reading = RwLockWriteGuard::downgrade(writing);
        settle();
        assert_eq!(journal.take(), ["one"]);
        drop(reading);
        joinall(&[one, writer, other]);
        assert_eq!(journal.take(), ["writer", "other"]);
    });
}

#[test]
fn notifications_go_in_the_order_of_waiting() {
    hosted(|| {
        let pair = Rc::new((Mutex::new(()), Condvar::new()));
        let journal = Journal::default();
        let waiters = NAMES.map(|name| {
            let (pair, journal) = (pair.clone(), journal.clone());
            parked(move || {
                let _guard = pair.1.wait(pair.0.lock().unwrap()).unwrap();
                journal.note(name);
            })
        });
        for name in NAMES {
            pair.1.notify_one();
            settle();
            assert_eq!(journal.take(), [name]);
        }
        joinall(&waiters);
    });
}

#[test]
fn senders_send_in_the_order_of_asking() {
    hosted(|| {
        for bound in [0, 1] {
            let (sender, receiver) = sync_channel(bound);
            let senders = NAMES.map(|name| {
                let sender = sender.clone();
                spawn(move || sender.send(name).unwrap())
            });
            settle();
            assert_eq!(NAMES.map(|_| receiver.recv().unwrap()), NAMES);
            joinall(&senders);
        }
    });
}

#[test]
fn initializers_take_turns_in_the_order_of_asking() {
    hosted(|| {
        let (lock, turns) = (Rc::new(OnceLock::new()), Rc::new(Cell::new(0)));
        let tries: Vec<Greenlet<()>> = (0..4)
            .map(|n| {
                let (lock, turns) = (lock.clone(), turns.clone());
                parked(move || {
                    lock.get_or_init(|| {
                        assert_eq!(turns.replace(n + 1), n);
                        sleep(3600);
                    });
                })
            })
            .collect();
        for killed in tries {
            assert!(turns.get() > 0);
            killed.kill();
            settle();
        }
        assert_eq!(turns.get(), 4);
    });
}
