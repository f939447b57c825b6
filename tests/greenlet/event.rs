//! `event::Event`: a level flag, seen by greenlets and OS threads.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::{joinall, sleep, spawn, with_timeout};

use crate::common::{hosted, meanwhile, on_drop, parked};

#[test]
fn an_event_is_set_until_it_is_cleared() {
    static EVENT: Event = Event::new();
    hosted(|| {
        assert!(!EVENT.is_set() && !EVENT.ready());
        assert!(!EVENT.wait_timeout(0));
        EVENT.set();
        EVENT.set();
        assert!(EVENT.is_set() && EVENT.ready());
        assert!(EVENT.wait());
        assert!(EVENT.wait_timeout(0));
        EVENT.clear();
        EVENT.clear();
        assert!(!EVENT.is_set() && !EVENT.ready());
        assert!(!EVENT.wait_timeout(0.001));
    });
    assert!(!Event::default().is_set());
}

#[test]
fn a_wait_with_a_time_limit_takes_that_long() {
    hosted(|| {
        let start = Instant::now();
        assert!(!Event::new().wait_timeout(0.01));
        assert!(start.elapsed() >= Duration::from_millis(10));
    });
}

#[test]
fn set_and_clear_at_once_release_everyone_who_waits_in_order() {
    for count in [1, 100, 1000] {
        hosted(move || {
            let event = Rc::new(Event::new());
            let order = Rc::new(RefCell::new(Vec::new()));
            let waiters: Vec<_> = (0..count)
                .map(|number| {
                    let (event, order) = (event.clone(), order.clone());
                    spawn(move || {
                        assert!(event.wait());
                        order.borrow_mut().push(number);
                    })
                })
                .collect();
            sleep(0);
            assert_eq!(event.linkcount(), count);
            event.set();
            event.clear();
            assert_eq!(event.linkcount(), 0);
            joinall(&waiters);
            assert!(order.borrow().iter().copied().eq(0..count));
            assert!(!event.wait_timeout(0));
        });
    }
}

#[test]
fn one_that_waits_again_after_the_clear_waits() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let theirs = event.clone();
        let waiter = parked(move || (theirs.wait(), theirs.wait_timeout(0.001)));
        event.set();
        event.clear();
        assert_eq!(waiter.get().unwrap(), (true, false));
    });
}

#[test]
fn those_who_leave_early_are_no_longer_counted() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let theirs = event.clone();
        let killed = parked(move || theirs.wait());
        let theirs = event.clone();
        let stays = parked(move || theirs.wait());
        assert_eq!(event.linkcount(), 2);
        assert_eq!(format!("{event:?}"), "<Event clear linkcount=2>");
        killed.kill();
        assert!(!event.wait_timeout(0.001));
        assert!(with_timeout(0.001, || event.wait()).is_err());
        assert_eq!(event.linkcount(), 1);
        event.set();
        assert_eq!(format!("{event:?}"), "<Event set linkcount=0>");
        assert!(stays.get().unwrap());
    });
}

#[test]
fn another_thread_may_set_it() {
    hosted(|| {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let waiter = parked(move || theirs.wait());
        // While the hub stands still, and while it sleeps.
        let theirs = event.clone();
        meanwhile(move || theirs.set());
        assert!(waiter.get().unwrap());
        event.clear();
        let theirs = event.clone();
        let setter = thread::spawn(move || theirs.set());
        assert!(event.wait());
        setter.join().unwrap();
    });
}

#[test]
fn plain_threads_and_greenlets_wait_together() {
    hosted(|| {
        let event = Arc::new(Event::new());
        let threads = [(); 3].map(|()| {
            let event = event.clone();
            thread::spawn(move || event.wait())
        });
        let theirs = event.clone();
        let greenlet = parked(move || theirs.wait());
        while event.linkcount() < 4 {
            sleep(0.000_1);
        }
        event.set();
        event.clear();
        assert!(greenlet.get().unwrap());
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn plain_threads_need_no_hub() {
    let event = Arc::new(Event::new());
    assert!(!event.wait_timeout(0));
    assert!(!event.wait_timeout(0.001));
    assert_eq!(event.linkcount(), 0);
    let theirs = event.clone();
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        for limit in [Duration::from_secs(3600), Duration::MAX] {
            assert!(theirs.wait_timeout(limit));
            theirs.clear();
            sender.send(()).unwrap();
        }
    });
    for _ in 0..2 {
        event.set();
        receiver.recv().unwrap();
    }
    waiter.join().unwrap();
}

/// Waits as often as another OS thread sets the event, which does so just when the next wait
/// begins; a third one asks how many wait, to make the other two get in each other's way.
fn wait_in_a_race() {
    const TURNS: u32 = 10_000;
    let event = Arc::new(Event::new());
    let [given, taken] = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
    let (set, theirs, seen) = (event.clone(), given.clone(), taken.clone());
    let setter = thread::spawn(move || {
        for turn in 0..TURNS {
            while seen.load(Ordering::SeqCst) < turn {
                thread::yield_now();
            }
            theirs.store(turn + 1, Ordering::SeqCst);
            set.set();
        }
    });
    let (asked, seen) = (event.clone(), taken.clone());
    let asker = thread::spawn(move || {
        while seen.load(Ordering::SeqCst) < TURNS {
            asked.linkcount();
        }
    });
    // Should this one fail, the others are to stop as well.
    let _stop = on_drop(|| taken.store(TURNS, Ordering::SeqCst));
    for turn in 0..TURNS {
        event.wait();
        assert!(given.load(Ordering::SeqCst) > turn, "released by a set before the clear");
        event.clear();
        taken.store(turn + 1, Ordering::SeqCst);
    }
    setter.join().unwrap();
    asker.join().unwrap();
}

#[test]
fn a_set_releases_nobody_who_begins_to_wait_after_the_clear() {
    hosted(wait_in_a_race);
    thread::spawn(wait_in_a_race).join().unwrap();
}
