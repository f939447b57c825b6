//! What is made once: made by somebody, whoever dies in the attempt, and made once.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::sync::{LazyLock, Once, OnceLock};

use crate::common::caught;
use crate::stage::{Fate, Stage};

sweeps! {
    something_is_done_once => |stage| once(stage, Order::All),
    something_is_done_once_by_a_victim => |stage| once(stage, Order::VictimFirst),
    something_is_done_once_for_a_victim => |stage| once(stage, Order::VictimLast),
    one_who_dies_at_it_poisons_what_is_done_once => poisoned_once,
    those_who_wait_for_it_to_be_done_are_told => wait_for_once,
    a_value_is_made_once => |stage| once_lock(stage, Order::All),
    a_value_is_made_once_by_a_victim => |stage| once_lock(stage, Order::VictimFirst),
    a_value_is_made_once_for_a_victim => |stage| once_lock(stage, Order::VictimLast),
    a_lazy_value_is_made_or_poisoned => lazy,
    a_lazy_value_is_made_by_others_for_a_victim => lazy_by_others,
}

/// Who comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    VictimFirst,
    VictimLast,
    All,
}

/// Starts a victim and two rivals that do the same, in some order.
fn start<F: FnOnce() + 'static>(stage: &Stage, order: Order, make: impl Fn() -> F) {
    let (late_victim, late_rival) = match order {
        Order::VictimFirst => (0, 1),
        Order::VictimLast => (1, 0),
        Order::All => (0, 0),
    };
    let (pause, work) = (stage.pause(), make());
    stage.victim(move || {
        (0..late_victim).for_each(|_| pause());
        work();
    });
    for _ in 0..2 {
        let (pause, work) = (stage.pause(), make());
        stage.rival(move || {
            (0..late_rival).for_each(|_| pause());
            work();
        });
    }
}

fn once(stage: &Stage, order: Order) {
    let (once, done) = (Rc::new(Once::new()), Rc::new(Cell::new(0)));
    start(stage, order, || {
        let (once, done, pause) = (once.clone(), done.clone(), stage.pause());
        move || {
            once.call_once_force(|_| {
                pause();
                pause();
                done.set(done.get() + 1);
            });
            assert!(once.is_completed());
        }
    });
    stage.afterwards(move |_| assert!(once.is_completed() && done.get() == 1));
}

fn poisoned_once(stage: &Stage) {
    let (once, is_at_it) = (Rc::new(Once::new()), Rc::new(Cell::new(false)));
    let (theirs, begun, pause) = (once.clone(), is_at_it.clone(), stage.pause());
    stage.victim(move || {
        theirs.call_once(|| {
            begun.set(true);
            pause();
        });
    });
    for _ in 0..2 {
        let (once, pause) = (once.clone(), stage.pause());
        stage.rival(move || {
            // It is poisoned, or somebody has done it.
            let done = caught(|| once.call_once(pause));
            assert_eq!(done.is_ok(), once.is_completed());
        });
    }
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || once.is_completed());
        assert!(is_at_it.get() || once.is_completed(), "poisoned by nobody");
        once.call_once_force(|state| assert!(state.is_poisoned()));
    });
}

fn wait_for_once(stage: &Stage) {
    let once = Rc::new(Once::new());
    let theirs = once.clone();
    stage.victim(move || theirs.wait_force());
    for _ in 0..2 {
        let once = once.clone();
        stage.rival(move || once.wait());
    }
    let pause = stage.pause();
    stage.rival(move || {
        pause();
        once.call_once(&pause);
    });
}

fn once_lock(stage: &Stage, order: Order) {
    let value = Rc::new(OnceLock::new());
    let theirs = value.clone();
    stage.rival(move || assert_eq!(*theirs.wait(), 7));
    let made = Rc::new(Cell::new(0));
    start(stage, order, || {
        let (value, made, pause) = (value.clone(), made.clone(), stage.pause());
        move || {
            let value = value.get_or_init(|| {
                pause();
                pause();
                made.set(made.get() + 1);
                7
            });
            assert_eq!(*value, 7);
        }
    });
    stage.afterwards(move |_| assert_eq!((value.get(), made.get()), (Some(&7), 1)));
}

/// Made by the victim, or by a rival, who is never hit.
fn lazy(stage: &Stage) {
    let pause = stage.pause();
    let value = Rc::new(LazyLock::new(move || {
        pause();
        7
    }));
    let theirs = value.clone();
    stage.victim(move || assert_eq!(**theirs, 7));
    for _ in 0..2 {
        let value = value.clone();
        stage.rival(move || {
            caught(|| assert_eq!(**value, 7)).unwrap_or_else(|_| {
                // For ever: it will not be made by the next one either.
                caught(|| LazyLock::force(&value)).expect_err("it is poisoned");
            });
        });
    }
    stage.afterwards(move |fate| assert!(fate != Fate::Returned || **value == 7));
}

fn lazy_by_others(stage: &Stage) {
    let pause = stage.pause();
    let value = Rc::new(LazyLock::new(move || {
        pause();
        pause();
        7
    }));
    let theirs = value.clone();
    stage.rival(move || assert_eq!(**theirs, 7));
    let (theirs, pause) = (value.clone(), stage.pause());
    stage.victim(move || {
        pause();
        assert_eq!(**theirs, 7);
    });
    let pause = stage.pause();
    stage.rival(move || {
        pause();
        assert_eq!(**value, 7);
    });
}
