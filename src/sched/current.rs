//! Who is running: the hub of this OS thread, and on it one greenlet.
//!
//! Both are plain pointers in cells, because they are read at every yield point.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
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
#[derive(Debug)]
pub(super) struct Running(Cell<*const Control>);

impl Running {
    /// `main` must stay alive as long as the hub.
    pub(super) fn new(main: &Arc<Control>) -> Running {
        Running(Cell::new(Arc::as_ptr(main)))
    }

    /// Notes that `control` runs from here on.
    pub(super) fn set(&self, control: &Arc<Control>) {
        self.0.set(Arc::as_ptr(control));
    }

    /// The one who runs.
    #[inline]
    pub(super) fn get(&self) -> &Control {
        // SAFETY: 1. The pointer was made from an `Arc` in `new` or `set`. 2. It is that of the
        // main greenlet, which the hub owns, or of a greenlet inside the hub's `run`, whose
        // argument owns it. 3. A reference obtained here is used by code on that greenlet's stack;
        // until its root has returned, the hub's table of live greenlets owns the control block as
        // well, so the reference also outlives every suspension of that code.
        unsafe { &*self.0.get() }
    }

    /// The same, owned.
    pub(super) fn get_handle(&self) -> Arc<Control> {
        // SAFETY: the pointer comes from `Arc::as_ptr` and the count is at least one (see `get`).
        unsafe {
            Arc::increment_strong_count(self.0.get());
            Arc::from_raw(self.0.get())
        }
    }
}
