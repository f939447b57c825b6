//! Greenlets and hubs that are over leave no memory behind, however they ended.
//!
//! An allocator counts the bytes in use. Not about stacks, which are mapped, not allocated.
#![allow(unsafe_code)] // For the allocator.

#[path = "common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use betterthreads::event::Event;
use betterthreads::{
    Greenlet, getcurrent, joinall, local, run, shield, sleep, spawn, with_timeout,
};

use common::{caught, in_a_process, on_drop, parked};

/// Bytes that are allocated and not freed.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: the system's allocator does the work; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    /// # Safety
    ///
    /// As the trait says.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    /// # Safety
    ///
    /// As the trait says.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above, and `pointer` is from `alloc`, hence from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Asserts that a scenario, done again and again, does not use more and more memory.
#[track_caller]
fn assert_leaves_none(scenario: impl Fn()) {
    const ROUNDS: usize = 1000;
    let rounds = || (0..ROUNDS).for_each(|_| scenario());
    // A process of its own, because other tests allocate too.
    let output = in_a_process(|| {
        // Tables and queues grow to the size that they need.
        rounds();
        let before = IN_USE.load(Ordering::Relaxed);
        rounds();
        let grown = IN_USE.load(Ordering::Relaxed).saturating_sub(before);
        // A leak is some bytes in each round; the thread that watches this process allocates a
        // thousand once, when it comes to begin.
        assert!(grown < 4 * ROUNDS, "{grown} bytes more after {ROUNDS} rounds");
    });
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

local! {
    static COUNT: Cell<u32> = Cell::new(0);
    static NAME: String = String::from("a value with memory of its own");
}

/// Makes the values above.
fn count() {
    COUNT.set(COUNT.get() + NAME.with(String::len) as u32);
}

#[test]
fn greenlets_with_values_of_their_own() {
    assert_leaves_none(|| {
        run(|| {
            let returns = spawn(count);
            let killed = parked(|| {
                count();
                sleep(3600);
            });
            returns.join();
            killed.kill();
        });
    });
}

#[test]
fn greenlets_that_are_killed_or_thrown_at() {
    assert_leaves_none(|| {
        run(|| {
            let never_began = Greenlet::new(|| ());
            let waits_in_its_clean_up = parked(|| {
                let _clean_up = on_drop(|| sleep(0));
                sleep(3600);
            });
            let gate = Rc::new(Event::new());
            let inside = gate.clone();
            let returns_all_the_same = parked(move || shield(|| assert!(inside.wait())));
            returns_all_the_same.throw(String::from("an exception"));
            let catches = parked(|| drop(caught(|| sleep(3600))));
            catches.throw(String::from("an exception"));
            never_began.kill();
            waits_in_its_clean_up.kill();
            gate.set();
            joinall(&[returns_all_the_same, catches]);
        });
    });
}

#[test]
fn os_threads_with_values_of_their_own() {
    assert_leaves_none(|| {
        let with_a_hub = std::thread::spawn(|| run(count));
        let plain = std::thread::spawn(count);
        with_a_hub.join().expect("it does not panic");
        plain.join().expect("it does not panic");
    });
}

#[test]
fn os_threads_whose_main_greenlet_was_interrupted() {
    assert_leaves_none(|| {
        let thread = std::thread::spawn(|| {
            run(|| assert!(with_timeout(0, || sleep(3600)).is_err()));
            // Raised at the next yield point, which never comes.
            shield(|| getcurrent().throw(String::from("too late")));
        });
        thread.join().expect("it does not panic");
    });
}
