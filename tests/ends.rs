//! K16 and K17: how hubs end, and what ends the process. The fatal cases run in a process of their
//! own, a second run of the same test.
#![allow(unsafe_code)] // For code before `main`.

#[path = "common/mod.rs"]
mod common;

use std::process::Output;

use betterthreads::{Greenlet, sleep};

use common::{assert_killed_by, caught, hosted, in_a_process, on_drop, parked, text};

/// Parks a greenlet with a name that would say so if it were unwound.
fn left_behind(name: &str) -> Greenlet<()> {
    let greenlet = parked(|| {
        let _tells = on_drop(|| eprintln!("unwound after all"));
        sleep(3600);
    });
    greenlet.set_name(name);
    greenlet
}

mod k16_run {
    use std::panic::resume_unwind;
    use std::rc::Rc;
    use std::sync::mpsc::channel;

    use betterthreads::event::Event;
    use betterthreads::{run, spawn, spawn_later};

    use super::*;
    use crate::common::Journal;

    /// Runs `f` in `run` on an OS thread of its own.
    fn run_elsewhere<T: Send>(f: impl FnOnce() -> T + Send) -> std::thread::Result<T> {
        std::thread::scope(|scope| scope.spawn(|| run(f)).join())
    }

    /// Leaves one greenlet of each kind behind.
    fn leave(journal: &Journal) {
        let waits = journal.clone();
        let _waiting = parked(move || {
            let _clean_up = on_drop(|| {
                sleep(0.005);
                waits.note("the waiting one cleaned up");
            });
            sleep(3600);
        });
        let captured = journal.note_on_drop("the spawned one was dropped");
        let _spawned = spawn(move || {
            drop(captured);
            sleep(3600);
        });
        let captured = journal.note_on_drop("the later one was dropped");
        let _later = spawn_later(3600, move || drop(captured));
    }

    const LEFT: [&str; 3] =
        ["the later one was dropped", "the spawned one was dropped", "the waiting one cleaned up"];

    #[test]
    fn kills_and_joins_what_is_left() {
        let journal = Journal::default();
        let value = run_elsewhere(|| {
            leave(&journal);
            7
        });
        assert_eq!(value.unwrap(), 7);
        let mut noted = journal.take();
        noted.sort_unstable();
        assert_eq!(noted, LEFT);
    }

    #[test]
    fn does_so_when_its_closure_panics() {
        let journal = Journal::default();
        let result = run_elsewhere(|| {
            leave(&journal);
            resume_unwind(Box::new("on purpose"))
        });
        let payload = result.map(|(): ()| ()).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
        let mut noted = journal.take();
        noted.sort_unstable();
        assert_eq!(noted, LEFT);
    }

    #[test]
    fn joins_what_clean_up_spawns() {
        let journal = Journal::default();
        run_elsewhere(|| {
            let noted = journal.clone();
            parked(move || {
                let _clean_up = on_drop(|| {
                    let joined = noted.clone();
                    spawn(move || joined.note("the child it joins ran")).join();
                    let endless = noted.clone();
                    parked(move || {
                        let _clean_up = endless.note_on_drop("the endless child was killed");
                        sleep(3600);
                    });
                });
                sleep(3600);
            });
        })
        .unwrap();
        assert_eq!(journal.take(), ["the child it joins ran", "the endless child was killed"]);
    }

    #[test]
    fn joins_one_that_swallows_its_kill_for_a_while() {
        let journal = Journal::default();
        run_elsewhere(|| {
            let noted = journal.clone();
            parked(move || {
                for _ in 0..3 {
                    drop(caught(|| sleep(3600)));
                }
                noted.note("gave in");
            });
        })
        .unwrap();
        assert_eq!(journal.take(), ["gave in"]);
    }

    #[test]
    fn is_not_cut_short_by_a_kill_of_its_main_greenlet() {
        let journal = Journal::default();
        let result = run_elsewhere(|| {
            let (noted, main) = (journal.clone(), betterthreads::getcurrent());
            parked(move || {
                let _clean_up = on_drop(|| {
                    main.kill();
                    sleep(0.005);
                    noted.note("cleaned up");
                });
                sleep(3600);
            });
        });
        result.unwrap();
        assert_eq!(journal.take(), ["cleaned up"]);
    }

    #[test]
    fn leaves_handles_behind_that_tell_the_end() {
        let (sends, receives) = channel();
        run_elsewhere(move || sends.send(parked(|| sleep(3600))).unwrap()).unwrap();
        let greenlet = receives.recv().unwrap();
        assert!(greenlet.dead());
        greenlet.kill();
        greenlet.join();
        assert!(greenlet.get().unwrap_err().is_killed());
    }

    #[test]
    fn can_be_called_again() {
        hosted(|| ());
        let both = std::thread::spawn(|| [1, 2].map(|number| run(|| spawn(move || number).get())));
        assert_eq!(both.join().unwrap().map(Result::unwrap), [1, 2]);
    }

    #[test]
    #[should_panic(expected = "run was called inside run")]
    fn panics_inside_run() {
        hosted(|| run(|| ()));
    }

