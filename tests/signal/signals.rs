//! `Signals`: each arrives, none is lost, and afterwards all is as before.

use std::io;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use betterthreads::signal::{
    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, Signals,
};
use betterthreads::{getcurrent, sleep, spawn, with_timeout};
use signal_hook::consts::{SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP};

use crate::common::{caught, in_a_process, parked};
use crate::{alone, arrive, dies_of, last_words};

const ALL: [i32; 9] =
    [SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];

/// Whether nothing arrives any more.
fn is_quiet(signals: &Signals) -> bool {
    with_timeout(0.001, || signals.wait()).is_err()
}

#[test]
fn each_of_several_signals_is_told() {
    alone(|| {
        let signals = Signals::new(ALL).unwrap();
        for signal in ALL {
            arrive(signal);
            assert_eq!(signals.wait().unwrap(), signal);
            assert!(is_quiet(&signals));
        }
        ALL.into_iter().for_each(arrive);
        let mut arrived = ALL.map(|_| signals.wait().unwrap());
        arrived.sort_unstable();
        let mut sent = ALL;
        sent.sort_unstable();
        assert_eq!(arrived, sent);
        assert!(is_quiet(&signals));
        assert_eq!(format!("{signals:?}"), "Signals { .. }");
    });
}

#[test]
fn one_that_waits_is_woken_while_others_run() {
    alone(|| {
        let waiter = parked(|| Signals::new([SIGUSR1]).unwrap().wait().unwrap());
        let spinner = spawn(|| {
            loop {
                sleep(0);
            }
        });
        let me = std::process::id().to_string();
        let status = Command::new("kill").args(["-USR1", &me]).status();
        assert!(status.unwrap().success());
        assert_eq!(waiter.get().unwrap(), SIGUSR1);
        spinner.kill();
    });
}

#[test]
fn an_idle_process_is_woken_by_another() {
    alone(|| {
        let signals = Signals::new([SIGUSR1]).unwrap();
        let me = std::process::id();
        let script = format!("sleep 0.01; kill -USR1 {me}");
        let mut sender = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
        assert!(sender.wait().unwrap().success());
    });
}

#[test]
fn arrivals_that_nobody_waited_for_may_count_as_one_but_not_as_none_or_more() {
    alone(|| {
        let signals = Signals::new([SIGUSR1]).unwrap();
        for _ in 0..10_000 {
            arrive(SIGUSR1);
        }
        let mut count = 0;
        while !is_quiet(&signals) {
            count += 1;
        }
        assert!((1..=10_000).contains(&count), "{count}");
        arrive(SIGUSR1);
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
    });
}

#[test]
fn a_signal_listed_twice_arrives_once() {
    alone(|| {
        let signals = Signals::new([SIGUSR1, SIGUSR1]).unwrap();
        arrive(SIGUSR1);
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
        assert!(is_quiet(&signals));
    });
}

#[test]
fn everyone_who_listens_is_told() {
    alone(|| {
        let early = Signals::new([SIGUSR1]).unwrap();
        let both = Signals::new([SIGUSR2, SIGUSR1]).unwrap();
        arrive(SIGUSR1);
        let late = Signals::new([SIGUSR1]).unwrap();
        assert_eq!(early.wait().unwrap(), SIGUSR1);
        assert_eq!(both.wait().unwrap(), SIGUSR1);
        assert!(is_quiet(&late));
    });
}

#[test]
fn two_who_wait_for_the_same_signals_each_get_one() {
    alone(|| {
        let signals = Rc::new(Signals::new([SIGUSR1, SIGUSR2]).unwrap());
        let waiters = [(); 2].map(|()| {
            let signals = signals.clone();
            parked(move || signals.wait().unwrap())
        });
        arrive(SIGUSR1);
        arrive(SIGUSR2);
        let [one, two] = waiters.map(|waiter| waiter.get_timeout(1).expect("it was not woken"));
        assert_eq!(one + two, SIGUSR1 + SIGUSR2);
    });
}

