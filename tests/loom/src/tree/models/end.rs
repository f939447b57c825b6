//! How a greenlet begins and ends, seen from other threads: start, kill, finish, join.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{caught, check, greenlet, hosted, passed, throw};
use crate::base::failure::Outcome;
use crate::sched::control::Control;
use crate::sched::kill::Exception;
use crate::sched::spawn;
use crate::wait::{join, park};

/// A greenlet that has been started and notes when it runs.
pub(super) fn noting() -> (Arc<Control>, Arc<AtomicBool>) {
    let ran = Arc::new(AtomicBool::new(false));
    let noted = ran.clone();
    let greenlet = greenlet(move || noted.store(true, Ordering::Relaxed));
    spawn::start(&greenlet);
    (greenlet, ran)
}

#[test]
pub(crate) fn a_join_returns_when_the_end_is_known_and_what_was_done_is_seen() {
    check(|| {
        hosted(|_| {
            let (greenlet, ran) = noting();
            let joiner = thread::spawn({
                let greenlet = greenlet.clone();
                move || {
                    assert!(join::join(&greenlet, None));
                    assert!(ran.load(Ordering::Relaxed), "the end brought no order");
                    assert!(matches!(greenlet.outcome(), Some(Outcome::Returned)), "no outcome");
                }
            });
            assert!(join::join(&greenlet, None));
            joiner.join().unwrap();
        });
    });
}

#[test]
pub(crate) fn a_join_that_times_out_tells_the_truth() {
    check(|| {
        hosted(|_| {
            let (greenlet, ran) = noting();
            let joiner = thread::spawn({
                let greenlet = greenlet.clone();
                move || {
                    if join::join(&greenlet, passed()) {
                        assert!(ran.load(Ordering::Relaxed), "the end brought no order");
                        assert!(greenlet.outcome().is_some(), "no outcome");
                    }
                }
            });
            assert!(join::join(&greenlet, None));
            joiner.join().unwrap();
            assert!(join::join(&greenlet, passed()));
        });
    });
}

#[test]
pub(crate) fn a_join_that_is_raised_leaves_the_end_to_the_next() {
    check(|| {
        hosted(|_| {
            let (greenlet, _) = noting();
            let joiner = thread::spawn({
                let greenlet = greenlet.clone();
                move || {
                    hosted(|main| {
                        let main = main.clone();
                        let thrower = thread::spawn(move || throw(&main));
                        let joined = caught(|| join::join(&greenlet, None)).is_ok();
                        assert!(greenlet.is_dead() || !joined, "joined the living");
                        thrower.join().unwrap();
                        assert_eq!(joined, caught(park::checkpoint).is_err(), "raised once");
                        assert!(join::join(&greenlet, None));
                    });
                }
            });
            assert!(join::join(&greenlet, None));
            joiner.join().unwrap();
        });
    });
}

#[test]
pub(crate) fn a_greenlet_starts_once() {
    check(|| {
        hosted(|_| {
            let greenlet = greenlet(|| {});
            let other = thread::spawn({
                let greenlet = greenlet.clone();
                move || greenlet.claim_start()
            });
            let claims = [greenlet.claim_start(), other.join().unwrap()];
            assert!(claims[0] != claims[1], "started {claims:?}");
            join::ask(&greenlet, Exception::Kill);
        });
    });
}

/// Counts its end.
struct Captured(Rc<Cell<u32>>);

impl Drop for Captured {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
pub(crate) fn a_greenlet_that_is_started_and_killed_runs_or_is_killed() {
    check(|| {
        hosted(|_| {
            let (runs, drops) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let (captured, run) = (Captured(drops.clone()), runs.clone());
            let greenlet = greenlet(move || {
                run.set(run.get() + 1);
                drop(captured);
            });
            let asked = Arc::new(AtomicBool::new(false));
            let killer = thread::spawn({
                let (greenlet, asked) = (greenlet.clone(), asked.clone());
                move || {
                    join::ask(&greenlet, Exception::Kill);
                    asked.store(true, Ordering::Release);
                    assert!(join::join(&greenlet, None));
                }
            });
            let starter = thread::spawn({
                let greenlet = greenlet.clone();
                move || {
                    let was_asked = asked.load(Ordering::Acquire);
                    spawn::start(&greenlet);
                    was_asked
                }
            });
            assert!(join::join(&greenlet, None));
            killer.join().unwrap();
            let was_asked = starter.join().unwrap();
            let was_killed = match greenlet.outcome() {
                Some(Outcome::Failed(failure)) => failure.is_killed(),
                _ => false,
            };
            assert_eq!(runs.get(), u32::from(!was_killed), "run, or killed");
            assert!(was_killed || !was_asked, "killed, then started, and run");
            assert_eq!(drops.get(), 1, "what was captured is dropped once");
        });
    });
}
