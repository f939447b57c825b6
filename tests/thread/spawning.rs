//! `spawn`, `Builder`, `JoinHandle::join`.

use std::cell::{Cell, RefCell};
use std::io;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use betterthreads::thread::{self, JoinHandle};
use betterthreads::{GreenletExit, event::Event};

use crate::common::{Journal, caught, hosted, on_drop};

#[test]
fn join_returns_the_value() {
    hosted(|| {
        let handle = thread::spawn(|| {
            thread::yield_now();
            vec![1, 2]
        });
        assert_eq!(handle.join().unwrap(), [1, 2]);
        // Over already.
        let handle = thread::spawn(|| "value");
        thread::yield_now();
        assert_eq!(handle.join().unwrap(), "value");
    });
}

#[test]
fn join_returns_the_payload_of_a_panic() {
    hosted(|| {
        let payload = thread::spawn(|| panic!("static")).join().unwrap_err();
        assert_eq!(payload.downcast_ref::<&'static str>(), Some(&"static"));
        let number = 1;
        let formatted = thread::spawn(move || panic!("formatted {number}"));
        let payload = formatted.join().unwrap_err();
        assert_eq!(payload.downcast_ref::<String>().unwrap(), "formatted 1");
        let any = thread::spawn(|| std::panic::panic_any(Cell::new(7_u8)));
        let payload = any.join().unwrap_err();
        assert_eq!(payload.downcast_ref::<Cell<u8>>().unwrap().get(), 7);
    });
}

#[test]
fn join_of_a_killed_thread_tells_so() {
    hosted(|| {
        let handle = thread::spawn(|| thread::sleep(Duration::MAX)); // real time: it is killed
        thread::yield_now();
        assert!(handle.kill_timeout(Duration::MAX));
        handle.kill();
        assert!(handle.join().unwrap_err().is::<GreenletExit>());
        let handle = thread::spawn(thread::park);
        handle.kill_nowait();
        assert!(handle.join().unwrap_err().is::<GreenletExit>());
    });
}

#[test]
fn join_returns_when_the_locals_have_been_dropped() {
    hosted(|| {
        let journal = Journal::default();
        let (noted, local) = (journal.clone(), journal.note_on_drop("local"));
        let handle = thread::spawn(move || {
            let _local = local;
            let _slow = on_drop(|| betterthreads::sleep(0.001));
            noted.note("end");
        });
        handle.join().unwrap();
        assert_eq!(journal.take(), ["end", "local"]);
    });
}

#[test]
fn neither_the_closure_nor_the_value_need_be_send() {
    hosted(|| {
        let shared = Rc::new(Cell::new(1));
        let theirs = shared.clone();
        let handle = thread::Builder::new().spawn(move || {
            theirs.set(2);
            theirs
        });
        let back = handle.unwrap().join().unwrap();
        assert!(Rc::ptr_eq(&back, &shared));
        assert_eq!(shared.get(), 2);
    });
}

#[test]
fn a_thread_whose_handle_is_dropped_is_detached() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let over = event.clone();
        drop(thread::spawn(move || {
            thread::yield_now();
            over.set();
        }));
        event.wait();
    });
}

#[test]
fn a_thread_may_spawn_and_outlive_its_parent() {
    hosted(|| {
        let child = thread::spawn(|| thread::spawn(|| "child")).join().unwrap();
        assert_eq!(child.join().unwrap(), "child");
    });
}

#[test]
fn is_finished_does_not_wait() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let gate = event.clone();
        let handle = thread::spawn(move || gate.wait());
        assert!(!handle.is_finished());
        thread::yield_now();
        assert!(!handle.is_finished());
        event.set();
        thread::yield_now();
        assert!(handle.is_finished());
        assert!(handle.join().unwrap());
    });
}

#[test]
fn a_thread_that_joins_itself_panics() {
    hosted(|| {
        let slot: Rc<RefCell<Option<JoinHandle<String>>>> = Rc::default();
        let mine = slot.clone();
        let (sender, texts) = mpsc::channel();
        let handle = thread::spawn(move || {
            let me = mine.take().unwrap();
            let payload = caught(|| me.join()).unwrap_err();
            let text = payload.downcast_ref::<&str>().copied().map(String::from);
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            sender.send(text.unwrap()).unwrap();
            String::new()
        });
        *slot.borrow_mut() = Some(handle);
        let text = loop {
            thread::yield_now();
            if let Ok(text) = texts.try_recv() {
                break text;
            }
        };
        assert_eq!(text, "failed to join thread: Resource deadlock avoided");
    });
}

#[test]
fn a_handle_may_be_joined_on_another_os_thread() {
    hosted(|| {
        let event = Arc::new(Event::new());
        let gate = event.clone();
        let handle = thread::spawn(move || gate.wait());
        let failing = thread::spawn(|| resume_unwind(Box::new("why")));
        let joiner = std::thread::spawn(move || {
            event.set();
            let payload = failing.join().unwrap_err();
            (handle.join().unwrap(), *payload.downcast::<&str>().unwrap())
        });
        while !joiner.is_finished() {
            thread::yield_now();
        }
        assert_eq!(joiner.join().unwrap(), (true, "why"));
    });
}

