//! Who is running: the hub of this OS thread, and on it one greenlet.
//!
//! Both are plain pointers in cells, because they are read at every yield point.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

use super::control::Control;
use super::hub::Hub;

thread_local! {
    /// Null, or the hub of this thread. It has no destructor, so it can be read at any time, also
    /// in a signal handler and while other thread-locals are being destroyed.
    static HUB: Cell<*const Hub> = const { Cell::new(ptr::null()) };
    /// The control block of a thread that has no hub.
    static THREAD: Arc<Control> = Arc::new(Control::thread());
}

/// Calls `f` with the hub of this thread, if it has one.
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Hub) -> R) -> Option<R> {
    let hub = HUB.get();
    // SAFETY: the pointer comes from `install` and points to a hub until `uninstall`, which only
    // the end of the thread calls, when no frame of it is left that could be inside `f`. A greenlet
    // suspended inside `f` keeps the hub alive too: a thread ending with one aborts the process.
    (!hub.is_null()).then(|| f(unsafe { &*hub }))
}

/// A place in a function, to which a reference to the hub is tied.
///
/// For code that leaves the stack: the closure of [`with`] would be a frame of its own.
pub(crate) struct Here(PhantomData<*const ()>);

impl Here {
    #[inline(always)]
    pub(crate) const fn new() -> Here {
        Here(PhantomData)
    }

    /// The hub of this thread, if it has one.
    #[inline(always)]
    pub(crate) fn hub(&self) -> Option<&Hub> {
        // SAFETY: as in `with`: the reference lives no longer than a local variable of a frame of
        // this thread, or of a greenlet of it, because nobody stores a `Here` anywhere else.
        unsafe { HUB.get().as_ref() }
    }
}

/// Whether `control` belongs to the hub of this thread.
pub(crate) fn is_here(control: &Control) -> bool {
    with(|hub| control.is_of(hub)) == Some(true)
}

/// Calls `f` with the hub of this thread, made on first use.
///
/// # Errors
///
/// Those of making a hub: no descriptor left for its poller.
pub(crate) fn with_hub<R>(f: impl FnOnce(&Hub) -> R) -> io::Result<R> {
    if HUB.get().is_null() {
        Hub::start()?;
    }
    with(f).ok_or_else(|| io::Error::other("this thread's hub has ended"))
}

/// Makes `hub` the hub of this thread.
pub(super) fn install(hub: Box<Hub>) {
    HUB.set(Box::into_raw(hub));
}

/// Takes the hub of this thread back.
pub(super) fn uninstall() -> Option<Box<Hub>> {
    let hub = HUB.replace(ptr::null());
    // SAFETY: the pointer was made by `Box::into_raw` in `install` and is given out once, here.
    (!hub.is_null()).then(|| unsafe { Box::from_raw(hub.cast_mut()) })
}

/// Calls `f` with whoever is running: a greenlet, a main greenlet or a plain OS thread.
pub(crate) fn control() -> Arc<Control> {
    with(Hub::running_handle).unwrap_or_else(thread)
}

/// The control block of this OS thread itself.
pub(super) fn thread() -> Arc<Control> {
    // A thread whose locals are gone already gets a block for this one time.
    THREAD.try_with(Arc::clone).unwrap_or_else(|_| Arc::new(Control::thread()))
}

/// The control block that a hub is running.
pub(super) struct Running {
    pointer: Cell<*const Control>,
    /// Whether the pointer counts: it is the one by which its greenlet came into the run queue,
    /// until somebody asks for one. Who waits leaves it behind in a waker and is queued with it
    /// again.
    counts: Cell<bool>,
}

impl Running {
    /// `main` must stay alive as long as the hub.
    pub(super) fn new(main: &Arc<Control>) -> Running {
        Running { pointer: Cell::new(Arc::as_ptr(main)), counts: Cell::new(false) }
    }

    /// Notes that `control` runs from here on, which has a stack, instead of the main greenlet.
    #[inline]
    pub(super) fn enter(&self, control: Arc<Control>) {
        self.pointer.set(Arc::into_raw(control));
        self.counts.set(true);
    }

    /// Notes that `main` runs from here on, as in [`new`](Running::new).
    #[inline]
    pub(super) fn leave(&self, main: &Arc<Control>) {
        if self.counts.get() {
            drop(self.get_handle());
        }
        self.pointer.set(Arc::as_ptr(main));
    }

    /// The one who runs.
    #[inline]
    pub(super) fn get(&self) -> &Control {
        // SAFETY: 1. The pointer was made from an `Arc` in `new`, `enter` or `leave`. 2. It is that
        // of the main greenlet, which the hub owns, or of a greenlet with a stack, which the hub's
        // table of live greenlets owns until its root has returned and `leave` was called. 3. A
        // reference obtained here is used by code on that greenlet's stack, or by the hub's `run`
        // before it calls `leave`, so it does not outlive that.
        unsafe { &*self.pointer.get() }
    }

    /// The same, owned.
    #[inline]
    pub(super) fn get_handle(&self) -> Arc<Control> {
        // SAFETY: the pointer comes from an `Arc` that is alive (see `get`). Either it counts, and
        // is given out as what it was, once; or the count is made one higher for it.
        unsafe {
            if !self.counts.replace(false) {
                Arc::increment_strong_count(self.pointer.get());
            }
            Arc::from_raw(self.pointer.get())
        }
    }
}
