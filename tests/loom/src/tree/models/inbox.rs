//! The inbox and its flag: a hub that goes to sleep, those who send it messages, and its end.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::{check, greenlet, hosted};
use crate::sched::kill::Exception;
use crate::sched::spawn;
use crate::wait::join;

#[test]
pub(crate) fn a_hub_that_goes_to_sleep_misses_no_message() {
    check(|| {
        hosted(|_| {
            let runs = Rc::new(Cell::new(0));
            let greenlets = [(), ()].map(|()| {
                let runs = runs.clone();
                greenlet(move || runs.set(runs.get() + 1))
            });
            let senders = greenlets.clone().map(|it| thread::spawn(move || spawn::start(&it)));
            assert!(greenlets.iter().all(|it| join::join(it, None)));
            assert_eq!(runs.get(), 2);
            senders.into_iter().for_each(|sender| sender.join().unwrap());
        });
    });
}

/// What it counts is how often it was dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
pub(crate) fn a_message_to_a_hub_that_ends_is_dropped_once() {
    check(|| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let mut senders = None;
        hosted(|main| {
            senders = Some([(), ()].map(|()| {
                let (main, payload) = (main.clone(), Counted(dropped.clone()));
                thread::spawn(move || join::ask(&main, Exception::Throw(Box::new(payload))))
            }));
        });
        senders.into_iter().flatten().for_each(|sender| sender.join().unwrap());
        assert_eq!(dropped.load(Ordering::Relaxed), 2, "dropped once each");
    });
}
