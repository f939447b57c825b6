//! K7: a greenlet killed before it began never runs; what it captured is dropped once, and then it
//! is dead.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use betterthreads::event::Event;
use betterthreads::{
    Greenlet, GreenletExit, getcurrent, killall, killall_nowait, sleep, spawn, spawn_later,
    with_timeout,
};

use crate::common::{Journal, hosted, meanwhile, on_drop, parked, settle};

type Maker = fn(Box<dyn FnOnce()>) -> Greenlet<()>;

/// The ways of not having begun.
const MAKERS: [Maker; 3] =
    [|body| Greenlet::new(body), |body| spawn(body), |body| spawn_later(3600, body)];

/// A body that notes if it runs, and has captured a value that notes its drop.
fn body(journal: &Journal) -> Box<dyn FnOnce()> {
    let (captured, journal) = (journal.note_on_drop("dropped"), journal.clone());
    Box::new(move || {
        journal.note("ran");
        drop(captured);
    })
}

/// Starts a dead greenlet again and gives it every chance to run.
fn stays_dead(greenlet: &Greenlet<()>, journal: &Journal) {
    greenlet.start();
    greenlet.start_later(0);
    sleep(0.001);
    assert!(greenlet.dead() && !greenlet.started());
    assert!(journal.take().is_empty(), "nothing more happened");
}

#[test]
fn it_is_dead_on_return_without_a_yield() {
    let kills: [fn(&Greenlet<()>); 7] = [
        |target| target.kill(),
        |target| target.kill_nowait(),
        |target| assert!(target.kill_timeout(0)),
        |target| target.kill_with(GreenletExit),
        |target| target.throw(GreenletExit),
        |target| killall([target]),
        |target| killall_nowait([target]),
    ];
    for kill in kills {
        hosted(move || {
            for make in MAKERS {
                let journal = Journal::default();
                let target = make(body(&journal));
                let other = spawn(|| ());
                kill(&target);
                assert!(target.dead());
                assert!(!other.dead(), "nobody else got a turn");
                assert_eq!(journal.take(), ["dropped"]);
                assert!(target.get().unwrap_err().is_killed());
                stays_dead(&target, &journal);
            }
        });
    }
}

#[test]
fn a_delayed_start_is_disarmed() {
    hosted(|| {
        let journal = Journal::default();
        let target = spawn_later(0.001, body(&journal));
        target.kill();
        sleep(0.005);
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn a_greenlet_kills_it_as_the_main_greenlet_does() {
    hosted(|| {
        for make in MAKERS {
            let journal = Journal::default();
            let killer = spawn({
                let journal = journal.clone();
                move || {
                    let target = make(body(&journal));
                    target.kill();
                    assert_eq!(journal.take(), ["dropped"]);
                    target
                }
            });
            stays_dead(&killer.get().unwrap(), &journal);
        }
    });
}

#[test]
fn a_kill_from_another_thread_drops_what_was_captured_on_the_greenlets_thread() {
    hosted(|| {
        // One that was spawned would have begun before the kill.
        for make in [MAKERS[0], MAKERS[2]] {
            let journal = Journal::default();
            let dropped_on = Rc::new(Cell::new(None));
            let (remembers, runs) = (dropped_on.clone(), body(&journal));
            let captured = on_drop(move || remembers.set(Some(std::thread::current().id())));
            let target = make(Box::new(move || {
                runs();
                drop(captured);
            }));
            let killer = std::thread::spawn({
                let (target, journal) = (target.clone(), journal.clone());
                move || {
                    target.kill();
                    assert!(target.dead());
                    assert_eq!(journal.take(), ["dropped"], "before the kill returned");
                }
            });
            target.join();
            killer.join().unwrap();
            assert_eq!(dropped_on.get(), Some(std::thread::current().id()));
            assert!(target.get().unwrap_err().is_killed());
            stays_dead(&target, &journal);
        }
    });
}

#[test]
fn a_kill_from_another_thread_that_was_only_asked_for_comes_before_the_first_run() {
    hosted(|| {
        for make in MAKERS {
            let journal = Journal::default();
            let target = make(body(&journal));
            meanwhile(|| target.kill_nowait());
            target.join();
            assert_eq!(journal.take(), ["dropped"]);
            stays_dead(&target, &journal);
        }
    });
}

#[test]
fn a_captured_destructor_may_wait() {
    hosted(|| {
        for make in MAKERS {
            let journal = Journal::default();
            let go = Rc::new(Event::new());
            let (goes, noted) = (go.clone(), journal.clone());
            let captured = on_drop(move || {
                goes.wait();
                noted.note("dropped");
            });
            let made: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
            let shows = made.clone();
            let killer = parked(move || {
                let target = make(Box::new(move || drop(captured)));
                shows.set(Some(target.clone()));
                target.kill();
                target.dead()
            });
            let target = made.take().unwrap();
            assert!(!target.dead(), "its destructor waits");
            target.start();
            target.kill_nowait();
            go.set();
            assert!(killer.get().unwrap());
            assert_eq!(journal.take(), ["dropped"]);
        }
    });
}

#[test]
fn a_captured_destructor_that_waits_is_waited_for_by_another_thread() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let captured = on_drop(move || {
            sleep(0.005);
            noted.note("dropped");
        });
        let target = Greenlet::new(move || drop(captured));
        let killer = std::thread::spawn({
            let (target, journal) = (target.clone(), journal.clone());
            move || {
                target.kill();
                journal.note("killed");
            }
        });
        target.join();
        killer.join().unwrap();
        assert_eq!(journal.take(), ["dropped", "killed"]);
    });
}

