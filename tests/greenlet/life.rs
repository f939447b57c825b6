//! From `new` to dead: starting, order, flags, names.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use betterthreads::{Greenlet, getcurrent, sleep, spawn, spawn_later};

use crate::Flags;
use crate::common::{Journal, hosted, on_drop, parked};

#[test]
fn the_flags_change_exactly_at_the_start_and_the_end() {
    hosted(|| {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let theirs = seen.clone();
        let greenlet = Greenlet::new(move || {
            let me = getcurrent();
            let end = (theirs.clone(), me.clone());
            // Locals are dropped before the greenlet counts as dead.
            let _local = on_drop(move || end.0.borrow_mut().push((end.1.started(), end.1.dead())));
            theirs.borrow_mut().push((me.started(), me.dead()));
            sleep(0);
            theirs.borrow_mut().push((me.started(), me.dead()));
        });
        assert_eq!(Flags::of(&greenlet), Flags::FRESH);
        greenlet.start();
        assert_eq!(Flags::of(&greenlet), Flags::STARTED);
        sleep(0);
        assert_eq!(Flags::of(&greenlet), Flags::STARTED);
        greenlet.join();
        assert_eq!(Flags::of(&greenlet), Flags::RETURNED);
        assert_eq!(*seen.borrow(), [(true, false); 3]);
    });
}

/// One that was not started, one that has not begun, and one that waits.
const STAGES: [fn() -> Greenlet<()>; 3] =
    [|| Greenlet::new(|| ()), || spawn(|| ()), || parked(|| sleep(3600))];

#[test]
fn a_greenlet_that_is_killed_was_successful_and_has_no_value() {
    hosted(|| {
        for make in STAGES {
            let greenlet = make();
            greenlet.kill();
            assert_eq!(Flags::of(&greenlet), Flags::KILLED);
        }
    });
}

#[test]
fn a_greenlet_that_panics_or_ends_by_a_throw_has_failed() {
    hosted(|| {
        let panicking = spawn(|| resume_unwind(Box::new("quiet")));
        panicking.join();
        assert_eq!(Flags::of(&panicking.untyped()), Flags::FAILED);
        for make in STAGES {
            let greenlet = make();
            greenlet.throw("stop");
            greenlet.join();
            assert_eq!(Flags::of(&greenlet), Flags::FAILED);
        }
    });
}

#[test]
fn a_greenlet_starts_once() {
    hosted(|| {
        let runs = Rc::new(Cell::new(0));
        let count = runs.clone();
        let greenlet = Greenlet::new(move || {
            count.set(count.get() + 1);
            sleep(0);
        });
        greenlet.start();
        greenlet.start();
        greenlet.start_later(0);
        sleep(0);
        greenlet.start();
        greenlet.join();
        greenlet.start();
        greenlet.start_later(0);
        assert_eq!(Flags::of(&greenlet), Flags::RETURNED);
        sleep(0.001);
        assert_eq!(runs.get(), 1);
    });
}

#[test]
fn a_delayed_start_comes_not_before_its_time() {
    hosted(|| {
        let start = Instant::now();
        let greenlet = spawn_later(0.01, Instant::now);
        assert_eq!(Flags::of(&greenlet), Flags::STARTED);
        // Ignored: it was told when to start.
        greenlet.start();
        greenlet.start_later(0);
        let begin = greenlet.get().unwrap();
        assert!(begin - start >= Duration::from_millis(10));
        let later = Greenlet::new(|| "ran");
        later.start_later(Duration::ZERO);
        assert_eq!(later.get().unwrap(), "ran");
    });
}

#[test]
fn a_start_at_once_is_not_delayed_by_a_later_one() {
    hosted(|| {
        let greenlet = Greenlet::new(|| ());
        greenlet.start();
        greenlet.start_later(3600);
        sleep(0);
        assert!(greenlet.dead());
    });
}

