//! The panic ledger: std's panic count belongs to the greenlet, not to its OS thread.
//!
//! std counts the panics in flight per OS thread. A greenlet that parks in a destructor while it
//! unwinds would leave its count behind: `thread::panicking()` would be true for every other
//! greenlet, and a std `Mutex` that one of them holds would be poisoned. So the count moves with
//! the greenlet, by public API only.
//!
//! A *token* is a helper coroutine that has raised and is suspended inside its own destructor. It
//! holds one unit of the count of the thread it raised on. Resuming it lets its unwind end, which
//! takes one unit off the count of whichever thread that happens on. Hence:
//!
//! - [`release`], before a greenlet parks: finish tokens until `panicking()` is false. Their number
//!   is the greenlet's panic depth.
//! - [`capture`], when it runs again: make as many new ones.
//!
//! The sum stays right: a token finished here stands for the unit that the parked greenlet will
//! take off when its own unwind ends. The first tokens come from a short-lived OS thread, whose
//! count dies with it. A token is never dropped, which would raise inside its destructor; spare
//! ones wait in a pool of the process.
#![allow(unsafe_code)]

use std::panic::{self, AssertUnwindSafe};
use std::thread;

use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::stack::{self, Class, Stack};
use super::unwind;
use crate::base::lock::Lock;

/// How many tokens the minting thread makes at once.
const BATCH: usize = 16;

struct Token(Coroutine<(), (), (), Stack>);

// SAFETY: the coroutine's stack holds no reference to anything of its thread: its only frames are
// `hold`, `resume_unwind` and the destructor below, none of which keeps a thread-local's address
// across the suspension. That an unwind may end on another thread than it began on is what the
// ledger's tests show for each toolchain.
unsafe impl Send for Token {}

struct Ledger {
    spare: Vec<Token>,
    stacks: Vec<Stack>,
}

static LEDGER: Lock<Ledger> = Lock::new(Ledger { spare: Vec::new(), stacks: Vec::new() });

struct Suspend<'a>(&'a Yielder<(), ()>);

impl Drop for Suspend<'_> {
    fn drop(&mut self) {
        self.0.suspend(());
    }
}

/// Adds one to this thread's panic count and returns what holds it.
fn raise_token() -> Token {
    let stack = LEDGER.lock().stacks.pop();
    let stack = stack.or_else(|| stack::leak_one(Class::SMALL).ok()).unwrap_or_else(|| give_up());
    let mut coroutine = Coroutine::with_stack(stack, |yielder: &Yielder<(), ()>, ()| {
        let _caught = panic::catch_unwind(AssertUnwindSafe(|| {
            let _suspend = Suspend(yielder);
            panic::resume_unwind(Box::new(()));
        }));
    });
    coroutine.resume(());
    Token(coroutine)
}

/// Takes one off this thread's panic count.
fn finish_token(token: Token) {
    let Token(mut coroutine) = token;
    if let CoroutineResult::Return(()) = coroutine.resume(()) {
        LEDGER.lock().stacks.push(coroutine.into_stack());
    }
}

/// Takes a token whose count stands for nobody on this thread.
fn take_token() -> Token {
    if let Some(token) = LEDGER.lock().spare.pop() {
        return token;
    }
    let mint = thread::Builder::new().name("betterthreads-ledger".into());
    let minted = mint.spawn(|| (0..BATCH).map(|_| raise_token()).collect::<Vec<Token>>());
    let Some(mut tokens) = minted.ok().and_then(|thread| thread.join().ok()) else { give_up() };
    let token = tokens.pop();
    LEDGER.lock().spare.append(&mut tokens);
    token.unwrap_or_else(|| give_up())
}

/// The spare tokens and the spare stacks.
#[cfg(feature = "testing")]
pub(super) fn count() -> (usize, usize) {
    let ledger = LEDGER.lock();
    (ledger.spare.len(), ledger.stacks.len())
}

/// There is no way on: parking would make every other greenlet look as if it were panicking.
#[cold]
fn give_up() -> ! {
    eprintln!("fatal: no thread or stack to park an unwinding greenlet with, aborting");
    std::process::abort()
}

/// Zeroes this thread's panic count and returns what it was.
///
/// Inside the panic hook, which must not wait, it ends the process.
pub(crate) fn release() -> u32 {
    unwind::refuse_in_hook();
    let mut depth = 0;
    while thread::panicking() {
        finish_token(take_token());
        depth += 1;
    }
    depth
}

/// Restores a panic count that [`release`] returned.
pub(crate) fn capture(depth: u32) {
    for _ in 0..depth {
        let token = raise_token();
        LEDGER.lock().spare.push(token);
    }
}

/// This thread's panic count.
pub(crate) fn depth() -> u32 {
    if !thread::panicking() {
        return 0;
    }
    let depth = release();
    capture(depth);
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `f` in a destructor while this thread unwinds.
    fn unwinding(f: impl FnOnce()) {
        struct OnDrop<F: FnOnce()>(Option<F>);
        impl<F: FnOnce()> Drop for OnDrop<F> {
            fn drop(&mut self) {
                if let Some(f) = self.0.take() {
                    f();
                }
            }
        }
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            let _on_drop = OnDrop(Some(f));
            panic::resume_unwind(Box::new("unwinding"));
        }));
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"unwinding"));
    }

    #[test]
    fn a_thread_that_does_not_unwind_has_depth_zero() {
        assert_eq!(depth(), 0);
        assert_eq!(release(), 0);
    }

    #[test]
    fn release_and_capture_move_the_exact_count() {
        unwinding(|| {
            unwinding(|| {
                assert_eq!(depth(), 2);
                let released = release();
                assert_eq!(released, 2);
                assert!(!thread::panicking());
                unwinding(|| assert_eq!(depth(), 1));
                assert!(!thread::panicking());
                capture(released);
                assert_eq!(depth(), 2);
            });
            assert_eq!(depth(), 1);
        });
        assert!(!thread::panicking());
    }
}
