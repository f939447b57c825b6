//! Events and results: everybody who waits is told, whoever dies beside them.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::event::{AsyncResult, Event};
use betterthreads::lock::Semaphore;
use betterthreads::spawn;

use crate::common::on_drop;
use crate::stage::{Fate, Stage};

sweeps! {
    an_event_reaches_everybody_who_waits => event,
    an_event_that_is_cleared_again_reaches_those_who_waited => flash,
    an_event_with_a_time_limit_leaves_no_waiter => event_in_time,
    one_who_dies_sets_its_event_in_its_clean_up => set_in_clean_up,
    a_result_reaches_everybody_who_waits => result,
    a_result_with_a_time_limit_leaves_no_waiter => result_in_time,
    one_who_dies_leaves_a_failure_as_its_result => fail,
    a_result_copies_how_a_victim_ended => copy,
    one_who_waits_in_vain_is_forgotten => in_vain,
}

fn event(stage: &Stage) {
    let event = Rc::new(Event::new());
    let wait = || {
        let event = event.clone();
        move || assert!(event.wait())
    };
    stage.rival(wait());
    stage.victim(wait());
    stage.rival(wait());
    let (theirs, pause) = (event.clone(), stage.pause());
    stage.rival(move || {
        pause();
        theirs.set();
    });
    stage.afterwards(move |_| assert_eq!(event.linkcount(), 0));
}

fn flash(stage: &Stage) {
    let event = Rc::new(Event::new());
    let waiting = Rc::new(Cell::new(0));
    let wait = || {
        let (event, waiting) = (event.clone(), waiting.clone());
        move || {
            waiting.set(waiting.get() + 1);
            assert!(event.wait());
        }
    };
    stage.victim(wait());
    stage.rival(wait());
    stage.rival(wait());
    let (pause, gone) = (stage.pause(), stage.gone());
    stage.rival(move || {
        // As long as somebody has not come yet.
        while waiting.get() < 2 || !(waiting.get() == 3 || gone.is_set()) {
            pause();
        }
        pause();
        event.set();
        event.clear();
    });
}

fn event_in_time(stage: &Stage) {
    let event = Rc::new(Event::new());
    let (theirs, span) = (event.clone(), stage.span());
    stage.victim(move || {
        assert!(!theirs.wait_timeout(span / 2));
        assert!(theirs.wait_timeout(span * 9));
    });
    let (theirs, pause) = (event.clone(), stage.pause());
    stage.rival(move || {
        pause();
        pause();
        theirs.set();
    });
    stage.afterwards(move |_| assert_eq!(event.linkcount(), 0));
}

fn set_in_clean_up(stage: &Stage) {
    let event = Rc::new(Event::new());
    let theirs = event.clone();
    let (set, pause) = (on_drop(move || theirs.set()), stage.pause());
    stage.victim(move || {
        let _set = set;
        pause();
        pause();
    });
    for _ in 0..2 {
        let event = event.clone();
        stage.rival(move || assert!(event.wait()));
    }
}

fn result(stage: &Stage) {
    let result = Rc::new(AsyncResult::new());
    let get = || {
        let result = result.clone();
        move || assert_eq!(result.get().expect("a value"), 7)
    };
    stage.rival(get());
    stage.victim(get());
    let theirs = result.clone();
    stage.rival(move || theirs.wait());
    let (theirs, pause) = (result.clone(), stage.pause());
    stage.rival(move || {
        pause();
        theirs.set(7);
    });
    stage.afterwards(move |_| assert_eq!((result.value(), result.linkcount()), (Some(7), 0)));
}

fn result_in_time(stage: &Stage) {
    let result = Rc::new(AsyncResult::new());
    let (theirs, span) = (result.clone(), stage.span());
    stage.victim(move || {
        assert!(theirs.get_timeout(span / 2).expect_err("too early").is_timeout());
        assert!(theirs.wait_timeout(span * 9));
        assert_eq!(theirs.get_nowait().expect("a value"), 7);
    });
    let (theirs, pause) = (result.clone(), stage.pause());
    stage.rival(move || {
        pause();
        pause();
        theirs.set(7);
    });
    stage.afterwards(move |_| assert_eq!(result.linkcount(), 0));
}

/// The victim sets a value, or its clean-up a failure.
fn fail(stage: &Stage) {
    let result = Rc::new(AsyncResult::new());
    let theirs = result.clone();
    let fail = on_drop(move || {
        if !theirs.ready() {
            theirs.set_exception("died");
        }
    });
    let (theirs, pause) = (result.clone(), stage.pause());
    stage.victim(move || {
        let _fail = fail;
        pause();
        theirs.set(7);
        pause();
    });
    for _ in 0..2 {
        let result = result.clone();
        stage.rival(move || match result.get() {
            Ok(value) => assert_eq!(value, 7),
            Err(failure) => assert_eq!(failure.downcast_ref::<&str>(), Some(&"died")),
        });
    }
    stage.afterwards(move |fate| assert!(fate != Fate::Returned || result.successful()));
}

/// A link copies the end of a child for whoever waits for it.
fn copy(stage: &Stage) {
    let (result, has_child) = (Rc::new(AsyncResult::new()), Rc::new(Cell::new(false)));
    let (theirs, linked, pause) = (result.clone(), has_child.clone(), stage.pause());
    stage.victim(move || {
        let child = spawn(move || {
            pause();
            7
        });
        let target = theirs.clone();
        child.link(move |child| target.copy_from(&child));
        linked.set(true);
        assert_eq!(theirs.get().expect("a value"), 7);
    });
    let gone = stage.gone();
    stage.rival(move || {
        gone.wait();
        // The victim may have died before it had a child.
        assert!(!has_child.get() || result.get().is_ok_and(|value| value == 7));
    });
}

/// Nobody comes by later who would clear up.
fn in_vain(stage: &Stage) {
    let event = Rc::new(Event::new());
    let (result, semaphore) = (Rc::new(AsyncResult::<u32>::new()), Rc::new(Semaphore::new(0)));
    let (event_too, result_too, semaphore_too) = (event.clone(), result.clone(), semaphore.clone());
    let span = stage.span();
    stage.victim(move || {
        assert!(!event_too.wait_timeout(span));
        assert!(!result_too.wait_timeout(span));
        assert!(!semaphore_too.acquire_timeout(span));
    });
    stage.afterwards(move |_| {
        let waiters = [event.linkcount(), result.linkcount(), semaphore.linkcount()];
        assert_eq!(waiters, [0, 0, 0]);
    });
}