    #[test]
    fn panics_in_a_greenlet_and_harms_nobody_else() {
        hosted(|| {
            let event = Rc::new(Event::new());
            let waits = event.clone();
            let other = parked(move || waits.wait());
            let failure = spawn(|| run(|| ())).get().unwrap_err();
            assert_eq!(
                failure.to_string(),
                "the greenlet panicked: run was called inside a greenlet"
            );
            event.set();
            assert!(other.get().unwrap());
        });
    }

    #[test]
    fn panics_in_a_greenlet_of_a_thread_without_run() {
        let host = std::thread::spawn(|| spawn(|| run(|| ())).get());
        assert!(host.join().unwrap().unwrap_err().is_panicked());
    }
}

mod k16_the_end_of_a_thread {
    use betterthreads::{getcurrent, shield, spawn, thread};
    use signal_hook::consts::SIGABRT;

    use super::*;
    use crate::common::Journal;

    #[test]
    fn with_live_greenlets_aborts_and_names_them() {
        let output = in_a_process(|| {
            let thread = std::thread::spawn(|| {
                left_behind("the-first");
                left_behind("the-second");
                let _never_ran = spawn(|| ());
            });
            drop(thread.join());
            eprintln!("went on");
        });
        let words = ["ended with 3 live greenlets", "'the-first'", "'the-second'"];
        assert_killed_by(SIGABRT, &words, &output);
        assert!(!text(&output).contains("unwound after all"));
        assert!(!text(&output).contains("went on"));
    }

    #[test]
    fn with_dead_greenlets_is_an_end() {
        let thread = std::thread::spawn(|| {
            spawn(|| sleep(0.001)).join();
            left_behind("killed").kill();
            thread::spawn(|| 7).join().unwrap()
        });
        assert_eq!(thread.join().unwrap(), 7);
    }

    #[test]
    fn with_an_exception_that_was_never_raised_drops_it() {
        let journal = Journal::default();
        let noted = journal.clone();
        let exception = on_drop(move || {
            sleep(0);
            noted.note("dropped");
        });
        let thread = std::thread::spawn(move || shield(|| getcurrent().throw(exception)));
        thread.join().unwrap();
        assert_eq!(journal.take(), ["dropped"]);
    }

    #[test]
    fn with_greenlets_that_were_never_started_drops_what_they_captured() {
        let journal = Journal::default();
        let captured = journal.note_on_drop("dropped");
        let thread = std::thread::spawn(move || Greenlet::new(move || drop(captured)));
        let greenlet = thread.join().unwrap();
        assert!(greenlet.dead());
        assert_eq!(journal.take(), ["dropped"]);
    }
}

mod k16_exit {
    use betterthreads::{run, spawn};

    use super::*;

    /// How the scenario `name` ends on the main thread of a process.
    fn on_the_main_thread(name: &str) -> Output {
        let this = std::env::current_exe().unwrap();
        let mut again = std::process::Command::new(this);
        again.env(VARIABLE, name).output().unwrap()
    }

    const VARIABLE: &str = "BETTERTHREADS_MAIN_SCENARIO";

    /// Runs a scenario on the main thread before the test harness takes it.
    #[used]
    // SAFETY: the section holds pointers to functions with the C ABI, as this is. libc is set up
    // when they are called, and std works on Linux before its own start.
    #[unsafe(link_section = ".init_array")]
    static BEFORE_MAIN: extern "C" fn() = before_main;

    extern "C" fn before_main() {
        let Ok(name) = std::env::var(VARIABLE) else {
            return;
        };
        match name.as_str() {
            "returns" => drop(left_behind("detached")),
            "exits in a greenlet" => {
                left_behind("detached");
                spawn(|| std::process::exit(7)).join();
            }
            "runs" => run(|| drop(left_behind("left"))),
            _ => eprintln!("there is no scenario {name}"),
        }
        std::process::exit(0);
    }

    #[test]
    fn on_the_main_thread_abandons_its_greenlets_untouched() {
        let output = on_the_main_thread("returns");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(text(&output), "");
    }

    #[test]
    fn in_a_greenlet_of_the_main_thread_works() {
        let output = on_the_main_thread("exits in a greenlet");
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert_eq!(text(&output), "");
    }

    #[test]
    fn after_run_on_the_main_thread_leaves_nobody() {
        let output = on_the_main_thread("runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(text(&output), "unwound after all\n");
    }

    #[test]
    fn in_a_greenlet_of_another_thread_works() {
        let output = in_a_process(|| {
            run(|| {
                left_behind("detached");
                spawn(|| std::process::exit(7)).join();
            });
        });
        assert_eq!(output.status.code(), Some(7), "{output:?}");
        assert!(!text(&output).contains("unwound after all"));
    }

    #[test]
    fn in_a_destructor_in_unwind_works() {
        let output = in_a_process(|| {
            run(|| {
                let target = parked(|| {
                    let _exit = on_drop(|| std::process::exit(7));
                    sleep(3600);
                });
                target.kill();
            });
        });
        assert_eq!(output.status.code(), Some(7), "{output:?}");
    }

    #[test]
    fn of_the_process_while_another_threads_hub_is_busy_works() {
        let output = in_a_process(|| {
            let (ready, is_ready) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                run(|| {
                    left_behind("detached");
                    ready.send(()).unwrap();
                    loop {
                        sleep(0);
                    }
                })
            });
            is_ready.recv().unwrap();
        });
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(!text(&output).contains("unwound after all"));
    }
}

