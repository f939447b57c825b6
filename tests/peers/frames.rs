//! Frames that a kill passes: those that children borrow from, and those of C.
#![allow(unsafe_code)] // For C's side of a callback.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use betterthreads::{Greenlet, getcurrent, killall, run, sleep, spawn, thread, with_timeout};
use signal_hook::consts::SIGABRT;

use crate::common::{
    Journal, assert_killed_by, caught, hosted, in_a_process, meanwhile, on_drop, parked,
};

/// Part of a parent's frame. It must be intact as long as somebody borrows it.
struct Borrowed {
    journal: Journal,
    writes: Cell<u32>,
}

impl Borrowed {
    fn new(journal: &Journal) -> Borrowed {
        Borrowed { journal: journal.clone(), writes: Cell::new(0) }
    }

    /// What a child does in its clean-up: waits, and uses the frame of its parent.
    fn write(&self) {
        sleep(0.001);
        self.writes.set(self.writes.get() + 1);
        self.journal.note("written");
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.journal.note(if self.writes.get() == 2 { "gone" } else { "gone too early" });
    }
}

/// A greenlet whose two children borrow from its frame and write there when they end. It calls
/// `wait` in their scope.
fn parent(journal: &Journal, wait: fn()) -> Greenlet<()> {
    let frame = Borrowed::new(journal);
    parked(move || {
        let frame = frame; // In the frame of the body, not among what it captured.
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _writes = on_drop(|| frame.write());
                    sleep(3600);
                });
            }
            wait();
        });
    })
}

/// The parent waits inside the scope's closure, and at the end of the scope.
const WAITS: [fn(); 2] = [|| sleep(3600), || ()];

const INTACT: [&str; 3] = ["written", "written", "gone"];

#[test]
fn a_killed_parents_frame_outlives_the_children_that_borrow_from_it() {
    for wait in WAITS {
        hosted(move || {
            let journal = Journal::default();
            let parent = parent(&journal, wait);
            parent.kill();
            assert_eq!(journal.take(), INTACT);
        });
    }
}

#[test]
fn the_frame_of_a_parent_killed_by_an_os_thread_outlives_the_children_too() {
    for wait in WAITS {
        hosted(move || {
            let journal = Journal::default();
            let parent = parent(&journal, wait);
            let killer = std::thread::spawn({
                let (parent, journal) = (parent.clone(), journal.clone());
                move || {
                    parent.kill();
                    journal.take()
                }
            });
            parent.join();
            assert_eq!(killer.join().unwrap(), INTACT);
        });
    }
}

#[test]
fn the_frame_of_a_parent_killed_by_killall_in_front_of_its_children_outlives_them() {
    hosted(|| {
        let journal = Journal::default();
        let (frame, children) = (Borrowed::new(&journal), Rc::new(RefCell::new(Vec::new())));
        let shows = children.clone();
        let parent = parked(move || {
            let frame = frame;
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let _writes = on_drop(|| frame.write());
                        shows.borrow_mut().push(getcurrent());
                        sleep(3600);
                    });
                }
            });
        });
        let mut all = children.take();
        assert_eq!(all.len(), 2);
        all.insert(0, parent);
        killall(&all);
        assert_eq!(journal.take(), INTACT);
    });
}

#[test]
fn children_that_have_not_begun_drop_what_they_borrow_before_the_frame_goes() {
    hosted(|| {
        let journal = Journal::default();
        let frame = Borrowed::new(&journal);
        let parent = spawn(move || {
            let frame = frame;
            let frame = &frame;
            getcurrent().kill_nowait(); // Raised at the end of the scope, before anybody runs.
            thread::scope(|scope| {
                for _ in 0..2 {
                    let captured = on_drop(|| frame.write());
                    scope.spawn(move || {
                        frame.journal.note("ran");
                        drop(captured);
                    });
                }
            });
        });
        assert!(parent.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), INTACT);
    });
}

