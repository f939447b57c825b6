//! Sleeping, parking and letting others run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::thread::{self, Thread};
use betterthreads::{checkpoint, shield, sleep};

use crate::common::on_drop;
use crate::stage::Stage;

sweeps! {
    a_sleeper_leaves_no_timer => sleeper,
    one_who_lets_others_run_holds_nobody_up => yielder,
    one_who_computes_can_be_hit_at_its_checkpoints => computer,
    a_token_is_taken_or_stays => token,
    a_park_with_a_time_limit_leaves_no_timer => park_in_time,
}

sweeps_in_both_worlds! {
    two_sleepers_die_at_once => two_sleepers,
}

#[test]
fn a_main_greenlet_may_sleep_and_be_hit() {
    crate::run::sweep_on_main(sleeper);
}

#[test]
fn a_main_greenlet_takes_its_token_or_leaves_it() {
    crate::run::sweep_on_main(token);
}

fn sleeper(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        sleep(span);
        sleep(span / 2);
        betterthreads::thread::sleep(span * 2); // real time: none, it is the hub's clock
        sleep(0);
    });
}

fn two_sleepers(stage: &Stage) {
    let span = stage.span();
    stage.companion(move || sleep(span * 3));
    stage.victim(move || sleep(span * 3));
}

fn yielder(stage: &Stage) {
    let turns = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let turns = turns.clone();
        stage.rival(move || {
            for _ in 0..5 {
                thread::yield_now();
                turns.set(turns.get() + 1);
            }
        });
    }
    stage.victim(|| {
        for _ in 0..3 {
            thread::yield_now();
            sleep(0);
        }
    });
    stage.afterwards(move |_| assert_eq!(turns.get(), 10));
}

fn computer(stage: &Stage) {
    stage.victim(|| (0..10).for_each(|_| checkpoint()));
}

/// The token is made available once, so it must be there for the clean-up if it was not taken.
fn token(stage: &Stage) {
    let victim: Rc<RefCell<Option<Thread>>> = Rc::default();
    let (me, is_taken) = (victim.clone(), Cell::new(false));
    stage.victim(move || {
        *me.borrow_mut() = Some(thread::current());
        let _take = on_drop(|| {
            if !is_taken.get() {
                shield(thread::park);
            }
        });
        thread::park();
        is_taken.set(true);
    });
    let pause = stage.pause();
    stage.rival(move || {
        pause();
        victim.take().iter().for_each(Thread::unpark);
    });
}

fn park_in_time(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        for limit in [Duration::ZERO, span / 2, span] {
            thread::park_timeout(limit);
        }
    });
}
