//! Defects on purpose. Run by `ci/asan.sh` and `ci/valgrind.sh` only, which fail unless their tool
//! reports them: one that does not understand our stacks might be silent about everything.
#![allow(unsafe_code)] // All of it is wrong.

#[path = "common/mod.rs"]
mod common;

use std::hint::black_box;

use betterthreads::sleep;

use common::{hosted, parked};

#[test]
#[ignore = "undefined behavior"]
fn a_greenlet_reads_what_was_freed_while_it_waited() {
    hosted(|| {
        let freed = Box::into_raw(Box::new(7_u64));
        let reader = parked(move || {
            sleep(0.001);
            // SAFETY: there is none, the box is gone.
            unsafe { freed.read_volatile() }
        });
        // SAFETY: the pointer comes from `into_raw` above.
        drop(unsafe { Box::from_raw(freed) });
        black_box(reader.get()).expect("it does not panic");
    });
}

#[test]
#[ignore = "undefined behavior"]
fn a_greenlet_reads_beside_a_local_after_a_wait() {
    hosted(|| {
        let reader = parked(|| {
            let local = black_box([7_u64; 4]);
            sleep(0.001);
            // SAFETY: there is none, the array has four elements.
            unsafe { local.as_ptr().add(black_box(4)).read_volatile() }
        });
        black_box(reader.get()).expect("it does not panic");
    });
}

#[test]
#[ignore = "leaks memory"]
fn a_greenlet_forgets_a_box() {
    hosted(|| {
        parked(|| {
            std::mem::forget(black_box(Box::new(7_u64)));
            sleep(0.001);
        })
        .join();
    });
}
