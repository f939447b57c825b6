//! The switch: the only place that knows corosensei.
//!
//! A greenlet's stack is entered by [`Switch::resume`] from the hub's loop and left by
//! [`Switch::leave`] or by returning from its root. Nothing travels with the switch, neither in
//! nor out: why a greenlet woke stands in its wait word, what it is told in its control block. That
//! keeps a round trip at a handful of instructions.
//!
//! Both are inlined into their callers, and those into theirs, if possible up to the user's code: a
//! processor predicts returns by counting calls, so a function that is left by a switch and returns
//! after one makes it guess wrongly twice. That costs more than all the rest of a switch, and keeps
//! the processor from fetching the next greenlet's memory ahead.
//!
//! A suspended coroutine is never dropped. corosensei would unwind it from outside, which aborts
//! when a destructor waits; here a greenlet ends only by its root returning to the hub.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::ptr::{self, NonNull};

use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::stack::{GUARD, Stack};
use crate::base::prefetch::prefetch;

/// What came back to the hub.
#[derive(Debug)]
pub(crate) enum Switched {
    /// The greenlet waits.
    Suspended,
    /// The root returned; its stack may be used again.
    Returned(Stack),
}

/// The coroutine of one greenlet.
#[repr(C)]
pub(crate) struct Switch {
    coroutine: UnsafeCell<Option<Coroutine<(), (), (), Stack>>>,
    /// Points into the coroutine's own stack, from its first run to its return.
    yielder: Cell<Option<NonNull<Yielder<(), ()>>>>,
    /// Where the guard of the stack begins, for the report of an overflow; zero without a stack.
    guard: Cell<usize>,
    /// Where the stack pointer was, or near it, when the stack was left last.
    left_at: Cell<usize>,
    running: Cell<bool>,
}

impl Switch {
    pub(crate) fn new() -> Switch {
        Switch {
            coroutine: UnsafeCell::new(None),
            yielder: Cell::new(None),
            guard: Cell::new(0),
            left_at: Cell::new(0),
            running: Cell::new(false),
        }
    }

    /// Whether the greenlet has a stack.
    #[inline]
    pub(crate) fn is_prepared(&self) -> bool {
        self.guard.get() != 0
    }

    /// The addresses of the guard below this greenlet's stack; empty when it has none.
    pub(crate) fn guard(&self) -> std::ops::Range<usize> {
        match self.guard.get() {
            0 => 0..0,
            start => start..start + GUARD,
        }
    }

    /// Puts `root` on `stack`, to run at the first `resume`. `root` must not unwind.
    ///
    /// # Panics
    ///
    /// If there is a stack already.
    pub(crate) fn prepare(&self, stack: Stack, root: fn()) {
        assert!(!self.is_prepared(), "a greenlet has one stack");
        self.guard.set(stack.guard().start);
        // Where the coroutine finds its own `Switch`: the control block is alive as long as the
        // coroutine is, because the hub's table of live greenlets owns it.
        let this = ptr::from_ref(self) as usize;
        let coroutine = Coroutine::with_stack(stack, move |yielder, ()| {
            // SAFETY: `this` is the `Switch` whose `resume` has just been called (see above).
            let this = unsafe { &*(this as *const Switch) };
            this.yielder.set(Some(NonNull::from(yielder)));
            root();
            this.yielder.set(None);
        });
        // SAFETY: 1. `Switch` is not `Sync`, so this is the only thread here. 2. The coroutine is
        // not running: it did not exist before this line. 3. No reference to the cell's content
        // outlives `prepare` or `resume`.
        unsafe { *self.coroutine.get() = Some(coroutine) };
    }

    /// Runs the greenlet until it suspends itself or returns.
    ///
    /// # Panics
    ///
    /// If it has no stack, or is running already.
    #[inline(always)]
    pub(crate) fn resume(&self) -> Switched {
        assert!(!self.running.replace(true), "a greenlet was resumed while it runs");
        // SAFETY: as in `prepare`; `running` excludes a second reference while the coroutine runs,
        // and code on the coroutine's stack reaches `yielder` only, which is a cell of its own.
        let coroutine = unsafe { (*self.coroutine.get()).as_mut() };
        let result = coroutine.expect("a greenlet has a stack when it is resumed").resume(());
        self.running.set(false);
        match result {
            CoroutineResult::Yield(()) => Switched::Suspended,
            CoroutineResult::Return(()) => Switched::Returned(self.take_stack()),
        }
    }

    /// Has the frames fetched that the greenlet will return to.
    #[inline(always)]
    pub(crate) fn prefetch_stack(&self) {
        prefetch::<192>(self.left_at.get());
    }

    /// Goes back to the hub's loop, from the greenlet's own stack; returns when it is resumed.
    ///
    /// # Panics
    ///
    /// If the greenlet is not running.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        let yielder = self.yielder.get().expect("only a running greenlet can suspend itself");
        let near_here = 0_u8;
        self.left_at.set(ptr::from_ref(&near_here).addr());
        // SAFETY: `yielder` is set for the life of the coroutine's root frame and points into it.
        // That the caller runs on this very stack follows from `current`: a greenlet is suspended
        // through the hub's current control block only.
        unsafe { yielder.as_ref() }.suspend(());
    }

    #[inline(never)]
    fn take_stack(&self) -> Stack {
        self.guard.set(0);
        // SAFETY: as in `prepare`; the coroutine has returned.
        let coroutine = unsafe { (*self.coroutine.get()).take() };
        coroutine.expect("it has just returned").into_stack()
    }
}