#[test]
fn a_second_kill_is_not_raised_in_a_captured_destructor() {
    hosted(|| {
        for first_from_a_thread in [false, true] {
            let journal = Journal::default();
            let go = Rc::new(Event::new());
            let (goes, noted) = (go.clone(), journal.clone());
            let captured = on_drop(move || {
                goes.wait();
                noted.note("waited");
            });
            let target = Greenlet::new(move || drop(captured));
            if first_from_a_thread {
                meanwhile(|| target.kill_nowait());
            } else {
                let victim = target.clone();
                spawn(move || victim.kill_nowait());
            }
            settle();
            assert_eq!(go.linkcount(), 1, "its destructor waits");
            target.kill_nowait();
            meanwhile(|| target.throw("another reason"));
            settle();
            assert_eq!(journal.take(), [""; 0]);
            go.set();
            assert!(target.get().unwrap_err().is_killed());
            assert_eq!(journal.take(), ["waited"]);
        }
    });
}

#[test]
fn kills_from_both_sides_before_it_began_are_one() {
    hosted(|| {
        for make in MAKERS {
            let journal = Journal::default();
            let go = Rc::new(Event::new());
            let (goes, noted) = (go.clone(), journal.clone());
            let captured = on_drop(move || {
                goes.wait();
                noted.note("waited");
            });
            let target = make(Box::new(move || drop(captured)));
            // The hub learns of the first when it is about to act on the second.
            meanwhile(|| target.kill_nowait());
            target.kill_nowait();
            settle();
            assert_eq!(journal.take(), [""; 0], "nobody has set the event");
            assert_eq!(go.linkcount(), 1);
            go.set();
            assert!(target.get().unwrap_err().is_killed());
            assert_eq!(journal.take(), ["waited"]);
        }
    });
}

#[test]
fn a_captured_destructor_may_limit_itself() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let in_time = Rc::new(Cell::new(None));
        let tells = in_time.clone();
        let captured = on_drop(move || tells.set(Some(with_timeout(0.001, || goes.wait()))));
        let target = Greenlet::new(move || drop(captured));
        let victim = target.clone();
        let killer = parked(move || victim.kill());
        let ended = killer.join_timeout(5);
        go.set(); // Should the limit not work, this lets the test end.
        killer.join();
        assert!(ended, "the limit was raised in the destructor");
        assert!(in_time.get().unwrap().is_err());
    });
}

