//! `catch_keyboard_interrupt`: who is interrupted, where, and what a second Ctrl-C does.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::process::{Command, exit};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::select::select;
use betterthreads::signal::{KeyboardInterrupt, SIGINT, Signals, catch_keyboard_interrupt};
use betterthreads::{
    Greenlet, Thread, checkpoint, joinall, run, shield, sleep, spawn, thread, with_timeout,
};

use crate::common::{Journal, caught, hosted, in_a_process, listener, on_drop, parked};
use crate::{alone, arrive, dies_of, last_words, report};

const INTERRUPTED: Result<(), KeyboardInterrupt> = Err(KeyboardInterrupt);

#[test]
fn a_value_is_returned_when_nobody_interrupts() {
    alone(|| {
        assert_eq!(catch_keyboard_interrupt(|| 7), Ok(7));
        let waited = catch_keyboard_interrupt(|| {
            sleep(0.001);
            8
        });
        assert_eq!(waited, Ok(8));
    });
}

#[test]
fn the_default_action_is_back_after_a_value() {
    dies_of(SIGINT, || {
        assert_eq!(catch_keyboard_interrupt(|| sleep(0)), Ok(()));
        last_words();
        arrive(SIGINT);
    });
}

#[test]
fn the_default_action_is_back_after_an_interrupt() {
    dies_of(SIGINT, || {
        let result = catch_keyboard_interrupt(|| {
            arrive(SIGINT);
            sleep(3600);
        });
        assert_eq!(result, INTERRUPTED);
        sleep(0);
        last_words();
        arrive(SIGINT);
    });
}

#[test]
fn every_wait_can_be_interrupted() {
    alone(|| {
        let sleeper = parked(|| sleep(3600));
        let server = Thread::from_fn(|| sleep(3600));
        server.start().unwrap();
        let event = Event::new();
        let listener = listener();
        let waits: [&dyn Fn(); 10] = [
            &|| sleep(3600),
            &|| sleeper.join(),
            &|| drop(sleeper.get()),
            &|| drop(joinall([&sleeper])),
            &|| server.join().unwrap(),
            &|| assert!(event.wait()),
            &|| drop(listener.accept()),
            &|| drop(select(&[], &[], &[], Duration::MAX)),
            &thread::park,
            &|| loop {
                sleep(0);
            },
        ];
        for wait in waits {
            let journal = Journal::default();
            let result = catch_keyboard_interrupt(|| {
                let _local = journal.note_on_drop("dropped");
                // While it waits, and before it does.
                let interrupt = spawn(|| arrive(SIGINT));
                wait();
                interrupt.join();
            });
            assert_eq!(result, INTERRUPTED);
            assert_eq!(journal.take(), ["dropped"]);
            let result = catch_keyboard_interrupt(|| {
                arrive(SIGINT);
                wait();
            });
            assert_eq!(result, INTERRUPTED);
        }
        // Everybody else goes on, to be stopped in an orderly way.
        assert!(!sleeper.dead() && server.is_alive());
        server.stop().unwrap();
    });
}

#[test]
fn an_interrupt_from_another_process_wakes_an_idle_one() {
    alone(|| {
        let script = format!("sleep 0.01; kill -INT {}", std::process::id());
        let mut sender = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        assert_eq!(catch_keyboard_interrupt(|| sleep(3600)), INTERRUPTED);
        assert!(sender.wait().unwrap().success());
    });
}

#[test]
fn the_innermost_of_nested_catchers_gets_it() {
    alone(|| {
        let inner_only = Cell::new(false);
        let outer = catch_keyboard_interrupt(|| {
            let inner = catch_keyboard_interrupt(|| {
                arrive(SIGINT);
                sleep(3600);
            });
            assert_eq!(inner, INTERRUPTED);
            sleep(0.001);
            inner_only.set(true);
            // The outer one gets the next.
            arrive(SIGINT);
            sleep(3600);
        });
        assert_eq!(outer, INTERRUPTED);
        assert!(inner_only.get());
    });
}

