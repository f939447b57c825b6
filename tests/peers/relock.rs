//! A condition variable's waiter is killed while it takes the mutex again: the mutex is whole, and
//! the notification is used or passed on, never lost.

use std::sync::Arc;
use std::sync::mpsc::channel;

use betterthreads::sync::{Condvar, Mutex};
use betterthreads::{Greenlet, sleep};

use crate::common::{Journal, hosted, meanwhile, parked, settle};
use crate::until;

/// Two halves that are equal whenever nobody holds the mutex, and notifications of their changes.
#[derive(Default)]
struct Halves {
    mutex: Mutex<[u32; 2]>,
    changed: Condvar,
}

impl Halves {
    /// Checks that the mutex is free, and whether it is poisoned.
    #[track_caller]
    fn check(&self, is_poisoned: bool) {
        assert_eq!(self.mutex.is_poisoned(), is_poisoned);
        self.mutex.clear_poison();
        let [one, other] = *self.mutex.try_lock().expect("a free mutex");
        assert_eq!(one, other);
    }
}

/// A greenlet that waits for one notification, notes that it came, and yields with the mutex held.
fn waiter(halves: &Arc<Halves>, journal: &Journal, what: &'static str) -> Greenlet<()> {
    let (halves, journal) = (halves.clone(), journal.clone());
    parked(move || {
        let guard = halves.changed.wait(halves.mutex.lock().unwrap()).unwrap();
        assert_eq!(guard[0], guard[1]);
        journal.note(what);
        sleep(0);
        drop(guard);
    })
}

#[test]
fn killed_by_an_os_thread_it_leaves_the_notification_to_a_plain_thread() {
    hosted(|| {
        let (halves, journal) = (Arc::new(Halves::default()), Journal::default());
        let killed = waiter(&halves, &journal, "the killed one");
        let next = std::thread::spawn({
            let halves = halves.clone();
            move || {
                let mut guard = halves.mutex.lock().unwrap();
                *guard = [1, 1];
                let guard = halves.changed.wait(guard).unwrap();
                *guard
            }
        });
        // It has let go of the mutex, so it is in the queue, behind the greenlet.
        until(|| *halves.mutex.lock().unwrap() == [1, 1]);
        let mut guard = halves.mutex.lock().unwrap();
        guard[0] = 2;
        halves.changed.notify_one();
        settle(); // The greenlet has been notified and waits for the mutex.
        meanwhile(|| killed.kill_nowait());
        killed.join();
        guard[1] = 2;
        drop(guard);
        assert_eq!(next.join().unwrap(), [2, 2]);
        assert!(killed.get().unwrap_err().is_killed());
        assert!(journal.take().is_empty());
        halves.check(false);
    });
}

#[test]
fn killed_when_the_mutex_was_just_handed_to_it_it_has_been_notified_and_holds_the_mutex() {
    hosted(|| {
        let (halves, journal) = (Arc::new(Halves::default()), Journal::default());
        let killed = waiter(&halves, &journal, "the killed one");
        let next = waiter(&halves, &journal, "the next one");
        let guard = halves.mutex.lock().unwrap();
        halves.changed.notify_one();
        settle();
        drop(guard);
        killed.kill_nowait();
        killed.join();
        assert!(killed.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["the killed one"], "it used the notification");
        // It died at its next yield, with the guard in its frame.
        halves.check(true);
        settle();
        assert!(!next.dead());
        halves.changed.notify_one();
        next.join();
        assert_eq!(journal.take(), ["the next one"]);
        halves.check(false);
    });
}

#[test]
fn killed_in_the_turn_in_which_an_os_thread_unlocks_it_has_been_notified_too() {
    for kill_first in [true, false] {
        hosted(move || {
            let (halves, journal) = (Arc::new(Halves::default()), Journal::default());
            let killed = waiter(&halves, &journal, "the killed one");
            let next = waiter(&halves, &journal, "the next one");
            let (locks, locked) = channel();
            let (unlocks, unlocked) = channel();
            let holder = std::thread::spawn({
                let (halves, killed) = (halves.clone(), killed.clone());
                move || {
                    let guard = halves.mutex.lock().unwrap();
                    locks.send(()).unwrap();
                    unlocked.recv().unwrap();
                    if kill_first {
                        killed.kill_nowait();
                    }
                    drop(guard);
                    killed.kill_nowait();
                }
            });
            locked.recv().unwrap();
            halves.changed.notify_one();
            settle(); // It has been notified and waits for the mutex.
            unlocks.send(()).unwrap();
            holder.join().unwrap(); // The hub has seen nothing of it so far.
            killed.join();
            settle();
            assert_eq!(journal.take(), ["the killed one"]);
            assert!(!next.dead());
            halves.check(true);
            halves.changed.notify_one();
            next.join();
            assert_eq!(journal.take(), ["the next one"]);
        });
    }
}

#[test]
fn killed_after_everybody_was_notified_it_takes_nothing_from_the_others() {
    hosted(|| {
        let (halves, journal) = (Arc::new(Halves::default()), Journal::default());
        let [first, killed, last] =
            ["first", "killed", "last"].map(|what| waiter(&halves, &journal, what));
        let guard = halves.mutex.lock().unwrap();
        halves.changed.notify_all();
        settle();
        meanwhile(|| killed.kill_nowait());
        killed.join();
        drop(guard);
        first.join();
        last.join();
        assert_eq!(journal.take(), ["first", "last"]);
        halves.check(false);
    });
}
