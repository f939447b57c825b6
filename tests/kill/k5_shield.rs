//! K5: a shield holds kills, exceptions and time-outs back until the next yield point after it.

use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::{
    Greenlet, checkpoint, getcurrent, shield, shield_for, sleep, spawn, with_timeout,
};

use crate::common::{Journal, caught, hosted, parked};

/// A greenlet that waits in a shield for `go`, then leaves it and comes to a yield point.
fn shielded(journal: &Journal, go: &Rc<Event>) -> Greenlet<()> {
    let (journal, go) = (journal.clone(), go.clone());
    parked(move || {
        shield(|| {
            go.wait();
            journal.note("waited inside");
            sleep(0.001);
            checkpoint();
            journal.note("slept inside");
        });
        journal.note("left");
        checkpoint();
        journal.note("survived");
    })
}

const SHIELDED: [&str; 3] = ["waited inside", "slept inside", "left"];

#[test]
fn a_kill_is_held_back_until_the_first_yield_point_outside() {
    hosted(|| {
        let (journal, go) = (Journal::default(), Rc::default());
        let target = shielded(&journal, &go);
        target.kill_nowait();
        assert!(!target.join_timeout(0.01), "it waits on, shielded");
        assert!(journal.take().is_empty());
        go.set();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), SHIELDED);
    });
}

#[test]
fn a_kill_that_came_before_the_shield_waits_for_its_end_too() {
    hosted(|| {
        let (journal, go) = (Journal::default(), Rc::<Event>::default());
        go.set();
        let noted = journal.clone();
        let target = spawn(move || {
            getcurrent().kill_nowait();
            shield(|| {
                go.wait();
                noted.note("waited inside");
            });
            noted.note("left");
            sleep(0);
            noted.note("survived");
        });
        target.join();
        assert_eq!(journal.take(), ["waited inside", "left"]);
    });
}

#[test]
fn an_exception_is_held_back() {
    hosted(|| {
        let (journal, go) = (Journal::default(), Rc::default());
        let target = shielded(&journal, &go);
        target.throw("stop");
        assert!(!target.join_timeout(0.01), "it waits on, shielded");
        go.set();
        assert!(target.get().unwrap_err().is_thrown());
        assert_eq!(journal.take(), SHIELDED);
    });
}

#[test]
fn a_time_out_is_held_back() {
    hosted(|| {
        let journal = Journal::default();
        let result = with_timeout(0.001, || {
            shield(|| {
                sleep(0.01);
                journal.note("slept inside");
            });
            journal.note("left");
            sleep(3600);
        });
        assert!(result.is_err());
        assert_eq!(journal.take(), ["slept inside", "left"]);
    });
}

#[test]
fn a_limit_inside_a_shield_is_raised_inside() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            shield(|| {
                getcurrent().kill_nowait();
                let limited = with_timeout(0.001, || {
                    // A deeper shield holds it back again.
                    shield(|| sleep(0.005));
                    noted.note("shielded");
                    sleep(3600);
                });
                if limited.is_err() {
                    noted.note("limited");
                }
                sleep(0.001);
                noted.note("went on");
            });
            sleep(3600);
        });
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["shielded", "limited", "went on"]);
    });
}

#[test]
fn a_shield_holds_a_limit_back_that_began_behind_one_that_is_down_by_then() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = spawn(move || {
            shield_for(0.001, || {
                let limited = with_timeout(0.005, || {
                    sleep(0.002);
                    shield(|| sleep(0.01));
                    noted.note("shielded");
                    sleep(3600);
                });
                if limited.is_err() {
                    noted.note("limited");
                }
            });
        });
        target.get().unwrap();
        assert_eq!(journal.take(), ["shielded", "limited"]);
    });
}

#[test]
fn shields_nest() {
    hosted(|| {
        let (journal, go) = (Journal::default(), Rc::<Event>::default());
        let (noted, going) = (journal.clone(), go.clone());
        let target = parked(move || {
            shield(|| {
                shield(|| going.wait());
                noted.note("left the inner one");
                sleep(0.001);
                noted.note("slept in the outer one");
            });
            checkpoint();
            noted.note("survived");
        });
        target.kill_nowait();
        go.set();
        target.join();
        assert_eq!(journal.take(), ["left the inner one", "slept in the outer one"]);
    });
}

#[test]
fn a_shield_ends_with_a_panic_too() {
    hosted(|| {
        let target = parked(|| {
            let panicked = caught(|| shield(|| std::panic::resume_unwind(Box::new("inside"))));
            assert!(panicked.is_err());
            sleep(3600);
        });
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_shield_is_its_greenlets_alone() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let _shielded = parked(move || shield(|| goes.wait()));
        let other = parked(|| sleep(3600));
        other.kill();
        assert!(other.dead());
        let killed_from_a_shield = parked(|| sleep(3600));
        shield(|| killed_from_a_shield.kill());
        assert!(killed_from_a_shield.dead());
        go.set();
    });
}

#[test]
fn the_limit_of_a_shield_raises_what_it_held_back() {
    hosted(|| {
        let target = parked(|| shield_for(0.01, || sleep(3600)));
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_shield_within_its_limit_holds_back() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            shield_for(60, || sleep(0.01));
            noted.note("left");
            sleep(3600);
        });
        target.kill();
        assert_eq!(journal.take(), ["left"]);
    });
}

#[test]
fn a_shield_past_its_limit_holds_nothing_back() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            shield_for(0.001, || {
                sleep(0.02);
                noted.note("no kill yet");
                getcurrent().kill_nowait();
                noted.note("told to die");
                checkpoint();
                noted.note("survived");
            });
        });
        target.join();
        assert_eq!(journal.take(), ["no kill yet", "told to die"]);
    });
}

#[test]
fn the_limit_of_an_inner_shield_leaves_the_outer_one_up() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            shield(|| {
                shield_for(0.001, || sleep(0.02));
                noted.note("left the inner one");
                sleep(0.001);
                noted.note("slept in the outer one");
            });
            checkpoint();
            noted.note("survived");
        });
        target.kill();
        assert_eq!(journal.take(), ["left the inner one", "slept in the outer one"]);
    });
}