#[test]
fn what_the_greenlet_says_of_its_end_does_not_change_when_it_is_joined() {
    hosted(|| {
        let handle = thread::spawn(|| resume_unwind(Box::new(7_u8)));
        let greenlet = handle.greenlet();
        greenlet.join();
        assert!(!greenlet.successful() && greenlet.exception().is_some());
        assert_eq!(*handle.join().unwrap_err().downcast::<u8>().unwrap(), 7);
        assert!(!greenlet.successful(), "it has failed once and for all");
        assert!(greenlet.exception().unwrap().is_panicked());
    });
}

fn name_of_spawned(builder: thread::Builder) -> Option<String> {
    let handle = builder.spawn(|| thread::current().name().map(String::from)).unwrap();
    let outside = handle.thread().name().map(String::from);
    let inside = handle.join().unwrap();
    assert_eq!(inside, outside);
    inside
}

#[test]
fn a_builder_gives_a_name_or_none() {
    hosted(|| {
        let builder = thread::Builder::new().name("parser".into());
        assert_eq!(name_of_spawned(builder).as_deref(), Some("parser"));
        assert_eq!(name_of_spawned(thread::Builder::new()), None);
        let empty = thread::Builder::new().name(String::new());
        assert_eq!(name_of_spawned(empty).as_deref(), Some(""));
        assert_eq!(thread::spawn(|| ()).thread().name(), None);
    });
}

#[test]
fn a_name_with_a_null_byte_panics_as_in_std() {
    let text = |spawn: fn(String)| {
        let payload = caught(|| spawn("a\0b".into())).unwrap_err();
        let text = payload.downcast_ref::<&str>().copied().map(String::from);
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap()
    };
    let std = text(|name| drop(std::thread::Builder::new().name(name).spawn(|| ())));
    hosted(move || {
        let ours = text(|name| drop(thread::Builder::new().name(name).spawn(|| ())));
        assert!(std.starts_with(&ours), "{std} / {ours}");
    });
}

/// Uses about four kilobytes of stack for each level.
fn recurse(depth: u32) -> u64 {
    let frame = std::hint::black_box([u64::from(depth); 500]);
    if depth == 0 {
        return 0;
    }
    recurse(depth - 1) + frame[depth as usize % 500] - u64::from(depth)
}

#[test]
fn a_deep_recursion_fits_in_a_big_stack() {
    hosted(|| {
        let builder = thread::Builder::new().stack_size(64 << 20);
        let handle = builder
            .spawn(|| {
                let deep = recurse(8000);
                thread::yield_now();
                deep + recurse(8000)
            })
            .unwrap();
        assert_eq!(handle.join().unwrap(), 0);
    });
}

#[test]
fn a_small_stack_is_rounded_up_and_works() {
    hosted(|| {
        for size in [0, 1, 4096, 16 << 10] {
            let builder = thread::Builder::new().stack_size(size);
            let handle = builder.spawn(|| {
                thread::yield_now();
                7
            });
            assert_eq!(handle.unwrap().join().unwrap(), 7, "{size}");
        }
    });
}

#[test]
fn a_stack_that_nobody_can_have_is_an_error() {
    hosted(|| {
        for size in [usize::MAX, usize::MAX / 2, 1 << 50] {
            let builder = thread::Builder::new().stack_size(size);
            let error = builder.spawn(|| ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory, "{size}");
        }
        assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
    });
}

#[test]
fn threads_that_yield_take_turns() {
    hosted(|| {
        let turns = Rc::new(RefCell::new([0_u32; 3]));
        let spinners: Vec<_> = (0..3)
            .map(|number| {
                let turns = turns.clone();
                thread::spawn(move || {
                    loop {
                        turns.borrow_mut()[number] += 1;
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for turn in 1..1000 {
            thread::yield_now();
            assert_eq!(*turns.borrow(), [turn; 3]);
        }
        spinners.iter().for_each(JoinHandle::kill);
    });
}

#[test]
fn threads_that_only_yield_do_not_hold_up_time_or_other_threads() {
    hosted(|| {
        let spinner = thread::spawn(|| {
            loop {
                thread::yield_now();
            }
        });
        let event = Arc::new(Event::new());
        let set = event.clone();
        let setter = std::thread::spawn(move || set.set());
        assert!(event.wait());
        setter.join().unwrap();
        let start = Instant::now();
        thread::sleep(Duration::from_millis(1)); // real time: the timer is what is tested
        assert!(start.elapsed() >= Duration::from_millis(1));
        spinner.kill();
    });
}

#[test]
fn a_sleep_takes_at_least_as_long_as_it_was_told() {
    hosted(|| {
        for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(5)] {
            let start = Instant::now();
            thread::sleep(duration); // real time: the timer is what is tested
            assert!(start.elapsed() >= duration);
        }
    });
    let start = Instant::now();
    thread::sleep(Duration::from_millis(1)); // real time: on a thread without a hub
    assert!(start.elapsed() >= Duration::from_millis(1));
    thread::yield_now();
}