/// A callback of C's kind that waits, and whose clean-up waits too.
extern "C-unwind" fn waits(journal: *const c_void, _: *const c_void) -> i32 {
    // SAFETY: every caller passes a pointer to a journal that outlives the call.
    let journal = unsafe { &*journal.cast::<Journal>() };
    let _inner = journal.note_on_drop("the callback's");
    let _clean_up = on_drop(|| sleep(0.001));
    sleep(3600);
    0
}

/// Ends a greenlet that waits in a callback of `calls_back`, in each of the ways there are. The
/// destructors on both sides of the foreign frame must run.
fn is_passed(calls_back: fn(&Journal)) {
    type End = (fn(&Greenlet<()>), bool);
    let ends: [End; 4] = [
        (Greenlet::kill, false),
        (|target| meanwhile(|| target.kill_nowait()), false),
        (|target| target.throw("a reason"), false),
        (|_| (), true),
    ];
    for (end, is_limited) in ends {
        hosted(move || {
            let journal = Journal::default();
            let noted = journal.clone();
            let target = spawn(move || {
                let _outer = noted.note_on_drop("the caller's");
                let limit = if is_limited { 0.001 } else { 3600.0 };
                if with_timeout(limit, || calls_back(&noted)).is_err() {
                    noted.note("the limit has passed");
                }
            });
            sleep(0); // It waits, unless its limit has passed already.
            end(&target);
            target.join();
            let notes = journal.take();
            assert_eq!(notes.first(), Some(&"the callback's"));
            assert_eq!(notes.last(), Some(&"the caller's"));
            assert_eq!(notes.contains(&"the limit has passed"), is_limited);
        });
    }
}

#[test]
fn an_unwind_passes_a_c_unwind_function_and_the_destructors_on_both_sides_run() {
    is_passed(|journal| {
        waits(ptr::from_ref(journal).cast(), ptr::null());
    });
}

// SAFETY: this is its declaration in <stdlib.h>. glibc is compiled so that an unwind may pass this
// function: the comparison may be C++ and throw.
#[cfg(target_env = "gnu")]
unsafe extern "C-unwind" {
    fn bsearch(
        key: *const c_void,
        base: *const c_void,
        count: usize,
        size: usize,
        compare: extern "C-unwind" fn(*const c_void, *const c_void) -> i32,
    ) -> *const c_void;
}

#[cfg(target_env = "gnu")]
#[test]
fn an_unwind_passes_a_function_of_the_c_library_and_the_destructors_on_both_sides_run() {
    is_passed(|journal| {
        let bytes = [1_u8, 2, 3];
        // SAFETY: there are as many elements of that size as it is told, and the key is passed on
        // to the comparison and to nobody else.
        unsafe {
            bsearch(ptr::from_ref(journal).cast(), bytes.as_ptr().cast(), bytes.len(), 1, waits)
        };
    });
}

extern "C" fn plain_c_frame() {
    sleep(3600);
}

#[test]
fn a_thrown_exception_does_not_pass_a_plain_c_frame_either() {
    let output = in_a_process(|| {
        run(|| {
            let target = parked(|| plain_c_frame());
            target.throw("a reason");
            target.join();
        });
    });
    assert_killed_by(SIGABRT, &["panic in a function that cannot unwind"], &output);
}

#[test]
fn a_time_limit_does_not_pass_a_plain_c_frame_either() {
    let output = in_a_process(|| {
        run(|| with_timeout(0.001, || plain_c_frame()).is_err());
    });
    assert_killed_by(SIGABRT, &["panic in a function that cannot unwind"], &output);
}

#[test]
fn a_kill_that_is_caught_on_the_inner_side_of_a_plain_c_frame_is_raised_on_the_outer_side() {
    extern "C" fn catches(journal: &Journal) {
        let _inner = journal.note_on_drop("inside");
        drop(caught(|| sleep(3600)));
    }
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            let _outer = noted.note_on_drop("outside");
            catches(&noted);
            sleep(0);
            noted.note("survived");
        });
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["inside", "outside"]);
    });
}
