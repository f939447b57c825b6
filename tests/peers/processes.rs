//! What must end a process ends it in the right way: stack overflows, segmentation faults, OS
//! threads that end with live greenlets. Each in a process of its own.
#![allow(unsafe_code)] // For crashes on purpose and for handlers of signals.

use std::cell::RefCell;
use std::hint::black_box;
use std::mem::MaybeUninit;
use std::process::Output;
use std::ptr;

use betterthreads::{run, sleep, spawn};
use signal_hook::consts::{SIGABRT, SIGSEGV};

use crate::common::{Journal, assert_killed_by, in_a_process, on_drop, parked, text};

/// Needs half a megabyte of stack at once: more than a greenlet has, its guard included.
#[inline(never)]
fn take_a_lot() {
    let mut frame = [1_u8; 1 << 19];
    black_box(&mut frame);
}

#[test]
fn a_frame_that_is_larger_than_the_guard_does_not_get_past_it() {
    let output = in_a_process(|| {
        run(|| {
            let _others = [parked(|| sleep(3600)), parked(|| sleep(3600))];
            let greedy = spawn(take_a_lot);
            greedy.set_name("greedy");
            greedy.join();
        });
    });
    let words = ["greenlet 'greedy' (#", ") has overflowed its stack of 240 KiB\n"];
    assert_killed_by(SIGABRT, &words, &output);
}

#[test]
fn the_same_frame_in_a_plain_thread_is_within_its_stack() {
    let output = in_a_process(|| {
        run(|| spawn(|| ()).join());
        std::thread::spawn(take_a_lot).join().unwrap();
    });
    assert!(output.status.success(), "{}", text(&output));
}

const NEAR_NULL: usize = 1;

fn write_to_null() {
    // Not null itself, which a debug build of std would notice.
    let nowhere = ptr::without_provenance_mut::<u8>(NEAR_NULL);
    // SAFETY: there is none. The first page is never mapped, so the process ends here, in which
    // nothing else is going on.
    unsafe { nowhere.write_volatile(1) };
}

#[test]
fn a_write_to_null_is_a_segmentation_fault_as_ever() {
    let output = in_a_process(|| run(|| drop(spawn(write_to_null).get())));
    assert_killed_by(SIGSEGV, &[], &output);
}

#[test]
fn a_write_to_null_in_a_main_greenlet_is_a_segmentation_fault_as_ever() {
    let output = in_a_process(|| {
        run(|| {
            let _other = parked(|| sleep(3600));
            write_to_null();
        });
    });
    assert_killed_by(SIGSEGV, &[], &output);
}

#[test]
fn a_write_to_null_in_a_thread_is_a_segmentation_fault_as_ever() {
    let output = in_a_process(|| run(|| drop(std::thread::spawn(write_to_null).join())));
    assert_killed_by(SIGSEGV, &[], &output);
}

/// Makes `handler` the process's handler of SIGSEGV, as a program may before it comes to use a hub.
fn handle_faults(handler: libc::sighandler_t, flags: i32) {
    // SAFETY: all bytes zero is a valid `sigaction`. The handler is one of the system's own, or has
    // the type that the flags ask for and uses only what a signal handler may.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut()), 0);
    }
}

const HANDLED: i32 = 42;

extern "C" fn end(_: i32) {
    // SAFETY: it is made for signal handlers.
    unsafe { libc::_exit(HANDLED) };
}

extern "C" fn end_if_told(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel's information is passed on, and that of SIGSEGV has an address.
    let address = unsafe { (*info).si_addr() } as usize;
    // SAFETY: it is made for signal handlers.
    unsafe { libc::_exit(if address == NEAR_NULL { HANDLED } else { 0 }) };
}

/// With `handler` for faults, lets a hub come to life and a plain thread without one fault.
fn faults_in_a_thread(handler: libc::sighandler_t, flags: i32) -> Output {
    in_a_process(|| {
        handle_faults(handler, flags);
        run(|| {
            let _other = parked(|| sleep(3600));
            drop(std::thread::spawn(write_to_null).join());
        });
    })
}

