//! Clean-up that waits, unwinds that are caught, panics: whatever happens on the way out,
//! everything on it is dropped, once.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::panic::panic_any;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::TcpStream;
use betterthreads::queue::Queue;
use betterthreads::sync::{Mutex, PoisonError};
use betterthreads::{local, shield, sleep, spawn, with_timeout};

use crate::common::{Journal, caught, on_drop};
use crate::stage::{Fate, Guard, Mishap, Stage};
use crate::tools::socket_pair;

sweeps! {
    an_unwind_that_is_caught_leaves_nothing_over => swallowed,
    clean_up_may_sleep => sleep_in_clean_up,
    clean_up_may_be_nested => nested_clean_up,
    clean_up_may_take_a_lock => lock_in_clean_up,
    clean_up_may_wait_for_others => join_in_clean_up,
    clean_up_may_have_a_time_limit => limited_clean_up,
    clean_up_may_put_into_a_full_queue => put_in_clean_up,
    a_panic_and_a_strike_end_it_once => panic,
    clean_up_may_unwind_and_be_caught => caught_in_clean_up,
    local_values_are_dropped_where_they_may_wait => locals,
    what_was_captured_is_dropped_where_it_may_wait => captured,
}

sweeps_in_both_worlds! {
    clean_up_may_say_goodbye => goodbye,
}

sweeps_twice! {
    a_second_strike_does_not_disturb_a_sleep_in_clean_up => sleep_in_clean_up,
    a_second_strike_does_not_disturb_nested_clean_up => nested_clean_up,
    a_second_strike_does_not_disturb_a_lock_in_clean_up => lock_in_clean_up,
    a_second_strike_does_not_disturb_a_goodbye => goodbye,
    a_second_strike_does_not_disturb_a_time_limit_in_clean_up => limited_clean_up,
    one_who_catches_may_be_struck_twice => swallowed,
    local_values_are_dropped_once_though_struck_twice => locals,
}

/// A destructor that notes that it ran to its end, which takes a while.
fn slowly(stage: &Stage, count: &Rc<Cell<u32>>) -> impl Sized + 'static {
    let (guard, pause, count) = (stage.guard(), stage.pause(), count.clone());
    count.set(count.get() + 1);
    on_drop(move || {
        let _guard = guard;
        shield(|| {
            pause();
            pause();
        });
        count.set(count.get() - 1);
    })
}

/// The victim catches the first unwind and goes on.
fn swallowed(stage: &Stage) {
    stage.victim_may_survive();
    let pause = stage.pause();
    stage.victim(move || {
        for _ in 0..3 {
            let _caught = caught(&pause);
        }
    });
}

fn sleep_in_clean_up(stage: &Stage) {
    let count = Rc::default();
    let (clean_up, pause) = (slowly(stage, &count), stage.pause());
    stage.victim(move || {
        let _clean_up = clean_up;
        pause();
        pause();
    });
    stage.afterwards(move |_| assert_eq!(count.get(), 0, "clean-up that did not end"));
}

/// Destructors within destructors, and several in a row.
fn nested_clean_up(stage: &Stage) {
    let count = Rc::default();
    let (first, second, inner) =
        (slowly(stage, &count), slowly(stage, &count), slowly(stage, &count));
    let pause = stage.pause();
    stage.victim(move || {
        let _first = first;
        let _outer = on_drop(|| {
            let _inner = inner;
            shield(&pause);
        });
        let _second = second;
        pause();
    });
    stage.afterwards(move |_| assert_eq!(count.get(), 0, "clean-up that did not end"));
}

fn lock_in_clean_up(stage: &Stage) {
    let total = Rc::new(Mutex::new(0));
    let add_one = |pause: Duration| {
        let total = total.clone();
        move || {
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            sleep(pause);
            *total += 1;
        }
    };
    let (add, pause) = (add_one(stage.span()), stage.pause());
    stage.victim(move || {
        let _clean_up = on_drop(|| shield(add));
        pause();
        pause();
    });
    stage.rival(add_one(stage.span() * 2));
    stage.rival(add_one(stage.span() * 2));
    stage.afterwards(move |_| {
        // A victim that was hit at its very beginning has nothing to clean up.
        let total = *total.lock().expect("locked in an unwind that had begun before");
        assert!((2..=3).contains(&total), "{total}");
    });
}

fn join_in_clean_up(stage: &Stage) {
    let count = Rc::default();
    let (clean_up, pause) = (slowly(stage, &count), stage.pause());
    stage.victim(move || {
        let child = spawn(move || drop(clean_up));
        let _join = on_drop(move || shield(|| child.join()));
        pause();
    });
    stage.afterwards(move |_| assert_eq!(count.get(), 0, "a child that was not waited for"));
}

