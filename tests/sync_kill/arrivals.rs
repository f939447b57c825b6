//! Waiting for something that everybody gets: events, results, ends; and for a token.

use std::rc::Rc;
use std::sync::Arc;

use betterthreads::event::{AsyncResult, Event};
use betterthreads::{GreenletExit, sleep, thread, with_timeout};

use crate::common::{Journal, caught, hosted, meanwhile, on_drop, parked, settle};

#[test]
fn an_interrupted_waiter_leaves_an_event() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let waits = || {
            let event = event.clone();
            parked(move || event.wait())
        };
        let (killed, thrown, stays) = (waits(), waits(), waits());
        assert!(with_timeout(0.001, || event.wait()).is_err());
        assert_eq!(event.linkcount(), 3);
        killed.kill();
        thrown.throw("thrown");
        thrown.join();
        assert_eq!(event.linkcount(), 1);
        event.set();
        assert!(stays.get().unwrap());
        assert_eq!(event.linkcount(), 0);
    });
}

#[test]
fn an_interrupted_waiter_leaves_a_result_to_the_others() {
    hosted(|| {
        let result = Rc::new(AsyncResult::new());
        let waits = || {
            let result = result.clone();
            parked(move || result.get().unwrap())
        };
        let (killed, late, stays) = (waits(), waits(), waits());
        assert!(with_timeout(0.001, || result.get()).is_err());
        killed.kill();
        assert_eq!(result.linkcount(), 2);
        late.kill_nowait();
        result.set("value");
        assert_eq!(stays.get().unwrap(), "value");
        assert!(late.get().unwrap_err().is_killed());
        assert_eq!((result.linkcount(), result.get().unwrap()), (0, "value"));
    });
}

#[test]
fn a_result_that_was_set_before_the_kill_is_returned() {
    hosted(|| {
        let journal = Journal::default();
        let result = Rc::new(AsyncResult::new());
        let (gets, notes) = (result.clone(), journal.clone());
        let waiter = parked(move || {
            notes.note(gets.get().unwrap());
            sleep(0);
            notes.note("survived");
        });
        result.set("value");
        waiter.kill();
        assert!(waiter.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["value"]);
    });
}

#[test]
fn a_result_from_another_thread_beats_a_kill_that_comes_after_it() {
    hosted(|| {
        let journal = Journal::default();
        let result = Arc::new(AsyncResult::new());
        let (gets, notes) = (result.clone(), journal.clone());
        let waiter = parked(move || {
            notes.note(gets.get().unwrap());
            sleep(0);
            notes.note("survived");
        });
        meanwhile(|| {
            result.set("value");
            waiter.kill_nowait();
        });
        waiter.join();
        assert_eq!(journal.take(), ["value"]);
    });
}

#[test]
fn a_killed_joiner_leaves_the_target_alone() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let target = parked(move || {
            goes.wait();
            7
        });
        let joined = target.clone();
        let joiner = parked(move || joined.get().unwrap());
        joiner.kill();
        assert!(!target.dead());
        go.set();
        assert_eq!(target.get().unwrap(), 7);
    });
}

#[test]
fn a_join_handle_lost_to_a_kill_drops_the_value_once() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let (goes, notes) = (go.clone(), journal.clone());
        let handle = thread::spawn(move || {
            goes.wait();
            notes.note_on_drop("value dropped")
        });
        let joiner = parked(move || drop(handle.join()));
        joiner.kill();
        assert!(journal.take().is_empty());
        go.set();
        settle();
        assert_eq!(journal.take(), ["value dropped"]);
    });
}

#[test]
fn a_join_handle_whose_thread_ended_before_the_kill_returns_its_value() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let handle = thread::spawn(move || {
            goes.wait();
            "value"
        });
        sleep(0);
        let (ends, notes) = (handle.greenlet(), journal.clone());
        let joiner = parked(move || {
            notes.note(handle.join().unwrap());
            sleep(0);
            notes.note("survived");
        });
        go.set();
        sleep(0); // The thread ends; whoever joins it has not run yet.
        assert!(ends.dead());
        joiner.kill();
        assert_eq!(journal.take(), ["value"]);
    });
}

#[test]
fn a_killed_park_leaves_a_later_token_for_the_clean_up() {
    hosted(|| {
        let journal = Journal::default();
        let notes = journal.clone();
        let target = thread::spawn(move || {
            let _clean_up = on_drop(move || {
                thread::park();
                notes.note("parked in unwind and got the token");
            });
            thread::park();
        });
        sleep(0);
        target.kill_nowait();
        target.thread().unpark();
        assert!(target.join().unwrap_err().is::<GreenletExit>());
        assert_eq!(journal.take(), ["parked in unwind and got the token"]);
    });
}

#[test]
fn a_park_that_ran_out_of_time_takes_no_later_token() {
    hosted(|| {
        let journal = Journal::default();
        let notes = journal.clone();
        let target = thread::spawn(move || {
            assert!(with_timeout(0.001, thread::park).is_err());
            notes.note("out of time");
            thread::park();
            notes.note("token");
        });
        settle();
        settle();
        while journal.take() != ["out of time"] {
            sleep(0.001);
        }
        target.thread().unpark();
        target.join().unwrap();
        assert_eq!(journal.take(), ["token"]);
    });
}

#[test]
fn a_token_that_came_before_the_kill_is_used_up() {
    hosted(|| {
        let journal = Journal::default();
        let notes = journal.clone();
        let target = thread::spawn(move || {
            thread::park();
            notes.note("unparked");
            assert!(caught(thread::park).is_err());
            notes.note("the kill");
        });
        sleep(0);
        target.thread().unpark();
        target.kill();
        assert_eq!(journal.take(), ["unparked", "the kill"]);
    });
}