mod k17_limits {
    use std::hint::black_box;

    use betterthreads::{run, spawn, thread};
    use signal_hook::consts::SIGABRT;

    use super::*;

    /// Needs far more stack than there is.
    #[inline(never)]
    fn recurse(depth: u64) -> u64 {
        let frame = black_box([depth; 32]);
        if depth == u64::MAX {
            return 0;
        }
        recurse(depth + 1).wrapping_add(frame[0])
    }

    #[test]
    fn a_stack_overflow_in_a_greenlet_aborts_and_names_it() {
        let output = in_a_process(|| {
            run(|| {
                let builder = thread::Builder::new().name("too-deep".into());
                let deep = builder.spawn(|| recurse(0)).unwrap();
                drop(deep.join());
            });
        });
        let words = ["\ngreenlet 'too-deep' (#", ") has overflowed its stack of 240 KiB\n"];
        assert_killed_by(SIGABRT, &words, &output);
    }

    #[test]
    fn a_stack_overflow_names_the_size_that_the_stack_really_had() {
        let output = in_a_process(|| {
            run(|| {
                let others = [10_000, 3_000_000].map(|size| {
                    thread::Builder::new().stack_size(size).spawn(|| sleep(3600)).unwrap()
                });
                sleep(0);
                // A slot is a power of two, and 16 KiB of it are the guard.
                let builder = thread::Builder::new().stack_size(1_000_000);
                drop(builder.spawn(|| recurse(0)).unwrap().join());
                drop(others);
            });
        });
        let words = ["\ngreenlet '<unnamed>' (#", ") has overflowed its stack of 1008 KiB\n"];
        assert_killed_by(SIGABRT, &words, &output);
    }

    #[test]
    fn a_stack_overflow_in_unwind_aborts_and_names_the_greenlet() {
        let output = in_a_process(|| {
            run(|| {
                let target = parked(|| {
                    let _deep = on_drop(|| {
                        sleep(0);
                        recurse(0);
                    });
                    sleep(3600);
                });
                target.set_name("deep-down");
                target.kill();
            });
        });
        let words = ["greenlet 'deep-down' (#", ") has overflowed its stack of 240 KiB\n"];
        assert_killed_by(SIGABRT, &words, &output);
    }

    #[test]
    fn a_stack_overflow_in_a_thread_is_reported_by_std() {
        let output = in_a_process(|| {
            run(|| {
                let builder = std::thread::Builder::new().name("plain".into());
                drop(builder.spawn(|| recurse(0)).unwrap().join());
            });
        });
        let words = ["thread 'plain'", "has overflowed its stack"];
        assert_killed_by(SIGABRT, &words, &output);
        assert!(!text(&output).contains("greenlet '"));
    }

    #[test]
    fn a_stack_overflow_of_the_main_greenlet_is_reported_by_std() {
        let output = in_a_process(|| {
            run(|| {
                spawn(|| ()).join();
                recurse(0);
            });
        });
        assert_killed_by(SIGABRT, &["has overflowed its stack"], &output);
        assert!(!text(&output).contains("greenlet '"));
    }

    #[test]
    fn waiting_inside_the_panic_hook_is_refused() {
        let output = in_a_process(|| {
            std::panic::set_hook(Box::new(|_| sleep(0.001)));
            run(|| drop(spawn(|| panic!("on purpose")).get()));
        });
        assert_killed_by(SIGABRT, &["may not wait inside the panic hook"], &output);
    }

    #[test]
    fn waiting_inside_the_panic_hook_is_refused_in_the_main_greenlet() {
        let output = in_a_process(|| {
            std::panic::set_hook(Box::new(|_| sleep(0.001)));
            run(|| panic!("on purpose"));
        });
        assert_killed_by(SIGABRT, &["may not wait inside the panic hook"], &output);
    }

    #[test]
    fn a_panic_that_leaves_a_destructor_in_unwind_aborts() {
        let output = in_a_process(|| {
            run(|| {
                let target = parked(|| {
                    let _clean_up = on_drop(|| {
                        sleep(0.001);
                        panic!("in the clean-up");
                    });
                    sleep(3600);
                });
                target.kill();
            });
        });
        let words = ["in the clean-up", "panic in a destructor during cleanup"];
        assert_killed_by(SIGABRT, &words, &output);
    }

    extern "C" fn frame_of_c() {
        sleep(3600);
    }

    #[test]
    fn a_kill_cannot_pass_a_c_frame() {
        let output = in_a_process(|| run(|| parked(|| frame_of_c()).kill()));
        assert_killed_by(SIGABRT, &["panic in a function that cannot unwind"], &output);
    }
}
