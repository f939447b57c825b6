//! Waiting for the end and asking for the result.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::{Failure, GreenletExit, sleep, spawn, with_timeout};

use crate::common::{Journal, caught, hosted, parked};

#[test]
fn get_returns_a_clone_of_the_value_as_often_as_it_is_asked() {
    hosted(|| {
        let greenlet = spawn(|| vec![1, 2]);
        assert_eq!(greenlet.value(), None);
        assert_eq!(greenlet.get().unwrap(), [1, 2]);
        assert_eq!(greenlet.get().unwrap(), [1, 2]);
        assert_eq!(greenlet.get_timeout(0).unwrap(), [1, 2]);
        assert_eq!(greenlet.value(), Some(vec![1, 2]));
        assert!(greenlet.exception().is_none());
    });
}

#[test]
fn get_returns_the_failure_as_often_as_it_is_asked() {
    hosted(|| {
        let greenlet = spawn(|| -> u8 { resume_unwind(Box::new(String::from("why"))) });
        for failure in [
            greenlet.get().unwrap_err(),
            greenlet.get_timeout(0).unwrap_err(),
            greenlet.exception().unwrap(),
        ] {
            assert!(failure.is_panicked() && !failure.is_killed() && !failure.is_thrown());
            assert_eq!(failure.downcast_ref::<String>().unwrap(), "why");
        }
        assert_eq!(greenlet.value(), None);
    });
}

#[test]
fn a_throw_is_told_from_a_panic_and_from_a_kill() {
    hosted(|| {
        let thrown = parked(|| sleep(3600));
        thrown.throw(7_u8);
        let failure = thrown.get().unwrap_err();
        assert!(failure.is_thrown() && !failure.is_panicked() && !failure.is_killed());
        assert_eq!(failure.downcast_ref::<u8>(), Some(&7));
        let killed = parked(|| sleep(3600));
        killed.kill();
        let failure = killed.get().unwrap_err();
        assert!(failure.is_killed() && !failure.is_panicked() && !failure.is_thrown());
        assert!(failure.into_payload().is::<GreenletExit>());
        assert!(killed.exception().is_none());
    });
}

#[test]
fn get_with_a_time_limit_leaves_the_greenlet_alone() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let theirs = event.clone();
        let greenlet = spawn(move || theirs.wait());
        for limit in [Duration::ZERO, Duration::from_millis(1)] {
            let start = Instant::now();
            let failure = greenlet.get_timeout(limit).unwrap_err();
            assert!(failure.is_timeout() && !failure.is_killed());
            assert!(start.elapsed() >= limit);
            assert!(!greenlet.join_timeout(limit));
            assert!(!greenlet.ready());
        }
        event.set();
        assert!(greenlet.get_timeout(Duration::MAX).unwrap());
        assert!(greenlet.join_timeout(0));
        assert!(greenlet.join_timeout(Duration::MAX));
        greenlet.join();
    });
}

#[test]
fn everyone_who_waits_is_told() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let theirs = event.clone();
        let greenlet = spawn(move || theirs.wait());
        let askers: Vec<_> = (0..100)
            .map(|_| {
                let greenlet = greenlet.clone();
                parked(move || greenlet.get().unwrap())
            })
            .collect();
        event.set();
        for asker in askers {
            assert!(asker.get().unwrap());
        }
    });
}

#[test]
fn a_time_limit_and_a_kill_of_the_one_who_waits_leave_no_trace() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let theirs = event.clone();
        let greenlet = spawn(move || theirs.wait());
        assert!(with_timeout(0.001, || greenlet.join()).is_err());
        let waiting = greenlet.clone();
        let waiter = parked(move || waiting.join());
        waiter.kill();
        event.set();
        assert!(greenlet.get().unwrap());
    });
}

