//! K3 for time-outs: an exception with an identity, which only its own limit catches.

use std::time::Duration;

use betterthreads::timeout::Expired;
use betterthreads::{Timeout, sleep, spawn, with_timeout};

use crate::common::{Journal, caught, hosted, parked};

#[test]
fn the_inner_of_two_limits_catches_its_own() {
    hosted(|| {
        let result = with_timeout(60, || {
            let inner = with_timeout(0.001, || sleep(3600));
            sleep(0.001); // The outer one goes on.
            inner.unwrap_err().to_string()
        });
        assert_eq!(result.unwrap(), "0.001 seconds");
    });
}

#[test]
fn the_inner_of_two_limits_lets_the_outer_one_pass() {
    hosted(|| {
        let journal = Journal::default();
        let result = with_timeout(0.001, || {
            let inner = with_timeout(60, || sleep(3600));
            journal.note("caught by the wrong one");
            inner
        });
        assert_eq!(result.unwrap_err().to_string(), "0.001 seconds");
        assert!(journal.take().is_empty());
        sleep(0.001); // Nothing is left behind.
    });
}

#[test]
fn two_limits_that_pass_together_are_each_caught_by_their_own() {
    hosted(|| {
        let result = with_timeout(0.002, || {
            let inner = with_timeout(0.001, || {
                std::thread::sleep(Duration::from_millis(10)); // real time: both limits pass
                sleep(3600);
            });
            assert!(inner.is_err(), "its limit is the first");
            sleep(3600);
        });
        assert_eq!(result.unwrap_err().to_string(), "0.002 seconds");
    });
}

#[test]
fn an_outer_limit_that_passes_first_withdraws_the_inner_one() {
    hosted(|| {
        let journal = Journal::default();
        let result = with_timeout(0.001, || {
            let inner = with_timeout(0.002, || {
                std::thread::sleep(Duration::from_millis(10)); // real time: both limits pass
                sleep(3600);
            });
            journal.note("caught by the wrong one");
            inner
        });
        assert_eq!(result.unwrap_err().to_string(), "0.001 seconds");
        sleep(0.001); // The inner one would be raised here.
        assert!(journal.take().is_empty());
    });
}

#[test]
fn timeouts_have_an_identity_for_each_start() {
    hosted(|| {
        let mut outer = Timeout::new(0.001);
        let mut inner = Timeout::new(60);
        let result = outer.run(|| inner.run(|| sleep(3600)));
        assert!(result.is_err(), "the outer one caught it");
        assert!(outer.run(|| sleep(3600)).is_err(), "it can be used again");
        outer.start();
        assert!(inner.run(|| outer.run(|| sleep(3600))).unwrap().is_err());
    });
}

#[test]
fn a_kill_and_an_exception_pass_through_a_limit() {
    hosted(|| {
        let killed = parked(|| with_timeout(60, || sleep(3600)).is_ok());
        killed.kill();
        assert!(killed.get().unwrap_err().is_killed());
        let thrown = parked(|| with_timeout(60, || sleep(3600)).is_ok());
        thrown.kill_with("stop");
        assert!(thrown.get().unwrap_err().is_thrown());
    });
}

#[test]
fn somebody_elses_expiry_is_not_caught() {
    hosted(|| {
        let stolen = with_timeout(0.001, || sleep(3600)).unwrap_err();
        let target = parked(|| with_timeout(60, || sleep(3600)).is_ok());
        target.throw(stolen);
        let failure = target.get().unwrap_err();
        assert_eq!(failure.downcast_ref::<Expired>(), Some(&stolen));
    });
}

#[test]
fn a_limit_that_nobody_catches_is_how_the_greenlet_ended() {
    hosted(|| {
        let target = spawn(|| {
            let _timeout = Timeout::start_new(0.001);
            sleep(3600);
        });
        let failure = target.get().unwrap_err();
        assert!(failure.is_thrown());
        assert!(failure.downcast_ref::<Expired>().is_some());
    });
}

#[test]
fn a_limit_is_raised_once() {
    hosted(|| {
        let timeout = Timeout::start_new(0.001);
        assert!(caught(|| sleep(3600)).unwrap_err().is::<Expired>());
        sleep(0.002);
        drop(timeout);
    });
}
