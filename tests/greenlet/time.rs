//! Sleeping: order, length, kinds of numbers, and that it costs nothing.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use betterthreads::{IntoDuration, joinall, sleep, spawn, spawn_later, time};

use crate::common::{caught, hosted, parked};

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    hosted(|| {
        let order = Rc::new(RefCell::new(Vec::new()));
        let sleepers: Vec<_> = [30, 10, 40, 20]
            .map(|millis| {
                let order = order.clone();
                spawn(move || {
                    let deadline = Instant::now() + Duration::from_millis(millis);
                    sleep(Duration::from_millis(millis));
                    assert!(Instant::now() >= deadline);
                    order.borrow_mut().push(deadline);
                })
            })
            .into();
        joinall(&sleepers);
        // Compared with their own clocks, because a busy machine may begin one much later.
        let slack = Duration::from_millis(5);
        assert!(order.borrow().is_sorted_by(|one, next| *one <= *next + slack));
    });
}

#[test]
fn those_who_sleep_equally_long_wake_in_the_order_they_lay_down() {
    hosted(|| {
        let order = Rc::new(RefCell::new(Vec::new()));
        let sleepers: Vec<_> = (0..100)
            .map(|number| {
                let order = order.clone();
                spawn(move || {
                    sleep(0.002);
                    order.borrow_mut().push(number);
                })
            })
            .collect();
        joinall(&sleepers);
        assert!(order.borrow().iter().copied().eq(0..100));
    });
}

#[test]
fn a_sleep_of_zero_gives_everyone_else_one_turn() {
    hosted(|| {
        let turns = Rc::new(RefCell::new([0; 3]));
        let spinners: Vec<_> = (0..3)
            .map(|number| {
                let turns = turns.clone();
                spawn(move || {
                    loop {
                        turns.borrow_mut()[number] += 1;
                        sleep(0);
                    }
                })
            })
            .collect();
        for turn in 1..1000 {
            sleep(0);
            assert_eq!(*turns.borrow(), [turn; 3]);
        }
        betterthreads::killall(&spinners);
    });
}

#[test]
fn seconds_may_be_given_as_any_kind_of_number() {
    hosted(|| {
        sleep(0);
        sleep(0_u32);
        sleep(0_u64);
        sleep(0.001);
        sleep(0.001_f32);
        sleep(Duration::from_millis(1));
        time::sleep(Duration::from_millis(1));
        let greenlet = parked(|| sleep(3600));
        assert!(!greenlet.join_timeout(0.0));
        assert!(!greenlet.join_timeout(0_u64));
        greenlet.kill();
        assert_eq!(spawn_later(0_u32, || 7).get().unwrap(), 7);
    });
    assert_eq!(1.5.into_duration(), Duration::from_millis(1500));
    assert_eq!(1.5_f32.into_duration(), Duration::from_millis(1500));
    assert_eq!(2.into_duration(), Duration::from_secs(2));
    assert_eq!(u32::MAX.into_duration(), Duration::from_secs(u64::from(u32::MAX)));
    assert_eq!(u64::MAX.into_duration(), Duration::from_secs(u64::MAX));
    assert_eq!(0.0.into_duration(), Duration::ZERO);
    assert_eq!((-0.0).into_duration(), Duration::ZERO);
}

#[test]
fn what_is_no_length_of_time_is_refused() {
    for seconds in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e30] {
        assert!(caught(|| seconds.into_duration()).is_err(), "{seconds}");
    }
    assert!(caught(|| f32::NAN.into_duration()).is_err());
    assert!(caught(|| (-1).into_duration()).is_err());
}

/// The processor time that this thread has used.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("a kernel with schedstat");
    let nanos = text.split(' ').next().expect("three numbers");
    Duration::from_nanos(nanos.parse().expect("a number"))
}

#[test]
fn waiting_costs_no_processor_time() {
    hosted(|| {
        let _parked = [(); 100].map(|()| parked(|| sleep(3600)));
        let begin = processor_time();
        // The measure works: this ends, however little of the processor this thread gets.
        while processor_time() - begin < Duration::from_millis(2) {}
        let begin = processor_time();
        sleep(0.2);
        let used = processor_time() - begin;
        assert!(used < Duration::from_millis(10), "{used:?}");
    });
}