#[test]
fn closures_and_values_need_not_be_send() {
    hosted(|| {
        let shared = Rc::new(Cell::new(1));
        let theirs = shared.clone();
        let greenlet = spawn(move || {
            theirs.set(2);
            theirs
        });
        assert!(Rc::ptr_eq(&greenlet.get().unwrap(), &shared));
        assert_eq!(shared.get(), 2);
    });
}

#[test]
fn a_value_is_dropped_once_with_the_last_handle() {
    hosted(|| {
        let journal = Journal::default();
        let held = journal.note_on_drop("dropped");
        let greenlet = spawn(move || Rc::new(held));
        let clone = greenlet.clone();
        drop(greenlet.get().unwrap());
        drop(greenlet);
        assert!(journal.take().is_empty());
        drop(clone);
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn a_greenlet_that_nobody_asks_drops_its_value() {
    hosted(|| {
        let journal = Journal::default();
        let held = journal.note_on_drop("dropped");
        drop(spawn(move || held));
        sleep(0);
        assert_eq!(journal.take(), ["dropped"]);
    });
}

/// Panics in its first `clone`.
struct Fragile(Rc<Cell<bool>>);

impl Clone for Fragile {
    fn clone(&self) -> Fragile {
        if !self.0.replace(true) {
            resume_unwind(Box::new("quiet"));
        }
        Fragile(self.0.clone())
    }
}

#[test]
fn a_clone_that_panics_harms_only_the_one_who_asked() {
    hosted(|| {
        let greenlet = spawn(|| Fragile(Rc::default()));
        assert!(caught(|| greenlet.get().is_ok()).is_err());
        assert!(greenlet.value().is_some());
        assert!(greenlet.get().is_ok());
    });
}

/// Waits in `clone`.
struct Slow {
    journal: Journal,
    gate: Rc<Event>,
}

impl Clone for Slow {
    fn clone(&self) -> Slow {
        self.journal.note("begin");
        self.gate.wait();
        self.journal.note("end");
        let (journal, gate) = (self.journal.clone(), self.gate.clone());
        Slow { journal, gate }
    }
}

#[test]
fn a_clone_that_waits_keeps_the_others_waiting_for_the_value() {
    hosted(|| {
        let journal = Journal::default();
        let gate = Rc::new(Event::new());
        let (theirs, open) = (journal.clone(), gate.clone());
        let greenlet = spawn(move || Slow { journal: theirs, gate: open });
        greenlet.join();
        let askers = [(); 3].map(|()| {
            let greenlet = greenlet.clone();
            parked(move || greenlet.get().is_ok())
        });
        assert_eq!(journal.take(), ["begin"]);
        // The first is killed in its `clone`; the next in line gets the value.
        askers[0].kill();
        sleep(0);
        assert_eq!(journal.take(), ["begin"]);
        gate.set();
        assert!(askers[1].get().unwrap() && askers[2].get().unwrap());
        assert_eq!(journal.take(), ["end", "begin", "end"]);
    });
}

#[test]
fn the_value_of_an_untyped_handle_is_unit() {
    hosted(|| {
        let number = spawn(|| 7);
        let untyped = number.untyped();
        assert_eq!(untyped.value(), None);
        assert_eq!(untyped.get().unwrap(), ());
        let failing = spawn(|| -> u8 { resume_unwind(Box::new("quiet")) });
        assert!(failing.untyped().get().unwrap_err().is_panicked());
    });
}

#[test]
fn a_failure_is_an_error_value_that_can_be_kept() {
    hosted(|| {
        let failures = Rc::new(RefCell::new(Vec::<Failure>::new()));
        let greenlet = spawn(|| resume_unwind(Box::new("why")));
        let failure = greenlet.untyped().get().unwrap_err();
        failures.borrow_mut().push(failure.clone());
        drop(greenlet);
        let error: Box<dyn std::error::Error + Send + Sync> = failure.into();
        assert_eq!(error.to_string(), "the greenlet panicked: why");
        assert_eq!(failures.borrow()[0].downcast_ref::<&str>(), Some(&"why"));
    });
}
