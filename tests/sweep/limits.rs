//! Time limits and shields: a limit ends what it is around and nothing else, a shield holds back
//! and lets through afterwards.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use betterthreads::timeout::Expired;
use betterthreads::{Timeout, shield, shield_for, sleep, with_timeout};

use crate::common::{caught, on_drop};
use crate::stage::{Fate, Stage};

sweeps! {
    nested_limits_end_what_is_theirs => nested,
    a_limit_that_is_started_and_cancelled_leaves_no_timer => started,
    a_limit_that_runs_again_leaves_no_timer => run_again,
    a_limit_that_nobody_catches_ends_its_greenlet => uncaught,
    a_limit_around_a_limit_that_was_passed_holds => both_at_once,
    a_shield_lets_everything_inside_come_to_its_end => shielded,
    nested_shields_last_until_the_outermost_ends => nested_shields,
    a_shield_for_a_while_lets_through_what_comes_later => shielded_for_a_while,
    a_limit_inside_a_shield_passes => limit_in_shield,
    a_limit_around_a_shield_passes_behind_it => limit_around_shield,
}

sweeps_twice! {
    a_shield_holds_back_two_strikes => shielded,
    nested_limits_may_be_struck_twice => nested,
}

#[test]
fn a_main_greenlet_may_be_shielded() {
    crate::run::sweep_on_main(shielded);
}

fn nested(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        let outer = with_timeout(span * 5 / 2, || {
            let inner = with_timeout(span, || sleep(span * 2));
            assert!(inner.is_err(), "the inner one passes first");
            assert!(with_timeout(span, || sleep(span / 2)).is_ok());
            with_timeout(span * 9, || sleep(span * 9))
        });
        assert_eq!(outer.expect_err("the outer one passes").duration(), span * 5 / 2);
    });
}

fn started(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        let mut timeout = Timeout::start_new(span * 3);
        sleep(span);
        timeout.cancel();
        sleep(span * 3);
        timeout.start();
        assert!(timeout.pending());
        let result = timeout.run(|| sleep(span * 9));
        assert!(result.is_err());
    });
}

fn run_again(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        let mut timeout = Timeout::new(span);
        for (length, is_in_time) in [(span / 2, true), (span * 2, false), (span / 2, true)] {
            assert_eq!(timeout.run(|| sleep(length)).is_ok(), is_in_time);
        }
    });
}

/// It ends by its own limit, which is a throw to everybody else.
fn uncaught(stage: &Stage) {
    let span = stage.span();
    let ends = Rc::new(Cell::new(false));
    let in_time = ends.clone();
    stage.victim(move || {
        let caught = caught(|| {
            let _timeout = Timeout::start_new(span);
            sleep(span * 3);
        });
        in_time.set(true);
        if let Err(payload) = caught
            && !payload.is::<Expired>()
        {
            resume_unwind(payload);
        }
    });
    stage.victim_may_survive();
    stage.afterwards(move |fate| assert!(fate != Fate::Returned || ends.get()));
}

/// Both limits have passed when the greenlet next looks.
fn both_at_once(stage: &Stage) {
    let span = stage.span();
    stage.victim(move || {
        let outer = with_timeout(span, || {
            let inner = with_timeout(span, || sleep(span * 3));
            assert!(inner.is_err(), "an outer one that was raised is not caught here");
            sleep(span);
        });
        assert!(outer.is_err());
    });
}

/// Everything inside the shield is done, if it was begun.
fn shielded(stage: &Stage) {
    let (begun, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (begins, ends, pause) = (begun.clone(), ended.clone(), stage.pause());
    stage.victim(move || {
        for _ in 0..2 {
            shield(|| {
                begins.set(begins.get() + 1);
                pause();
                shield(&pause);
                pause();
                ends.set(ends.get() + 1);
            });
            pause();
        }
    });
    stage.afterwards(move |fate| {
        assert_eq!(begun.get(), ended.get(), "a shield that did not hold");
        assert!(fate != Fate::Returned || ended.get() == 2);
    });
}

fn nested_shields(stage: &Stage) {
    let is_up = Rc::new(Cell::new(false));
    let (up, pause) = (is_up.clone(), stage.pause());
    stage.victim(move || {
        let _down = on_drop(|| assert!(!up.get(), "unwound behind a shield"));
        pause();
        shield(|| {
            up.set(true);
            shield(&pause);
            let _caught = caught(|| shield(|| panic_quietly(&pause)));
            pause();
            up.set(false);
        });
        pause();
    });
    stage.afterwards(move |_| assert!(!is_up.get()));
}

fn panic_quietly(pause: impl Fn()) {
    let _clean_up = on_drop(pause);
    resume_unwind(Box::new("caught"));
}

fn shielded_for_a_while(stage: &Stage) {
    let (safe, span) = (Rc::new(Cell::new(true)), stage.span());
    let held = safe.clone();
    stage.victim(move || {
        for _ in 0..2 {
            shield_for(span * 2, || {
                held.set(false);
                sleep(span);
                held.set(true);
                sleep(span * 3);
            });
        }
    });
    stage.afterwards(move |_| assert!(safe.get(), "a shield that did not hold"));
}

fn limit_in_shield(stage: &Stage) {
    let (begun, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (begins, ends, span) = (begun.clone(), ended.clone(), stage.span());
    stage.victim(move || {
        shield(|| {
            begins.set(1);
            assert!(with_timeout(span, || sleep(span * 3)).is_err());
            ends.set(1);
        });
    });
    stage.afterwards(move |_| assert_eq!(begun.get(), ended.get()));
}

fn limit_around_shield(stage: &Stage) {
    let (ended, span) = (Rc::new(Cell::new(0)), stage.span());
    let ends = ended.clone();
    stage.victim(move || {
        let limited = with_timeout(span, || {
            shield(|| sleep(span * 2));
            ends.set(1);
            sleep(span);
            ends.set(2);
        });
        assert!(limited.is_err() && ends.get() == 1);
    });
    stage.afterwards(move |fate| {
        assert!(ended.get() == 1 || ended.get() == 0 && fate != Fate::Returned);
    });
}
