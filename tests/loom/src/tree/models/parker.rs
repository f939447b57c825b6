//! The token of `park` and `unpark`, and the sleep of a plain thread.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::{caught, check, hosted, passed, throw};
use crate::sched::control::Control;
use crate::sched::current;
use crate::wait::{park, parker};

/// Says so and makes the token of `control` available.
fn unpark_later(control: &Arc<Control>) -> (Arc<AtomicBool>, thread::JoinHandle<()>) {
    let said = Arc::new(AtomicBool::new(false));
    let thread = thread::spawn({
        let (said, control) = (said.clone(), control.clone());
        move || {
            said.store(true, Ordering::Relaxed);
            parker::unpark(&control);
        }
    });
    (said, thread)
}

fn a_token_is_not_missed(control: &Arc<Control>) {
    let (said, thread) = unpark_later(control);
    // The first may return without the token; if it does with it, it has to see what was said.
    parker::park(passed());
    while !said.load(Ordering::Relaxed) {
        parker::park(None);
    }
    thread.join().unwrap();
}

#[test]
pub(crate) fn a_plain_thread_does_not_miss_its_token() {
    check(|| a_token_is_not_missed(&current::control()));
}

#[test]
pub(crate) fn a_greenlet_does_not_miss_its_token() {
    check(|| hosted(a_token_is_not_missed));
}

#[test]
pub(crate) fn a_token_that_comes_while_something_is_raised_stays() {
    check(|| {
        hosted(|main| {
            let (said, unparker) = unpark_later(main);
            let thrower = thread::spawn({
                let main = main.clone();
                move || throw(&main)
            });
            let parked = caught(|| parker::park(None)).is_ok();
            thrower.join().unwrap();
            assert_eq!(parked, caught(park::checkpoint).is_err(), "raised once");
            if !parked {
                parker::park(None);
            }
            assert!(said.load(Ordering::Relaxed), "parking brought no order");
            unparker.join().unwrap();
        });
    });
}
