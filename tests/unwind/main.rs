//! K4: destructors may wait. While one does, the panic count of its OS thread is its greenlet's
//! alone, nothing but its own time-outs is raised in it, and nobody else notices.

#[path = "../common/mod.rs"]
mod common;
mod k4_limits;
mod k4_panic_count;
mod k4_recorded;
mod k4_waits;

use std::cell::Cell;
use std::io::{Read, Write};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use betterthreads::event::Event;
use betterthreads::{Greenlet, GreenletExit, getcurrent, joinall, killall, sleep, spawn, thread};

use common::{Journal, caught, hosted, on_drop, parked, settle, stream};

/// What a greenlet unwinds for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cause {
    Kill,
    Throw,
    Panic,
}

const CAUSES: [Cause; 3] = [Cause::Kill, Cause::Throw, Cause::Panic];

/// A greenlet that runs `clean_up` in a destructor because of `cause`, up to its first wait.
fn unwinding(cause: Cause, clean_up: impl FnOnce() + 'static) -> Greenlet<()> {
    let greenlet = spawn(move || {
        let _clean_up = on_drop(clean_up);
        if cause == Cause::Panic {
            panic!("on purpose");
        }
        sleep(3600);
    });
    sleep(0);
    match cause {
        Cause::Kill => greenlet.kill_nowait(),
        Cause::Throw => greenlet.throw("on purpose"),
        Cause::Panic => {}
    }
    settle();
    greenlet
}

/// Whether `greenlet` ended by `cause`.
fn ended_by(greenlet: &Greenlet<()>, cause: Cause) -> bool {
    let failure = greenlet.get().unwrap_err();
    match cause {
        Cause::Kill => failure.is_killed(),
        Cause::Throw => failure.is_thrown(),
        Cause::Panic => failure.is_panicked(),
    }
}

/// Unwinds for a reason of its own up to here, with `clean_up` in a destructor.
fn nested(clean_up: impl FnOnce()) {
    let result = caught(|| {
        let _clean_up = on_drop(clean_up);
        resume_unwind(Box::new("nested"));
    });
    assert!(result.is_err());
}

/// Notes if the caller's view of its own panics is not `expected`.
fn check(journal: &Journal, expected: bool, what: &'static str) {
    if thread::panicking() != expected {
        journal.note(what);
    }
}