#[test]
fn a_captured_destructor_that_panics_harms_the_target_alone() {
    hosted(|| {
        for make in MAKERS {
            let captured = on_drop(|| std::panic::resume_unwind(Box::new("in the destructor")));
            let target = make(Box::new(move || drop(captured)));
            target.kill();
            let failure = target.get().unwrap_err();
            assert!(failure.is_panicked());
            assert_eq!(failure.downcast_ref::<&str>(), Some(&"in the destructor"));
        }
    });
}

#[test]
fn a_kill_of_the_killer_is_not_raised_in_a_captured_destructor() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let captured = on_drop(move || {
            sleep(0.005);
            noted.note("dropped");
        });
        let target = Greenlet::new(move || drop(captured));
        let (victim, noted) = (target.clone(), journal.clone());
        let killer = parked(move || {
            victim.kill();
            noted.note("survived");
        });
        killer.kill();
        assert!(killer.get().unwrap_err().is_killed());
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn an_exception_is_the_outcome_of_one_that_never_began() {
    hosted(|| {
        for make in MAKERS {
            let journal = Journal::default();
            let target = make(body(&journal));
            target.throw("too early");
            let failure = target.get().unwrap_err();
            assert!(failure.is_thrown());
            assert_eq!(failure.downcast_ref::<&str>(), Some(&"too early"));
            assert_eq!(journal.take(), ["dropped"]);
        }
    });
}

/// An exception that counts its drops.
struct Counted(Arc<AtomicUsize>, &'static str);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_first_exception_is_the_outcome_wherever_they_come_from() {
    hosted(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let exception = |name| Counted(drops.clone(), name);
        let go = Arc::new(Event::new());
        let target = Greenlet::new(|| ());
        // It runs after the hub has been told of the first exception and before the target's turn.
        let (goes, victim, second) = (go.clone(), target.clone(), exception("second"));
        let thrower = parked(move || {
            goes.wait();
            victim.throw(second);
        });
        meanwhile(|| {
            go.set();
            target.throw(exception("first"));
        });
        thrower.join();
        target.join();
        let failure = target.get().unwrap_err();
        assert_eq!(failure.downcast_ref::<Counted>().map(|counted| counted.1), Some("first"));
        drop((failure, target, thrower));
        sleep(0.001);
        assert_eq!(drops.load(Ordering::SeqCst), 2, "each of them was dropped once");
    });
}

#[test]
fn an_exception_that_came_too_late_is_dropped_where_it_may_wait() {
    hosted(|| {
        let journal = Journal::default();
        let (noted, main) = (journal.clone(), getcurrent().id());
        let late = on_drop(move || {
            if getcurrent().id() != main {
                sleep(0.001);
                noted.note("dropped in a greenlet");
            }
        });
        let target = Greenlet::new(|| ());
        // The hub learns of both in one turn, before the target's.
        meanwhile(|| {
            target.throw("first");
            target.throw(late);
        });
        target.join();
        sleep(0.01);
        assert_eq!(journal.take(), ["dropped in a greenlet"]);
    });
}

#[test]
fn the_last_handle_of_one_that_was_never_started_ends_it() {
    hosted(|| {
        let journal = Journal::default();
        let target = Greenlet::new(body(&journal));
        let clone = target.clone();
        drop(target);
        assert!(journal.take().is_empty());
        drop(clone);
        assert_eq!(journal.take(), ["dropped"]);
        let started = spawn(body(&journal));
        drop(started);
        sleep(0);
        assert_eq!(journal.take(), ["ran", "dropped"], "one that was started is detached");
    });
}

#[test]
fn its_stack_is_given_back() {
    hosted(|| {
        // More than the kernel has mappings for.
        for _ in 0..100_000 {
            let target = spawn(|| ());
            target.kill();
            assert!(target.dead());
        }
    });
}
