//! The queue of waiters: a grant that its waiter cannot take is the next one's.
//!
//! In each model one waiter is patient, and is let in only if the grant was not lost in the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use loom::thread;

use super::{caught, check, hosted, passed, throw};
use crate::wait::park;
use crate::wait::queue::WaitQueue;

/// Lets one waiter in for each time it is opened.
#[derive(Default)]
struct Gate {
    queue: WaitQueue,
    /// How many may come in without waiting. Used under the queue's lock alone, so it is std's.
    open: AtomicUsize,
}

impl Gate {
    fn enter(&self, deadline: Option<Instant>) -> bool {
        self.queue.wait(deadline, || {
            let is_open = self.open.load(Ordering::Relaxed) > 0;
            is_open && self.open.fetch_sub(1, Ordering::Relaxed) > 0
        })
    }

    fn open(&self) {
        let nobody = || {
            self.open.fetch_add(1, Ordering::Relaxed);
        };
        self.queue.wake_one(|| {}, nobody);
    }

    fn assert_closed(&self) {
        assert_eq!(self.open.load(Ordering::Relaxed), 0, "a grant was doubled");
        assert_eq!(self.queue.len(), 0, "somebody stayed in the queue");
    }
}

fn one_who_times_out_passes_its_grant_on() {
    let gate = Arc::new(Gate::default());
    let spawn = |f: fn(&Gate)| {
        let gate = gate.clone();
        thread::spawn(move || f(&gate))
    };
    let patient = spawn(|gate| assert!(gate.enter(None)));
    let opener = spawn(Gate::open);
    if gate.enter(passed()) {
        gate.open();
    }
    opener.join().unwrap();
    patient.join().unwrap();
    gate.assert_closed();
}

#[test]
pub(crate) fn a_grant_to_a_thread_that_times_out_goes_to_the_next() {
    check(one_who_times_out_passes_its_grant_on);
}

#[test]
pub(crate) fn a_grant_to_a_greenlet_that_times_out_goes_to_the_next() {
    check(|| hosted(|_| one_who_times_out_passes_its_grant_on()));
}

#[test]
pub(crate) fn a_grant_to_one_who_is_raised_goes_to_the_next() {
    check(|| {
        let gate = Arc::new(Gate::default());
        hosted(|main| {
            let patient = thread::spawn({
                let gate = gate.clone();
                move || assert!(gate.enter(None))
            });
            let opener = thread::spawn({
                let (gate, main) = (gate.clone(), main.clone());
                move || {
                    throw(&main);
                    gate.open();
                }
            });
            if let Ok(entered) = caught(|| gate.enter(None)) {
                assert!(entered);
                gate.open();
                opener.join().unwrap();
                assert!(caught(park::checkpoint).is_err(), "what was thrown is raised after all");
            } else {
                opener.join().unwrap();
            }
            patient.join().unwrap();
        });
        gate.assert_closed();
    });
}
