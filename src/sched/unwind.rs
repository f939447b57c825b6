//! The panic boundary: the one place where unwinding is caught, raised and recognized.
//!
//! A kill, a throw, a time-out and Ctrl-C are all `resume_unwind`s: no panic hook, no message.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread;

use super::hub::Hub;
use super::{current, ledger};

/// What an unwind carries.
pub(crate) type Payload = Box<dyn Any + Send>;

thread_local! {
    static IN_HOOK: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` and catches what it raises.
///
/// The caller passes the payload on or stores it, so nobody sees state that `f` left half-changed
/// without also learning that it was.
pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Payload> {
    panic::catch_unwind(AssertUnwindSafe(f))
}

/// Unwinds the running greenlet with `payload`.
#[inline(always)]
pub(crate) fn raise(payload: Payload) -> ! {
    panic::resume_unwind(payload)
}

/// Installs the panic hook that notices itself; the previous hook does the printing as before.
///
/// Once per process, with its first hub. A program that replaces the hook later, without calling
/// ours, loses nothing but the refusal in [`refuse_in_hook`].
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    if INSTALLED.is_completed() || thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            current::with(|hub| note_panic(hub, info.payload().type_id()));
            IN_HOOK.set(true);
            previous(info);
            IN_HOOK.set(false);
        }));
    });
}

/// Notes a panic with a payload of type `kind`. If something of that type was thrown before and the
/// greenlet does not unwind from it now, it has been caught, and its place in memory may be used
/// again: the two could no longer be told apart.
///
/// Counting the panics takes the ledger's helpers, hence only where the types agree.
fn note_panic(hub: &Hub, kind: TypeId) {
    let local = hub.running_local();
    if local.has_thrown(kind) && ledger::depth() == 1 {
        local.forget_thrown();
    }
}

/// Ends the process if the caller is inside the panic hook.
///
/// std holds a lock around the hook and counts on it to return, so a greenlet must not go to sleep
/// there. A panic inside the hook would end the process too, without saying why.
pub(crate) fn refuse_in_hook() {
    if IN_HOOK.get() {
        eprintln!("fatal: a greenlet may not wait inside the panic hook, aborting");
        std::process::abort();
    }
}