#[test]
fn the_default_action_that_was_there_before_is_taken() {
    assert_killed_by(SIGSEGV, &[], &faults_in_a_thread(libc::SIG_DFL, 0));
}

#[test]
fn a_fault_that_was_ignored_before_ends_the_process_as_the_kernel_has_it() {
    assert_killed_by(SIGSEGV, &[], &faults_in_a_thread(libc::SIG_IGN, 0));
}

#[test]
fn the_simple_handler_that_was_there_before_is_called() {
    let handler: extern "C" fn(i32) = end;
    let output = faults_in_a_thread(handler as libc::sighandler_t, 0);
    assert_eq!(output.status.code(), Some(HANDLED), "{}", output.status);
}

#[test]
fn the_handler_that_was_there_before_is_told_where_the_fault_was() {
    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = end_if_told;
    let output = faults_in_a_thread(handler as libc::sighandler_t, libc::SA_SIGINFO);
    assert_eq!(output.status.code(), Some(HANDLED), "{}", output.status);
}

#[test]
fn the_handler_that_was_there_before_is_called_for_a_greenlets_fault_too() {
    let output = in_a_process(|| {
        let handler: extern "C" fn(i32) = end;
        handle_faults(handler as libc::sighandler_t, libc::SA_ONSTACK);
        run(|| drop(spawn(write_to_null).get()));
    });
    assert_eq!(output.status.code(), Some(HANDLED), "{}", output.status);
}

thread_local! {
    static LOCAL: RefCell<Vec<Journal>> = const { RefCell::new(Vec::new()) };
}

/// Parks a greenlet inside [`LOCAL`], which would say so if it were unwound.
fn park_inside_the_local(name: &str, unwound: impl FnOnce() + 'static) {
    let greenlet = parked(move || {
        LOCAL.with(|local| {
            let local = local.borrow();
            let _tells = on_drop(unwound);
            sleep(3600);
            local.iter().for_each(|journal| journal.note("used"));
        });
    });
    greenlet.set_name(name);
}

#[test]
fn an_os_thread_that_ends_with_greenlets_inside_its_locals_aborts_and_names_them() {
    let output = in_a_process(|| {
        let thread = std::thread::spawn(|| {
            for name in ["the-first", "the-second"] {
                park_inside_the_local(name, || eprintln!("unwound after all"));
            }
        });
        drop(thread.join());
        eprintln!("went on");
    });
    let words = ["ended with 2 live greenlets", "'the-first'", "'the-second'"];
    assert_killed_by(SIGABRT, &words, &output);
    assert!(!text(&output).contains("unwound after all"));
    assert!(!text(&output).contains("went on"));
}

#[test]
fn an_os_thread_that_panics_with_a_greenlet_inside_its_locals_aborts_and_names_it() {
    let output = in_a_process(|| {
        let thread = std::thread::spawn(|| {
            park_inside_the_local("the-only", || eprintln!("unwound after all"));
            panic!("on purpose");
        });
        drop(thread.join());
        eprintln!("went on");
    });
    let words = ["on purpose", "ended with 1 live greenlets", "'the-only'"];
    assert_killed_by(SIGABRT, &words, &output);
    assert!(!text(&output).contains("unwound after all"));
    assert!(!text(&output).contains("went on"));
}

#[test]
fn run_unwinds_greenlets_inside_the_locals_of_its_thread_before_those_go() {
    let journal = Journal::default();
    let noted = journal.clone();
    let thread = std::thread::spawn(move || {
        LOCAL.with_borrow_mut(|local| local.push(noted.clone()));
        run(|| {
            let unwound = noted.clone();
            park_inside_the_local("inside", move || unwound.note("unwound"));
        });
        noted.note("run has returned");
    });
    thread.join().unwrap();
    assert_eq!(journal.take(), ["unwound", "run has returned"]);
}