/// Its time limit is the only thing that ends clean-up early.
fn limited_clean_up(stage: &Stage) {
    let ends = Rc::new(RefCell::new(Vec::new()));
    let (notes, span, pause) = (ends.clone(), stage.span(), stage.pause());
    stage.victim(move || {
        let _clean_up = on_drop(|| {
            shield(|| {
                let end = with_timeout(span, || sleep(span * 3));
                notes.borrow_mut().push(end.is_err());
            });
        });
        pause();
    });
    stage.afterwards(move |_| assert!(ends.borrow().iter().all(|is_limited| *is_limited)));
}

/// Clean-up waits until somebody makes room.
fn put_in_clean_up(stage: &Stage) {
    let queue = Rc::new(Queue::bounded(1));
    queue.put(0);
    let (theirs, pause) = (queue.clone(), stage.pause());
    let last_words = on_drop(move || shield(|| theirs.put(1)));
    stage.victim(move || {
        let _last_words = last_words;
        pause();
    });
    let pause = stage.pause();
    stage.rival(move || {
        (0..3).for_each(|_| pause());
        assert_eq!((queue.get(), queue.get()), (0, 1));
    });
}

/// The goodbye is written while the other end is slow, and an answer is waited for.
fn goodbye(stage: &Stage) {
    let (mut here, mut there) = socket_pair();
    let pause = stage.pause();
    stage.victim(move || {
        let mut farewell = here.try_clone().expect("a duplicate");
        let _goodbye = on_drop(move || {
            shield(|| {
                farewell.write_all(b"goodbye").expect("a reader");
                let mut answer = [0; 3];
                farewell.read_exact(&mut answer).expect("an answer");
                assert_eq!(&answer, b"bye");
            });
        });
        here.write_all(b"hello ").expect("a reader");
        pause();
    });
    let pause = stage.pause();
    stage.rival(move || answer_goodbye(&mut there, pause));
}

fn answer_goodbye(stream: &mut TcpStream, pause: impl Fn()) {
    let (mut text, mut bytes) = (Vec::new(), [0; 16]);
    while !text.ends_with(b"goodbye") {
        match stream.read(&mut bytes).expect("some text") {
            // It was hit before it could say anything.
            0 => return assert!(text.is_empty(), "no goodbye after {text:?}"),
            n => text.extend_from_slice(&bytes[..n]),
        }
        pause();
    }
    stream.write_all(b"bye").expect("one who waits for it");
}

/// The victim panics, at the latest when nothing else has ended it.
fn panic(stage: &Stage) {
    stage.victim_may_end(Fate::Panicked);
    let count = Rc::default();
    let (clean_up, pause) = (slowly(stage, &count), stage.pause());
    stage.victim(move || {
        let _clean_up = clean_up;
        pause();
        panic_any(Mishap);
    });
    stage.afterwards(move |fate| {
        assert_eq!(count.get(), 0, "clean-up that did not end");
        assert_ne!(fate, Fate::Returned);
    });
}

/// A destructor that does what unwinds, and catches it, while it unwinds itself.
fn caught_in_clean_up(stage: &Stage) {
    let journal = Journal::default();
    let (notes, pause) = (journal.clone(), stage.pause());
    stage.victim(move || {
        let _clean_up = on_drop(|| {
            shield(|| {
                let unwound = caught(|| {
                    let _inner = on_drop(&pause);
                    pause();
                    panic_any(Mishap)
                });
                let _mishap: Box<_> = unwound.map(|()| "no mishap").expect_err("a mishap");
                notes.note("cleaned up");
            });
        });
        notes.note("begun");
        pause();
    });
    stage.afterwards(move |_| {
        let notes = journal.take();
        assert!(notes.is_empty() || notes == ["begun", "cleaned up"], "{notes:?}");
    });
}

local! {
    static LOCALS: RefCell<Vec<Box<dyn Any>>> = RefCell::default();
}

fn locals(stage: &Stage) {
    // By the time they are dropped its body has returned.
    stage.victim_may_survive();
    let count = Rc::default();
    let (first, second, pause) = (slowly(stage, &count), slowly(stage, &count), stage.pause());
    stage.victim(move || {
        LOCALS.with_borrow_mut(|locals| locals.push(Box::new(first)));
        pause();
        LOCALS.with_borrow_mut(|locals| locals.push(Box::new(second)));
        pause();
    });
    stage.afterwards(move |_| assert_eq!(count.get(), 0, "a local value that was not dropped"));
}

/// The victim may be hit before it begins: then it drops what it captured.
fn captured(stage: &Stage) {
    let count = Rc::default();
    let captured: Vec<_> = (0..3).map(|_| slowly(stage, &count)).collect();
    let guard: Guard = stage.guard();
    stage.victim(move || drop((captured, guard)));
    stage.afterwards(move |_| assert_eq!(count.get(), 0, "captured and not dropped"));
}