#[test]
fn one_interrupt_is_for_one_catcher_though_another_looks_for_it_later() {
    alone(|| {
        let ((begun, beginning), (ended, end)) = (channel(), channel());
        let late = std::thread::spawn(move || {
            run(|| {
                catch_keyboard_interrupt(|| {
                    begun.send(()).expect("who waits");
                    // Its hub looks at nothing meanwhile.
                    end.recv().expect("who interrupts");
                    sleep(0.01);
                })
            })
        });
        beginning.recv().expect("who catches");
        let result = catch_keyboard_interrupt(|| {
            arrive(SIGINT);
            sleep(3600);
        });
        assert_eq!(result, INTERRUPTED);
        ended.send(()).expect("who waits");
        assert_eq!(late.join().unwrap(), Ok(()));
    });
}

#[test]
fn the_greenlet_that_catches_is_interrupted_not_main() {
    alone(|| {
        let catching = parked(|| catch_keyboard_interrupt(|| sleep(3600)));
        arrive(SIGINT);
        // It would be raised here.
        sleep(0.001);
        assert_eq!(catching.get().unwrap(), INTERRUPTED);
    });
}

/// A greenlet that catches until it is told to end.
fn catcher() -> (Greenlet<Result<(), KeyboardInterrupt>>, Rc<Event>) {
    let event = Rc::new(Event::new());
    let gate = event.clone();
    let greenlet = parked(move || {
        catch_keyboard_interrupt(|| {
            gate.wait();
        })
    });
    (greenlet, event)
}

#[test]
fn catchers_of_several_greenlets_may_end_in_any_order() {
    alone(|| {
        let (older, end_older) = catcher();
        let (newer, _event) = catcher();
        end_older.set();
        assert_eq!(older.get().unwrap(), Ok(()));
        arrive(SIGINT);
        let result = newer.get_timeout(1).expect("the interrupt was lost");
        assert_eq!(result, INTERRUPTED);
        // The other way round, and with both there: it is for the newer one alone.
        let (older, _event) = catcher();
        let (newer, _event) = catcher();
        arrive(SIGINT);
        assert_eq!(newer.get_timeout(1).unwrap(), INTERRUPTED);
        sleep(0.001);
        assert!(!older.dead());
        arrive(SIGINT);
        assert_eq!(older.get_timeout(1).unwrap(), INTERRUPTED);
    });
}

#[test]
fn what_the_body_raises_passes_through() {
    dies_of(SIGINT, || {
        let payload = caught(|| catch_keyboard_interrupt(|| resume_unwind(Box::new("why"))));
        assert_eq!(payload.unwrap_err().downcast_ref(), Some(&"why"));
        let limited = with_timeout(0.001, || catch_keyboard_interrupt(|| sleep(3600)));
        assert!(limited.is_err());
        let (killed, _event) = catcher();
        killed.kill();
        assert!(killed.get().unwrap_err().is_killed());
        last_words();
        arrive(SIGINT);
    });
}

#[test]
fn a_late_interrupt_goes_to_the_outer_catcher() {
    alone(|| {
        let ended = Rc::new(Cell::new(false));
        let outer = catch_keyboard_interrupt(|| {
            // The body returns before it could be interrupted.
            assert_eq!(catch_keyboard_interrupt(|| arrive(SIGINT)), Ok(()));
            ended.set(true);
            sleep(3600);
        });
        assert_eq!(outer, INTERRUPTED);
        assert!(ended.get());
    });
}

#[test]
fn a_late_interrupt_ends_the_process_if_there_is_no_outer_catcher() {
    dies_of(SIGINT, || {
        last_words();
        let _ = catch_keyboard_interrupt(|| arrive(SIGINT));
        unreachable!("it was too late for the body");
    });
}

#[test]
fn an_interrupt_that_was_thrown_but_not_raised_is_late_too() {
    dies_of(SIGINT, || {
        last_words();
        let _ = catch_keyboard_interrupt(|| {
            arrive(SIGINT);
            shield(|| sleep(0.001));
        });
        unreachable!("it was too late for the body");
    });
}

