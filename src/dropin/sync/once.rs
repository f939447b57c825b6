//! `Once`.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::wait::queue::WaitQueue;
use crate::wait::semaphore::Permits;

const INCOMPLETE: u8 = 0;
const POISONED: u8 = 1;
const COMPLETE: u8 = 2;
const RUNNING: u8 = 3;

/// Something to be done once, as [`std::sync::Once`]; those who come meanwhile park.
///
/// As with std's, an initializer that unwinds, also by a kill, poisons it.
///
/// ```
/// use betterthreads::sync::Once;
///
/// static START: Once = Once::new();
/// START.call_once(|| betterthreads::sleep(0.001));
/// START.call_once(|| unreachable!());
/// assert!(START.is_completed());
/// ```
pub struct Once {
    state: AtomicU8,
    turn: Permits,
    changed: WaitQueue,
}

impl UnwindSafe for Once {}
impl RefUnwindSafe for Once {}

impl Once {
    /// One that has not been done.
    #[must_use]
    pub const fn new() -> Once {
        Once { state: AtomicU8::new(INCOMPLETE), turn: Permits::new(1), changed: WaitQueue::new() }
    }

    /// Calls `f` unless it has been done; waits if somebody is at it. A yield point.
    ///
    /// # Panics
    ///
    /// If an earlier initializer unwound.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call_once_force(|state| {
            assert!(!state.is_poisoned(), "Once instance has previously been poisoned");
            f();
        });
    }

    /// The same, also if an earlier initializer unwound.
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if self.is_completed() {
            return;
        }
        self.turn.acquire(None);
        let mut turn = Turn { once: self, state: self.state.load(Ordering::Acquire) };
        if turn.state != COMPLETE {
            let state = OnceState { poisoned: turn.state == POISONED, not_sync: PhantomData };
            self.state.store(RUNNING, Ordering::Release);
            turn.state = POISONED;
            f(&state);
            turn.state = COMPLETE;
        }
    }

    /// Whether it has been done.
    pub fn is_completed(&self) -> bool {
        self.state.load(Ordering::Acquire) == COMPLETE
    }

    /// Waits until it has been done. A yield point.
    ///
    /// # Panics
    ///
    /// If an initializer unwound.
    pub fn wait(&self) {
        let settled = || matches!(self.state.load(Ordering::Acquire), POISONED | COMPLETE);
        self.changed.wait(None, settled);
        assert!(self.is_completed(), "Once instance has previously been poisoned");
    }

    /// Waits until it has been done, also past initializers that unwind. A yield point.
    pub fn wait_force(&self) {
        while !self.is_completed() {
            self.changed.wait(None, || self.is_completed());
        }
    }
}

impl Default for Once {
    fn default() -> Once {
        Once::new()
    }
}

/// The turn of one initializer; what state it leaves behind.
struct Turn<'a> {
    once: &'a Once,
    state: u8,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.once.state.store(self.state, Ordering::Release);
        self.once.changed.wake_all();
        self.once.turn.release();
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// What a forced initializer finds, as [`std::sync::OnceState`].
pub struct OnceState {
    poisoned: bool,
    not_sync: PhantomData<Cell<()>>,
}

impl OnceState {
    /// Whether an earlier initializer unwound.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState").field("poisoned", &self.poisoned).finish()
    }
}
