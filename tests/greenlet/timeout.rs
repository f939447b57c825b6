//! `with_timeout` and `Timeout`.

use std::cell::Cell;
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::select::select;
use betterthreads::timeout::Expired;
use betterthreads::{
    Timeout, checkpoint, joinall, joinall_timeout, shield, sleep, spawn, thread, with_timeout,
};

use crate::common::{caught, hosted, listener, on_drop, parked, stream};

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_value_in_time_is_returned_and_nothing_comes_later() {
    hosted(|| {
        assert_eq!(with_timeout(0.002, || "value"), Ok("value"));
        let waited = with_timeout(LONG, || {
            sleep(0.001);
            "waited"
        });
        assert_eq!(waited, Ok("waited"));
        sleep(0.005);
    });
}

#[test]
fn a_limit_that_passes_unwinds_not_before_its_time() {
    hosted(|| {
        let dropped = Rc::new(Cell::new(false));
        let note = dropped.clone();
        let start = Instant::now();
        let error = with_timeout(0.005, move || {
            let _local = on_drop(move || note.set(true));
            sleep(3600);
        });
        let error = error.unwrap_err();
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert!(dropped.get());
        assert_eq!(error.duration(), Duration::from_millis(5));
        assert_eq!(error.to_string(), "0.005 seconds");
    });
}

#[test]
fn a_limit_of_zero_passes_at_the_first_wait() {
    hosted(|| {
        assert_eq!(with_timeout(0, || 7), Ok(7));
        assert!(with_timeout(0, || sleep(3600)).is_err());
        assert!(with_timeout(0, || sleep(0.000_001)).is_err());
    });
}

#[test]
fn a_loop_that_only_yields_is_ended_in_time() {
    hosted(|| {
        let end = with_timeout(0.001, || -> () {
            loop {
                sleep(0);
            }
        });
        assert!(end.is_err());
    });
}

#[test]
fn a_limit_beyond_the_clock_never_passes() {
    hosted(|| {
        let waited = with_timeout(Duration::MAX, || {
            sleep(0.001);
            7
        });
        assert_eq!(waited, Ok(7));
        let mut timeout = Timeout::start_new(Duration::MAX);
        assert!(timeout.pending());
        sleep(0.001);
        assert!(timeout.pending());
        timeout.cancel();
        assert!(!timeout.pending());
    });
}

#[test]
fn the_shorter_of_two_nested_limits_is_the_one_that_passes() {
    hosted(|| {
        let inner_first = with_timeout(LONG, || {
            let inner = with_timeout(0.001, || sleep(3600));
            assert_eq!(inner.unwrap_err().duration(), Duration::from_millis(1));
            "outer goes on"
        });
        assert_eq!(inner_first, Ok("outer goes on"));
        let outer_first = with_timeout(0.001, || {
            let _inner = with_timeout(LONG, || sleep(3600));
            unreachable!("the inner one does not catch the outer one's");
        });
        assert_eq!(outer_first.unwrap_err().duration(), Duration::from_millis(1));
    });
}

#[test]
fn equal_limits_are_told_apart() {
    hosted(|| {
        for _ in 0..10 {
            let outer = with_timeout(0.001, || {
                with_timeout(0.001, || sleep(3600)).unwrap_err();
                sleep(3600);
            });
            outer.unwrap_err();
        }
    });
}

#[test]
fn an_outer_limit_surfaces_through_every_call_that_has_one_of_its_own() {
    hosted(|| {
        let sleeper = parked(|| sleep(3600));
        let event = Event::new();
        let (idle, _peer) = stream();
        let waits: [&dyn Fn(); 9] = [
            &|| sleep(LONG),
            &|| thread::park_timeout(LONG),
            &|| drop(sleeper.get_timeout(LONG)),
            &|| assert!(!sleeper.join_timeout(LONG)),
            &|| assert!(!event.wait_timeout(LONG)),
            &|| assert!(joinall_timeout([&sleeper], LONG).is_empty()),
            &|| drop(select(&[idle.as_fd()], &[], &[], LONG)),
            &|| drop(select(&[], &[], &[], LONG)),
            &|| assert_eq!(with_timeout(LONG, || sleep(LONG)), Ok(())),
        ];
        for (number, wait) in waits.into_iter().enumerate() {
            let limit = Duration::from_micros(500 + number as u64);
            assert_eq!(with_timeout(limit, wait).unwrap_err().duration(), limit);
        }
        assert!(!sleeper.dead());
    });
}

