//! Wake-ups from other OS threads that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::testing::{Call, Simulation};
use betterthreads::{joinall, spawn};
use libc::{EAGAIN, EBADF};

use crate::common::hosted;
use crate::storms::fail_first;
use crate::sweep::alone;

/// Waits until `count` have been woken, which is soon, unless they are not.
fn await_woken(woken: &AtomicUsize, count: usize) {
    for _ in 0..10_000 {
        if woken.load(Ordering::SeqCst) >= count {
            return;
        }
        thread::sleep(Duration::from_micros(200)); // real time: of a thread without a hub
    }
    panic!("{count} were to be woken");
}

/// Wakes one greenlet after the other until a wake-up fails on the way, and then one more.
fn wake_past_a_failure(events: &[Arc<Event>], woken: &AtomicUsize, error: i32) {
    let (_failing, failed) = fail_first(1, Call::Wake, error);
    for (index, event) in events.iter().enumerate() {
        let failed_before = failed.get() > 0;
        event.set();
        if failed_before {
            return await_woken(woken, index + 1);
        }
        if failed.get() == 0 {
            await_woken(woken, index + 1);
            // A hub that is awake needs no call to be woken.
            thread::sleep(Duration::from_millis(1)); // real time: it goes to sleep meanwhile
        }
    }
    panic!("the hub never slept");
}

#[test]
fn a_wake_up_that_fails_is_made_up_for_by_the_next() {
    let _alone = alone();
    for error in [EAGAIN, EBADF] {
        hosted(move || {
            Simulation::new(1).run(|| {
                let events: Vec<Arc<Event>> = (0..1000).map(|_| Arc::default()).collect();
                let woken = Arc::new(AtomicUsize::new(0));
                let greenlets: Vec<_> = events
                    .iter()
                    .map(|event| {
                        let (event, woken) = (event.clone(), woken.clone());
                        spawn(move || {
                            event.wait();
                            woken.fetch_add(1, Ordering::SeqCst);
                        })
                    })
                    .collect();
                let theirs = events.clone();
                let other = thread::spawn(move || {
                    wake_past_a_failure(&theirs, &woken, error);
                    theirs.iter().for_each(|event| event.set());
                });
                joinall(&greenlets);
                other.join().expect("no panic");
            });
        });
    }
}