#[test]
fn a_shield_holds_it_back() {
    alone(|| {
        let journal = Journal::default();
        let result = catch_keyboard_interrupt(|| {
            shield(|| {
                arrive(SIGINT);
                sleep(0.001);
                journal.note("shielded");
            });
            checkpoint();
            journal.note("went on");
        });
        assert_eq!(result, INTERRUPTED);
        assert_eq!(journal.take(), ["shielded"]);
    });
}

#[test]
fn a_body_that_swallows_it_may_return_a_value() {
    alone(|| {
        let result = catch_keyboard_interrupt(|| {
            arrive(SIGINT);
            let swallowed = caught(|| sleep(3600)).unwrap_err();
            assert!(swallowed.is::<KeyboardInterrupt>());
            sleep(0.001);
            7
        });
        assert_eq!(result, Ok(7));
    });
}

#[test]
fn a_second_one_during_the_unwind_ends_the_process() {
    dies_of(SIGINT, || {
        let _ = catch_keyboard_interrupt(|| {
            let _slow = on_drop(|| {
                // Clean-up that hangs, and a user who has lost patience.
                spawn(|| {
                    last_words();
                    arrive(SIGINT);
                });
                sleep(3600);
            });
            arrive(SIGINT);
            sleep(3600);
        });
    });
}

#[test]
fn a_second_one_during_the_clean_up_ends_the_process() {
    dies_of(SIGINT, || {
        struct Stuck;
        impl betterthreads::Run for Stuck {
            fn run(&mut self) {
                sleep(3600);
            }
            fn shutdown(&mut self) {
                sleep(3600);
            }
        }
        let server = Thread::new(Stuck);
        let result = catch_keyboard_interrupt(|| {
            server.start().unwrap();
            arrive(SIGINT);
            server.join()
        });
        assert!(result.is_err());
        spawn(|| {
            last_words();
            arrive(SIGINT);
        });
        server.stop().unwrap();
    });
}

#[test]
fn a_second_one_ends_the_process_in_spite_of_an_outer_catcher() {
    dies_of(SIGINT, || {
        let _ = catch_keyboard_interrupt(|| {
            let _ = catch_keyboard_interrupt(|| {
                let _slow = on_drop(|| {
                    last_words();
                    arrive(SIGINT);
                    exit(7);
                });
                arrive(SIGINT);
                sleep(3600);
            });
        });
    });
}

#[test]
fn those_who_listen_for_sigint_see_it_as_well() {
    alone(|| {
        let signals = Signals::new([SIGINT]).unwrap();
        let result = catch_keyboard_interrupt(|| {
            arrive(SIGINT);
            sleep(3600);
        });
        assert_eq!(result, INTERRUPTED);
        assert_eq!(signals.wait().unwrap(), SIGINT);
        // As long as somebody listens, it does not end the process.
        arrive(SIGINT);
        assert_eq!(signals.wait().unwrap(), SIGINT);
    });
}

#[test]
fn an_os_thread_that_caught_may_end() {
    let output = in_a_process(|| {
        let plain = std::thread::spawn(|| {
            let waited = catch_keyboard_interrupt(|| sleep(0.001));
            let interrupted = catch_keyboard_interrupt(|| {
                arrive(SIGINT);
                sleep(3600);
            });
            (waited, interrupted)
        });
        assert_eq!(plain.join().unwrap(), (Ok(()), INTERRUPTED));
    });
    assert!(output.status.success(), "{}", report(&output));
}

#[test]
fn it_is_an_error_with_a_text() {
    let error: Box<dyn std::error::Error + Send + Sync> = KeyboardInterrupt.into();
    assert_eq!(error.to_string(), "interrupted from the keyboard");
    hosted(|| {
        let greenlet = parked(|| sleep(3600));
        greenlet.throw(KeyboardInterrupt);
        assert!(greenlet.get().unwrap_err().downcast_ref::<KeyboardInterrupt>().is_some());
    });
}