#[test]
fn a_limit_ends_waits_without_one() {
    hosted(|| {
        let sleeper = parked(|| sleep(3600));
        let event = Event::new();
        let listener = listener();
        let waits: [&dyn Fn(); 6] = [
            &thread::park,
            &|| sleeper.join(),
            &|| drop(sleeper.get()),
            &|| assert!(event.wait()),
            &|| drop(listener.accept()),
            &|| drop(joinall([&sleeper])),
        ];
        for wait in waits {
            assert!(with_timeout(0.000_5, wait).is_err());
        }
        assert!(!sleeper.dead());
        assert_eq!(event.linkcount(), 0);
    });
}

#[test]
fn what_the_body_raises_passes_through_and_stops_the_clock() {
    hosted(|| {
        let payload = caught(|| with_timeout(0.001, || resume_unwind(Box::new("why"))));
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"why"));
        let payload = caught(|| Timeout::new(0.001).run(|| resume_unwind(Box::new("why"))));
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"why"));
        sleep(0.005);
    });
}

#[test]
fn a_limit_is_for_the_greenlet_that_set_it() {
    hosted(|| {
        let other = parked(|| {
            sleep(0.005);
            "undisturbed"
        });
        assert!(with_timeout(0.001, || sleep(3600)).is_err());
        assert_eq!(other.get().unwrap(), "undisturbed");
    });
}

#[test]
fn a_time_out_is_pending_from_its_start_until_it_passes_or_is_cancelled() {
    hosted(|| {
        let mut timeout = Timeout::new(0.001);
        assert_eq!(timeout.duration(), Duration::from_millis(1));
        assert!(!timeout.pending());
        timeout.start();
        assert!(timeout.pending());
        assert!(timeout.run(|| sleep(3600)).is_err());
        assert!(!timeout.pending());
        let mut timeout = Timeout::start_new(LONG);
        assert!(timeout.pending());
        timeout.cancel();
        assert!(!timeout.pending());
        timeout.start();
        assert!(timeout.pending());
        timeout.close();
        assert!(!timeout.pending());
    });
}

#[test]
fn a_time_out_can_be_used_again() {
    hosted(|| {
        let mut timeout = Timeout::new(0.001);
        for _ in 0..3 {
            assert_eq!(timeout.run(|| 7), Ok(7));
            assert!(timeout.run(|| sleep(3600)).is_err());
        }
        assert_eq!(timeout.run(|| 7), Ok(7));
        sleep(0.003);
    });
}

#[test]
fn a_running_clock_is_not_started_again() {
    hosted(|| {
        let start = Instant::now();
        let mut timeout = Timeout::start_new(0.01);
        sleep(0.005);
        timeout.start();
        assert!(timeout.run(|| sleep(3600)).is_err());
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_millis(10), "{elapsed:?}");
    });
}

#[test]
fn a_cancelled_or_dropped_time_out_is_not_raised() {
    hosted(|| {
        let mut timeout = Timeout::start_new(0.001);
        timeout.cancel();
        drop(Timeout::start_new(0.001));
        sleep(0.005);
        // One that has passed already, but could not be raised yet.
        shield(|| {
            timeout.start();
            let dropped = Timeout::start_new(0.001);
            sleep(0.005);
            assert!(!timeout.pending() && !dropped.pending());
            timeout.cancel();
        });
        sleep(0);
        checkpoint();
    });
}

#[test]
fn one_that_is_raised_outside_of_run_is_caught_by_nobody_else() {
    hosted(|| {
        let greenlet = spawn(|| {
            let _timeout = Timeout::start_new(0.001);
            let _inner = with_timeout(LONG, || sleep(3600));
            let _other = Timeout::new(LONG).run(|| sleep(3600));
        });
        let failure = greenlet.get().unwrap_err();
        assert!(failure.is_thrown());
        let expired = failure.downcast_ref::<Expired>().unwrap();
        assert_eq!(expired.duration(), Duration::from_millis(1));
        assert!(!greenlet.successful());
    });
}

#[test]
fn a_time_out_started_before_run_is_caught_there() {
    hosted(|| {
        let mut outer = Timeout::start_new(0.001);
        let mut inner = Timeout::start_new(LONG);
        let error = outer.run(|| inner.run(|| sleep(3600)));
        assert_eq!(error.unwrap_err().duration(), Duration::from_millis(1));
    });
}

#[test]
fn the_texts_are_gevents() {
    hosted(|| {
        let text = |limit| with_timeout(limit, || sleep(3600)).unwrap_err().to_string();
        assert_eq!(text(0.001), "0.001 seconds");
        assert_eq!(text(0.0), "0 seconds");
        let timeout = Timeout::new(1.5);
        assert_eq!(format!("{timeout:?}"), "<Timeout seconds=1.5>");
        let timeout = Timeout::start_new(60);
        assert_eq!(format!("{timeout:?}"), "<Timeout seconds=60 pending>");
    });
}