#[test]
fn a_start_that_never_comes_can_be_killed() {
    hosted(|| {
        let journal = Journal::default();
        let held = journal.note_on_drop("dropped");
        let greenlet = spawn_later(Duration::MAX, move || drop(held));
        sleep(0);
        assert!(!greenlet.dead());
        greenlet.kill();
        assert!(greenlet.dead());
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn greenlets_begin_in_the_order_of_their_spawns() {
    hosted(|| {
        let order = Rc::new(RefCell::new(Vec::new()));
        for number in 0..1000 {
            let order = order.clone();
            spawn(move || order.borrow_mut().push(number));
        }
        assert!(order.borrow().is_empty());
        sleep(0);
        assert!(order.borrow().iter().copied().eq(0..1000));
    });
}

#[test]
fn greenlets_that_yield_take_turns() {
    hosted(|| {
        let journal = Journal::default();
        let pair = [["1A", "1B"], ["2A", "2B"]].map(|texts| {
            let journal = journal.clone();
            spawn(move || {
                for text in texts {
                    journal.note(text);
                    sleep(0);
                }
            })
        });
        betterthreads::joinall(&pair);
        assert_eq!(journal.take(), ["1A", "2A", "1B", "2B"]);
    });
}

#[test]
fn a_child_outlives_its_parent() {
    hosted(|| {
        let parent = spawn(|| spawn(|| "child"));
        let child = parent.get().unwrap();
        assert_eq!(child.get().unwrap(), "child");
    });
}

#[test]
fn the_default_name_is_made_of_the_id_which_is_never_used_again() {
    hosted(|| {
        let mut ids = HashSet::from([getcurrent().id()]);
        for _ in 0..100 {
            let greenlet = spawn(|| (getcurrent().id(), getcurrent().name()));
            let name = format!("Greenlet-{}", greenlet.id());
            assert_eq!(greenlet.name(), name);
            assert_eq!(greenlet.get().unwrap(), (greenlet.id(), name));
            assert!(ids.insert(greenlet.id()));
        }
    });
}

#[test]
fn nothing_of_a_dead_greenlet_shows_in_those_that_follow() {
    hosted(|| {
        let kept = spawn(|| sleep(3600));
        sleep(0);
        kept.set_name("kept");
        kept.kill();
        let number = kept.id();
        for _ in 0..100 {
            let dropped = spawn(|| sleep(3600));
            dropped.set_name("dropped");
            sleep(0);
            dropped.throw("an exception");
            drop(dropped);
            let next = Greenlet::new(|| sleep(0));
            assert_eq!(Flags::of(&next), Flags::FRESH);
            assert_eq!(next.name(), format!("Greenlet-{}", next.id()));
            assert!(next.exception().is_none());
            next.start();
            next.join();
            assert_eq!(Flags::of(&next), Flags::RETURNED);
        }
        assert_eq!((kept.id(), kept.name().as_str()), (number, "kept"));
        assert_eq!(Flags::of(&kept), Flags::KILLED);
    });
}

#[test]
fn a_name_can_be_set_at_any_time() {
    hosted(|| {
        let greenlet = Greenlet::new(|| {
            getcurrent().set_name("inside");
            sleep(0);
        });
        greenlet.set_name("fresh");
        assert_eq!(greenlet.name(), "fresh");
        greenlet.start();
        sleep(0);
        assert_eq!(greenlet.name(), "inside");
        greenlet.join();
        greenlet.set_name(String::from("dead"));
        assert_eq!(greenlet.untyped().name(), "dead");
    });
}

#[test]
fn debug_shows_id_name_and_stage() {
    hosted(|| {
        let greenlet = Greenlet::new(|| sleep(3600));
        greenlet.set_name("worker");
        let shown = |stage| format!("<Greenlet(#{}, worker, {stage})>", greenlet.id());
        assert_eq!(format!("{greenlet:?}"), shown("unstarted"));
        greenlet.start();
        assert_eq!(format!("{greenlet:?}"), shown("started"));
        sleep(0);
        assert_eq!(format!("{greenlet:?}"), shown("started"));
        greenlet.kill();
        assert_eq!(format!("{greenlet:?}"), shown("dead"));
    });
}

#[test]
fn one_that_is_killed_before_it_began_is_not_dead_while_its_captures_are_dropped() {
    hosted(|| {
        let me: Rc<RefCell<Option<Greenlet<()>>>> = Rc::default();
        let shown = Rc::new(RefCell::new(String::new()));
        let held = on_drop({
            let (me, shown) = (me.clone(), shown.clone());
            move || *shown.borrow_mut() = format!("{:?}", me.borrow().as_ref().unwrap())
        });
        let greenlet = Greenlet::new(move || drop(held));
        greenlet.set_name("victim");
        *me.borrow_mut() = Some(greenlet.clone());
        greenlet.kill();
        let id = greenlet.id();
        assert_eq!(*shown.borrow(), format!("<Greenlet(#{id}, victim, started)>"));
    });
}

#[test]
fn handles_are_equal_if_they_name_the_same_greenlet() {
    hosted(|| {
        let number = spawn(|| 1);
        let other = spawn(|| 1);
        assert_eq!(number, number.clone());
        assert_eq!(number, number.untyped());
        assert_eq!(number.untyped(), number);
        assert_ne!(number, other);
        assert_ne!(number, other.untyped());
    });
}

#[test]
fn getcurrent_names_the_caller() {
    hosted(|| {
        let main = getcurrent();
        assert_eq!(main, getcurrent());
        assert_eq!(Flags::of(&main), Flags::STARTED);
        assert_eq!(main.name(), std::thread::current().name().unwrap());
        let greenlet = spawn(move || {
            let before = getcurrent();
            sleep(0);
            assert_ne!(before, main);
            (before, getcurrent())
        });
        let (before, after) = greenlet.get().unwrap();
        assert_eq!(before, greenlet);
        assert_eq!(after, greenlet);
    });
}

#[test]
fn getcurrent_on_a_plain_thread_makes_a_hub_that_ends_with_it() {
    let ids = [(); 2].map(|()| {
        let thread = std::thread::spawn(|| (getcurrent().id(), getcurrent().id()));
        let (first, second) = thread.join().unwrap();
        assert_eq!(first, second);
        first
    });
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn dropping_the_last_handle_of_an_unstarted_greenlet_drops_its_captures() {
    hosted(|| {
        let journal = Journal::default();
        let held = journal.note_on_drop("dropped");
        let greenlet = Greenlet::new(move || drop(held));
        let clone = greenlet.clone();
        drop(greenlet);
        assert!(journal.take().is_empty());
        drop(clone);
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn dropping_every_handle_of_a_started_greenlet_lets_it_go_on() {
    hosted(|| {
        let journal = Journal::default();
        let (at_once, later) = (journal.clone(), journal.clone());
        drop(spawn(move || at_once.note("at once")));
        drop(spawn_later(0.001, move || later.note("later")));
        sleep(0);
        assert_eq!(journal.take(), ["at once"]);
        while journal.take().is_empty() {
            sleep(0.001);
        }
    });
}