#[test]
fn signals_that_cannot_be_caught_are_refused() {
    alone(|| {
        for signal in [SIGKILL, SIGSTOP, SIGSEGV, SIGILL, SIGFPE, 0, -1, 1000] {
            let error = Signals::new([signal]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{signal}");
        }
    });
}

#[test]
fn the_signals_listed_beside_a_refused_one_keep_their_default() {
    dies_of(SIGUSR1, || {
        Signals::new([SIGUSR1, SIGKILL]).unwrap_err();
        last_words();
        arrive(SIGUSR1);
    });
}

#[test]
fn nothing_to_listen_for_never_arrives() {
    alone(|| {
        let signals = Signals::new([]).unwrap();
        assert!(is_quiet(&signals));
    });
}

#[test]
fn the_default_action_is_back_when_the_last_listener_is_dropped() {
    dies_of(SIGUSR1, || {
        let one = Signals::new([SIGUSR1]).unwrap();
        let other = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
        drop(one);
        arrive(SIGUSR1);
        assert_eq!(other.wait().unwrap(), SIGUSR1);
        drop(other);
        // To listen again and to drop again makes no difference.
        let again = Signals::new([SIGUSR1]).unwrap();
        arrive(SIGUSR1);
        assert_eq!(again.wait().unwrap(), SIGUSR1);
        drop(again);
        last_words();
        arrive(SIGUSR1);
    });
}

#[test]
fn a_termination_signal_ends_the_process_again() {
    dies_of(SIGTERM, || {
        let signals = Signals::new([SIGTERM]).unwrap();
        arrive(SIGTERM);
        // It has arrived, but nobody will wait for it.
        drop(signals);
        last_words();
        arrive(SIGTERM);
    });
}

#[test]
fn a_signal_that_is_ignored_by_default_is_ignored_again() {
    alone(|| {
        for signal in [SIGCHLD, SIGWINCH] {
            drop(Signals::new([signal]).unwrap());
            arrive(signal);
        }
    });
}

#[test]
fn the_handlers_of_others_stay_in_force() {
    alone(|| {
        let seen = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGUSR1, seen.clone()).unwrap();
        let signals = Signals::new([SIGUSR1]).unwrap();
        arrive(SIGUSR1);
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
        assert!(seen.swap(false, Ordering::SeqCst));
        drop(signals);
        // It had a handler before, so the default action is not what it goes back to.
        arrive(SIGUSR1);
        assert!(seen.load(Ordering::SeqCst));
    });
}

#[test]
fn a_kill_of_one_that_waits_loses_no_signal() {
    alone(|| {
        let signals = Rc::new(Signals::new([SIGUSR1]).unwrap());
        let waiting = |signals: &Rc<Signals>| {
            let signals = signals.clone();
            parked(move || signals.wait().unwrap())
        };
        let killed = waiting(&signals);
        killed.kill();
        arrive(SIGUSR1);
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
        // The signal and the kill in the same turn: it has it, or somebody else gets it.
        let killed = waiting(&signals);
        arrive(SIGUSR1);
        killed.kill();
        if killed.get().is_err() {
            assert_eq!(signals.wait().unwrap(), SIGUSR1);
        }
        assert!(is_quiet(&signals));
    });
}

#[test]
fn a_throw_interrupts_the_wait_which_may_be_begun_again() {
    alone(|| {
        let waiter = parked(|| {
            let signals = Signals::new([SIGUSR1]).unwrap();
            assert!(caught(|| signals.wait()).is_err());
            signals.wait().unwrap()
        });
        waiter.throw("not yet");
        sleep(0);
        arrive(SIGUSR1);
        assert_eq!(waiter.get().unwrap(), SIGUSR1);
    });
}

#[test]
fn a_watcher_may_wait_for_ever_and_is_killed_with_the_rest() {
    alone(|| {
        let main = getcurrent();
        let watcher = spawn(move || {
            let signals = Signals::new([SIGUSR1, SIGUSR2]).unwrap();
            loop {
                if signals.wait().unwrap() == SIGUSR2 {
                    main.throw("SIGUSR2");
                }
            }
        });
        sleep(0);
        arrive(SIGUSR1);
        sleep(0);
        arrive(SIGUSR2);
        let thrown = caught(|| sleep(3600)).unwrap_err();
        assert_eq!(thrown.downcast_ref(), Some(&"SIGUSR2"));
        assert!(!watcher.dead());
    });
}

#[test]
fn a_plain_thread_waits_without_a_hub() {
    let output = in_a_process(|| {
        let signals = Signals::new([SIGUSR1]).unwrap();
        let waiter = thread::spawn(move || {
            arrive(SIGUSR1);
            let arrived = [signals.wait().unwrap(), signals.wait().unwrap()];
            // Listened to for as long as it may be sent.
            (arrived, signals)
        });
        let me = std::process::id().to_string();
        while !waiter.is_finished() {
            let status = Command::new("kill").args(["-USR1", &me]).status();
            assert!(status.unwrap().success());
        }
        assert_eq!(waiter.join().unwrap().0, [SIGUSR1; 2]);
    });
    assert!(output.status.success(), "{}", crate::report(&output));
}

#[test]
fn a_listener_may_be_made_on_one_thread_and_used_on_another() {
    alone(|| {
        let signals = Signals::new([SIGUSR1]).unwrap();
        assert!(is_quiet(&signals));
        let waiter = thread::spawn(move || {
            betterthreads::run(|| {
                let waiter = parked(move || signals.wait().unwrap());
                arrive(SIGUSR1);
                waiter.get().unwrap()
            })
        });
        assert_eq!(waiter.join().unwrap(), SIGUSR1);
    });
}
