//! Condition variables and barriers: a notification that its waiter did not use goes on.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::sync::{Barrier, Condvar, Mutex, RwLock};
use betterthreads::{Greenlet, killall, sleep, spawn, thread, with_timeout};

use crate::common::{Journal, caught, hosted, on_drop, parked, settle};

#[derive(Clone, Default)]
struct Pair(Rc<(Mutex<u32>, Condvar)>);

impl Pair {
    /// Waits once for a notification and notes `what`.
    fn waiter(&self, journal: &Journal, what: &'static str) -> Greenlet<()> {
        let (pair, journal) = (self.clone(), journal.clone());
        parked(move || {
            let guard = pair.0.1.wait(pair.0.0.lock().unwrap()).unwrap();
            journal.note(what);
            drop(guard);
        })
    }
}

#[test]
fn a_killed_waiter_takes_no_notification() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let (first, second) = (pair.waiter(&journal, "first"), pair.waiter(&journal, "second"));
        first.kill_nowait();
        pair.0.1.notify_one();
        second.join();
        assert_eq!(journal.take(), ["second"]);
        assert!(first.dead());
        assert!(!pair.0.0.is_poisoned());
    });
}

#[test]
fn a_waiter_killed_after_the_notification_passes_it_on() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let (first, second) = (pair.waiter(&journal, "first"), pair.waiter(&journal, "second"));
        pair.0.1.notify_one();
        first.kill_nowait();
        second.join();
        assert!(first.dead());
        assert_eq!(journal.take(), ["second"]);
        assert!(pair.0.0.try_lock().is_ok());
    });
}

#[test]
fn a_waiter_interrupted_while_it_locks_again_passes_the_notification_on() {
    for kill in [true, false] {
        hosted(move || {
            let (pair, journal) = (Pair::default(), Journal::default());
            let (first, second) = (pair.waiter(&journal, "first"), pair.waiter(&journal, "second"));
            let guard = pair.0.0.lock().unwrap();
            pair.0.1.notify_one();
            settle(); // It was notified and waits for the mutex.
            if kill {
                first.kill_nowait();
            } else {
                first.throw("thrown");
            }
            first.join();
            settle();
            assert!(!second.dead(), "the mutex is held");
            drop(guard);
            second.join();
            assert_eq!(journal.take(), ["second"]);
        });
    }
}

#[test]
fn a_waiter_out_of_time_while_it_locks_again_passes_the_notification_on() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let own = pair.clone();
        let first = parked(move || {
            with_timeout(0.005, || drop(own.0.1.wait(own.0.0.lock().unwrap()))).is_err()
        });
        let second = pair.waiter(&journal, "second");
        let guard = pair.0.0.lock().unwrap();
        pair.0.1.notify_one();
        assert!(first.get().unwrap());
        drop(guard);
        second.join();
        assert_eq!(journal.take(), ["second"]);
    });
}

#[test]
fn a_chain_of_kills_passes_the_notification_to_the_last() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let waiters: Vec<_> = (0..10).map(|_| pair.waiter(&journal, "killed")).collect();
        let last = pair.waiter(&journal, "last");
        pair.0.1.notify_one();
        waiters.iter().for_each(Greenlet::kill_nowait);
        last.join();
        assert_eq!(journal.take(), ["last"]);
        assert!(waiters.iter().all(Greenlet::dead));
    });
}

#[test]
fn a_limited_wait_takes_no_notification_once_it_is_over() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let second = {
            let (result, own) = (journal.clone(), pair.clone());
            let first = parked(move || {
                let guard = own.0.0.lock().unwrap();
                let (_guard, end) = own.0.1.wait_timeout(guard, Duration::from_millis(1)).unwrap();
                result.note(if end.timed_out() { "timed out" } else { "notified" });
            });
            let second = pair.waiter(&journal, "second");
            std::thread::sleep(Duration::from_millis(3)); // real time: the deadline passes
            let guard = pair.0.0.lock().unwrap();
            settle(); // The time is up and the first waits for the mutex.
            pair.0.1.notify_one();
            drop(guard);
            first.join();
            second
        };
        second.join();
        assert_eq!(journal.take(), ["timed out", "second"]);
    });
}

#[test]
fn a_kill_in_a_wait_poisons_nothing_and_one_outside_does() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        pair.waiter(&journal, "first").kill();
        assert!(!pair.0.0.is_poisoned());
        let holds = pair.clone();
        let holder = parked(move || {
            let _guard = holds.0.0.lock().unwrap();
            sleep(3600);
        });
        holder.kill();
        assert!(pair.0.0.is_poisoned());
        let woken = {
            let pair = pair.clone();
            parked(move || pair.0.1.wait(pair.0.0.lock().unwrap_err().into_inner()).is_err())
        };
        pair.0.1.notify_one();
        assert!(woken.get().unwrap(), "the wait tells of the poison");
    });
}

