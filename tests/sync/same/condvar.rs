//! `Condvar`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    hosted,
    sync::{Condvar, Mutex},
    thread,
};
use crate::support::fail;

type Pair<T> = Arc<(Mutex<T>, Condvar)>;

#[test]
fn a_waiter_sees_what_was_done_before_the_notification() {
    hosted(|| {
        let pair = Pair::<u32>::default();
        let waits = pair.clone();
        let waiter = thread::spawn(move || {
            let mut guard = waits.0.lock().unwrap();
            while *guard == 0 {
                guard = waits.1.wait(guard).unwrap();
            }
            *guard
        });
        thread::yield_now();
        *pair.0.lock().unwrap() = 5;
        pair.1.notify_one();
        assert_eq!(waiter.join().unwrap(), 5);
    });
}

#[test]
fn notify_all_reaches_everyone() {
    hosted(|| {
        let pair = Pair::<(u32, bool)>::default();
        let waiters: Vec<_> = (0..4)
            .map(|_| {
                let pair = pair.clone();
                thread::spawn(move || {
                    let mut guard = pair.0.lock().unwrap();
                    guard.0 += 1;
                    pair.1.notify_all();
                    let guard = pair.1.wait_while(guard, |state| !state.1).unwrap();
                    assert!(guard.1);
                })
            })
            .collect();
        let guard = pair.0.lock().unwrap();
        let mut guard = pair.1.wait_while(guard, |state| state.0 < 4).unwrap();
        guard.1 = true;
        drop(guard);
        pair.1.notify_all();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn each_notification_is_for_one() {
    hosted(|| {
        let pair = Pair::<u32>::default();
        let takers: Vec<_> = (0..5)
            .map(|_| {
                let pair = pair.clone();
                thread::spawn(move || {
                    let guard = pair.0.lock().unwrap();
                    *pair.1.wait_while(guard, |left| *left == 0).unwrap() -= 1;
                })
            })
            .collect();
        for _ in 0..5 {
            *pair.0.lock().unwrap() += 1;
            pair.1.notify_one();
            thread::yield_now();
        }
        takers.into_iter().for_each(|taker| taker.join().unwrap());
        assert_eq!(*pair.0.lock().unwrap(), 0);
    });
}

#[test]
fn limited_waits_tell_whether_the_time_is_up() {
    hosted(|| {
        let pair = Pair::<bool>::default();
        let (start, limit) = (Instant::now(), Duration::from_millis(5));
        let guard = pair.0.lock().unwrap();
        let (guard, end) = pair.1.wait_timeout_while(guard, limit, |_| true).unwrap();
        assert!(end.timed_out() && start.elapsed() >= limit);
        let (guard, end) = pair.1.wait_timeout_while(guard, limit, |_| false).unwrap();
        assert!(!end.timed_out());
        let (guard, end) = pair.1.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(end.timed_out());
        drop(guard);
        let sets = pair.clone();
        let setter = thread::spawn(move || {
            *sets.0.lock().unwrap() = true;
            sets.1.notify_one();
        });
        let (guard, long) = (pair.0.lock().unwrap(), Duration::from_secs(60));
        let (guard, end) = pair.1.wait_timeout_while(guard, long, |set| !*set).unwrap();
        assert!(*guard && !end.timed_out());
        drop(guard);
        setter.join().unwrap();
        assert!(pair.0.try_lock().is_ok());
    });
}

#[test]
fn a_wait_tells_of_poison() {
    hosted(|| {
        let pair = Pair::<bool>::default();
        let waits = pair.clone();
        let waiter = thread::spawn(move || {
            let mut guard = waits.0.lock().unwrap();
            loop {
                match waits.1.wait(guard) {
                    Ok(spurious) => guard = spurious,
                    Err(poisoned) => return *poisoned.into_inner(),
                }
            }
        });
        thread::yield_now();
        let poisons = pair.clone();
        let poisoner = thread::spawn(move || {
            let mut guard = poisons.0.lock().unwrap();
            *guard = true;
            fail()
        });
        assert!(poisoner.join().map(|(): ()| ()).is_err());
        // The waiter may have come late; it is notified until it has seen it.
        let notifies = pair.clone();
        let notifier = thread::spawn(move || {
            for _ in 0..50 {
                notifies.1.notify_one();
                thread::sleep(Duration::from_millis(1)); // real time: the waiter may be late
            }
        });
        if let Ok(value) = waiter.join() {
            assert!(value);
        }
        notifier.join().unwrap();
        let guard = pair.0.lock().unwrap_err().into_inner();
        let (guard, end) = pair.1.wait_timeout(guard, Duration::ZERO).unwrap_err().into_inner();
        assert!(*guard && end.timed_out());
        drop(guard);
        let guard = pair.0.lock().unwrap_err().into_inner();
        assert!(pair.1.wait_while(guard, |_| false).is_ok(), "without a wait it does not look");
    });
}

#[test]
fn notifications_are_not_kept() {
    hosted(|| {
        let pair = Pair::<()>::default();
        pair.1.notify_one();
        pair.1.notify_all();
        let guard = pair.0.lock().unwrap();
        let limit = Duration::from_millis(1);
        let (_guard, end) = pair.1.wait_timeout_while(guard, limit, |()| true).unwrap();
        assert!(end.timed_out());
    });
}

#[test]
fn a_condition_that_is_met_when_the_time_is_up_is_met() {
    hosted(|| {
        let pair = Pair::<bool>::default();
        let sets = pair.clone();
        let guard = pair.0.lock().unwrap();
        // Without a notification.
        let setter = thread::spawn(move || *sets.0.lock().unwrap() = true);
        let mut looks = 0;
        let (guard, end) = pair
            .1
            .wait_timeout_while(guard, Duration::from_millis(300), |set| {
                looks += 1;
                !*set
            })
            .unwrap();
        // Whether the setter came in time is up to the machine.
        assert_eq!(*guard, !end.timed_out());
        assert!(looks > 1);
        drop(guard);
        setter.join().unwrap();
    });
}

#[test]
fn a_wait_without_an_end_is_ended_by_a_notification() {
    hosted(|| {
        let pair = Pair::<bool>::default();
        let sets = pair.clone();
        let mut guard = pair.0.lock().unwrap();
        let setter = thread::spawn(move || {
            *sets.0.lock().unwrap() = true;
            sets.1.notify_all();
        });
        while !*guard {
            let (again, end) = pair.1.wait_timeout(guard, Duration::MAX).unwrap();
            assert!(!end.timed_out());
            guard = again;
        }
        drop(guard);
        setter.join().unwrap();
    });
}
