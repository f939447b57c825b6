//! K8: what becomes of a greenlet is what its body says, or else what it died of; kills are silent.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

use betterthreads::{
    Greenlet, GreenletExit, Timeout, joinall, sleep, spawn, thread, try_joinall, with_timeout,
};

use crate::common::{caught, hosted, on_drop, parked};

#[test]
fn a_killed_greenlet_is_successful_and_has_no_value_and_no_exception() {
    hosted(|| {
        let target = parked(|| sleep(3600));
        assert!(!target.ready() && !target.successful());
        target.kill();
        assert!(target.ready() && target.successful());
        assert!(target.exception().is_none());
        assert_eq!(target.value(), None);
        let failure = target.get().unwrap_err();
        assert!(failure.is_killed());
        assert!(!failure.is_panicked() && !failure.is_thrown() && !failure.is_timeout());
        assert_eq!(failure.to_string(), GreenletExit.to_string());
        assert!(failure.into_payload().is::<GreenletExit>());
    });
}

#[test]
fn a_value_is_the_outcome_also_after_a_kill_was_swallowed() {
    hosted(|| {
        let target = parked(|| {
            drop(caught(|| sleep(3600)));
            7
        });
        target.kill();
        assert!(target.successful());
        assert!(target.exception().is_none());
        assert_eq!(target.value(), Some(7));
        assert_eq!(target.get().unwrap(), 7);
    });
}

#[test]
fn a_body_that_returns_before_it_sees_its_kill_has_its_value() {
    hosted(|| {
        let target = spawn(|| {
            betterthreads::getcurrent().kill_nowait();
            7
        });
        assert_eq!(target.get().unwrap(), 7);
    });
}

#[test]
fn a_panic_is_the_outcome() {
    hosted(|| {
        let target: Greenlet<u32> = parked(|| {
            sleep(0.001);
            panic::resume_unwind(Box::new("broken"))
        });
        target.join();
        assert!(target.ready() && !target.successful());
        assert_eq!(target.value(), None);
        let failure = target.exception().unwrap();
        assert!(failure.is_panicked() && !failure.is_killed() && !failure.is_thrown());
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"broken"));
        assert_eq!(failure.to_string(), "the greenlet panicked: broken");
        assert!(try_joinall(&[target]).unwrap_err().is_panicked());
    });
}

#[test]
fn a_panic_in_the_clean_up_of_a_kill_is_the_outcome() {
    hosted(|| {
        let target = parked(|| {
            drop(caught(|| sleep(3600)));
            panic::resume_unwind(Box::new("while cleaning up"));
        });
        target.kill();
        assert!(!target.successful());
        let failure = target.get().unwrap_err();
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"while cleaning up"));
    });
}

#[test]
fn a_panic_is_the_outcome_though_a_kill_is_pending() {
    hosted(|| {
        let target = spawn(|| {
            betterthreads::getcurrent().kill_nowait();
            panic::resume_unwind(Box::new("broken"));
        });
        assert!(target.get().unwrap_err().is_panicked());
    });
}

#[test]
fn a_thrown_exception_is_the_outcome() {
    hosted(|| {
        #[derive(Debug, PartialEq)]
        struct Reload(u32);
        let target = parked(|| sleep(3600));
        target.kill_with(Reload(7));
        assert!(target.ready() && !target.successful());
        let failure = target.exception().unwrap();
        assert!(failure.is_thrown() && !failure.is_panicked());
        assert_eq!(failure.downcast_ref(), Some(&Reload(7)));
    });
}

#[test]
fn an_exception_passed_on_by_a_catcher_is_still_the_thrown_one() {
    hosted(|| {
        let target = parked(|| {
            if let Err(payload) = caught(|| sleep(3600)) {
                panic::resume_unwind(payload);
            }
        });
        target.throw(String::from("passed on"));
        assert!(target.get().unwrap_err().is_thrown());
        let killed = parked(|| {
            let payload = caught(|| sleep(3600)).unwrap_err();
            panic::resume_unwind(payload);
        });
        killed.kill();
        let killed: Greenlet<()> = killed;
        assert!(killed.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_panic_after_an_exception_was_survived_is_a_panic() {
    hosted(|| {
        for _ in 0..20 {
            let target = parked(|| {
                drop(caught(|| sleep(3600)));
                // Its payload may well lie where the exception lay.
                panic::panic_any(1_u64);
            });
            target.throw(1_u64);
            assert!(target.get().unwrap_err().is_panicked());
        }
    });
}

#[test]
fn an_exception_whose_clean_up_caught_another_is_still_the_outcome() {
    hosted(|| {
        let target = parked(|| {
            let _clean_up = on_drop(|| with_timeout(0.001, || sleep(3600)));
            sleep(3600);
        });
        target.throw("stop");
        assert!(target.get().unwrap_err().is_thrown());
        let target = parked(|| {
            let _clean_up = on_drop(|| caught(|| panic!("on purpose {}", std::process::id())));
            sleep(3600);
        });
        target.throw("stop");
        assert!(target.get().unwrap_err().is_thrown());
    });
}

#[test]
fn an_exception_whose_clean_up_caught_a_panic_of_its_type_is_still_the_outcome() {
    hosted(|| {
        let target = parked(|| {
            let _clean_up = on_drop(|| caught(|| panic!("on purpose")));
            sleep(3600);
        });
        target.throw("stop");
        assert!(target.get().unwrap_err().is_thrown(), "both carry a `&str`");
    });
}

#[test]
fn a_kill_stays_a_kill_when_its_clean_up_catches_a_panic() {
    hosted(|| {
        let target = parked(|| {
            let _clean_up = on_drop(|| {
                drop(caught(|| panic::resume_unwind(Box::new("inside"))));
            });
            sleep(3600);
        });
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_drop_in_thread_tells_as_std_does() {
    hosted(|| {
        let killed = thread::spawn(|| sleep(3600));
        sleep(0);
        killed.kill();
        assert!(killed.is_finished());
        assert!(killed.join().unwrap_err().is::<GreenletExit>());
        let thrown = thread::spawn(|| sleep(3600));
        sleep(0);
        thrown.greenlet().throw("stop");
        assert_eq!(thrown.join().unwrap_err().downcast_ref(), Some(&"stop"));
    });
}

thread_local! {
    static HOOK_RUNS: Cell<u32> = const { Cell::new(0) };
}

/// Counts the runs of the panic hook on each OS thread.
fn count_hook_runs() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            HOOK_RUNS.set(HOOK_RUNS.get() + 1);
            previous(info);
        }));
    });
}

#[test]
fn the_panic_hook_runs_for_panics_and_for_nothing_else() {
    count_hook_runs();
    hosted(|| {
        let killed = parked(|| sleep(3600));
        killed.kill();
        let thrown = parked(|| sleep(3600));
        thrown.kill_with("stop");
        let stubborn = parked(|| drop(caught(|| sleep(3600))));
        stubborn.kill();
        let unbegun = spawn(|| ());
        unbegun.kill();
        let expired = parked(|| {
            let _timeout = Timeout::start_new(0.001);
            sleep(3600);
        });
        let limited = spawn(|| with_timeout(0.001, || sleep(3600)).is_err());
        limited.join();
        joinall(&[killed, thrown, stubborn, unbegun, expired]);
        assert_eq!(HOOK_RUNS.get(), 0);
        let panicked = spawn(|| panic!("once, on purpose"));
        panicked.join();
        assert_eq!(HOOK_RUNS.get(), 1);
    });
}