#[test]
fn notify_all_reaches_everyone_but_the_killed() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let waiters = ["a", "b", "c", "d"].map(|name| pair.waiter(&journal, name));
        waiters[1].kill_nowait();
        pair.0.1.notify_all();
        waiters[2].kill_nowait();
        settle();
        assert!(waiters.iter().all(Greenlet::dead));
        assert_eq!(journal.take(), ["a", "d"]);
    });
}

fn arrives(barrier: &Rc<Barrier>) -> Greenlet<bool> {
    let barrier = barrier.clone();
    parked(move || barrier.wait().is_leader())
}

#[test]
fn one_killed_at_a_barrier_has_not_arrived() {
    hosted(|| {
        let barrier = Rc::new(Barrier::new(3));
        let (killed, first) = (arrives(&barrier), arrives(&barrier));
        killed.kill();
        let second = arrives(&barrier);
        assert!(!first.dead() && !second.dead());
        assert!(barrier.wait().is_leader());
        assert_eq!([first.get().unwrap(), second.get().unwrap()], [false, false]);
    });
}

#[test]
fn one_killed_after_the_last_arrival_disturbs_neither_this_round_nor_the_next() {
    hosted(|| {
        let barrier = Rc::new(Barrier::new(3));
        let (killed, first) = (arrives(&barrier), arrives(&barrier));
        assert!(barrier.wait().is_leader());
        killed.kill_nowait();
        assert!(!first.get().unwrap());
        killed.join();
        let others = [arrives(&barrier), arrives(&barrier)];
        assert!(others.iter().all(|other| !other.dead()), "two of three have arrived");
        assert!(barrier.wait().is_leader());
        assert!(others.iter().all(|other| !other.get().unwrap()));
    });
}

#[test]
fn nobody_passes_a_barrier_with_one_who_did_not() {
    hosted(|| {
        let (barrier, passed) = (Rc::new(Barrier::new(2)), Rc::new(Cell::new(false)));
        let (waits, notes) = (barrier.clone(), passed.clone());
        let killed = parked(move || {
            waits.wait();
            notes.set(true);
            sleep(3600);
        });
        killed.kill_nowait();
        // It has not run since.
        let met = with_timeout(0.01, || barrier.wait());
        killed.join();
        assert_eq!(passed.get(), met.is_ok());
    });
}

#[test]
fn a_kill_and_the_last_arrival_in_one_turn_leave_the_round_incomplete() {
    hosted(|| {
        let barrier = Rc::new(Barrier::new(2));
        let killed = arrives(&barrier);
        killed.kill_nowait();
        // The killed one has not run since: its arrival still counts, or it does not; either way
        // the barrier works afterwards.
        let comes = barrier.clone();
        let other = spawn(move || comes.wait().is_leader());
        killed.join();
        settle();
        if !other.dead() {
            barrier.wait();
        }
        other.join();
        let pair = [arrives(&barrier), {
            let barrier = barrier.clone();
            spawn(move || barrier.wait().is_leader())
        }];
        assert_eq!(pair.iter().filter(|one| one.get().unwrap()).count(), 1);
    });
}

#[test]
fn a_killed_writer_lets_the_readers_behind_it_in() {
    hosted(|| {
        let lock = Rc::new(RwLock::new(()));
        let reading = lock.read().unwrap();
        let (writes, reads) = (lock.clone(), lock.clone());
        let writer = parked(move || drop(writes.write()));
        let reader = parked(move || drop(reads.read().unwrap()));
        assert!(!reader.dead(), "it stands behind the writer");
        writer.kill_nowait();
        reader.join();
        assert!(writer.dead());
        drop(reading);
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn readers_granted_together_and_killed_let_the_writer_in() {
    hosted(|| {
        let lock = Rc::new(RwLock::new(0));
        let writing = lock.write().unwrap();
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let lock = lock.clone();
                parked(move || {
                    let _guard = lock.read().unwrap();
                    sleep(3600);
                })
            })
            .collect();
        let writes = lock.clone();
        let writer = parked(move || *writes.write().unwrap() += 1);
        drop(writing);
        readers[1].kill_nowait();
        settle();
        assert!(readers[1].dead() && !writer.dead());
        killall(&readers);
        writer.get().unwrap();
        assert_eq!(*lock.read().unwrap(), 1, "readers do not poison");
    });
}

#[test]
fn a_wait_in_a_destructor_is_notified_as_usual() {
    hosted(|| {
        let (pair, journal) = (Pair::default(), Journal::default());
        let (own, notes) = (pair.clone(), journal.clone());
        let target = spawn(move || {
            let _clean_up = on_drop(move || {
                let guard = own.0.0.lock().unwrap();
                let guard = own.0.1.wait_while(guard, |ready| *ready == 0).unwrap();
                notes.note(if thread::panicking() { "in unwind" } else { "not in unwind" });
                drop(guard);
            });
            sleep(3600);
        });
        sleep(0);
        target.kill_nowait();
        settle();
        *pair.0.0.lock().unwrap() = 1;
        pair.0.1.notify_one();
        target.join();
        assert_eq!(journal.take(), ["in unwind"]);
        assert!(!pair.0.0.is_poisoned());
        assert!(caught(|| drop(pair.0.0.lock().unwrap())).is_ok());
    });
}
