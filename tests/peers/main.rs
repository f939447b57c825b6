//! What other libraries of green threads fail at, each as a test that is named for the behavior.
//!
//! What was tested elsewhere already stands there; only what is missing is here. A name with `::`
//! is a test of this binary, one with `/` a file under `tests`; a star stands for anything.
//!
//! | | behavior | tests |
//! |---|---|---|
//! | 1 | destructors wait during a kill, and end before it returns | `clean_up::clean_up_*` |
//! | | in every frame | `clean_up::destructors_*` |
//! | | each kind of wait by itself | `unwind/k4_waits.rs`, `sync_kill/destructors.rs` |
//! | 2 | a second kill changes nothing: two OS threads at once | `clean_up::two_os_threads_*` |
//! | | with different reasons | `clean_up::of_a_kill_and_a_throw_*` |
//! | | during clean-up | `clean_up::kills_of_two_*`, `unwind/k4_recorded.rs` |
//! | | of one thread | `the_first_reason_is_kept` in `kill/k3_sticky.rs` |
//! | 3 | a kill while a condition variable's waiter locks again | `relock::killed_*` |
//! | | on one hub | `*_while_it_locks_again_*` in `sync_kill/notifications.rs` |
//! | 4 | a scope's children die before the frame they borrow | `frames::*_parent*` |
//! | | and those that have not begun | `frames::children_*` |
//! | | other ends of scopes | `scope.rs` |
//! | 5 | a kill before the start, or in a race with it | `before_the_start::*` |
//! | | without a race | `kill/k7_not_started.rs` |
//! | 6 | a loop that swallows its kill holds nobody up | `going_on::*_swallow*` |
//! | | what else becomes of it | `a_swallowed_kill_*` and others in `kill/k3_sticky.rs` |
//! | 7 | an unwind passes frames of C that allow it | `frames::an_unwind_passes_*` |
//! | | and no others | `frames::*_plain_c_frame_*`, `a_kill_cannot_*` in `ends.rs` |
//! | 8 | a kill in an initializer | `initializers::*`, `sync_kill/initializers.rs` |
//! | | of a `local!` value | `a_killed_initializer_leaves_no_value` in `local.rs` |
//! | 9 | a panic while other unwinds are parked | `panics::*`, `unwind/k4_panic_count.rs` |
//! | 10 | a loop that only yields holds nobody up | `going_on::*_only_yield*` |
//! | | loops over ready sockets | `net/fairness.rs` |
//! | 11 | a computation delays others and loses nothing | `going_on::*_computation*` |
//! | 12 | forty thousand alive at once | `many::forty_thousand_*` |
//! | 13 | a stack overflow is reported | `processes::*_frame_*`, `a_stack_*` in `ends.rs` |
//! | 14 | any other fault is what it was before | `processes::a_write_*` |
//! | | with another handler than std's | `processes::a_fault_*`, `processes::the_*_before_*` |
//! | 15 | a descriptor's number is used again before a time-out | `numbers::*` |
//! | | without a time-out | `net_kill/numbers.rs` |
//! | 16 | an OS thread ends with greenlets inside its locals | `processes::*_inside_*` |
//! | | with others | `k16_the_end_of_a_thread` in `ends.rs` |
//! | 17 | a killed server's port is free, a thousand times | `net_kill/ports.rs` |
//! | 18 | thousands of descriptors are closed by a killall | `many::five_thousand_*` |

#[path = "../common/mod.rs"]
mod common;

mod before_the_start;
mod clean_up;
mod frames;
mod going_on;
mod initializers;
mod many;
mod numbers;
mod panics;
mod processes;
mod relock;

use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::{Greenlet, sleep};

use common::{on_drop, parked, settle};

/// Waits until something comes about that nobody tells of.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        settle();
    }
}

/// A killed greenlet that waits for `go` in a destructor, which then runs `clean_up`.
fn in_clean_up(go: &Rc<Event>, clean_up: impl FnOnce() + 'static) -> Greenlet<()> {
    let goes = go.clone();
    let greenlet = parked(move || {
        let _clean_up = on_drop(|| {
            goes.wait();
            clean_up();
        });
        sleep(3600);
    });
    greenlet.kill_nowait();
    settle();
    assert!(!greenlet.dead(), "it waits in its destructor");
    greenlet
}
