//! A greenlet and the value it is to produce: what `Greenlet` and `JoinHandle` have in common.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::join;
use super::packet::Packet;
use crate::base::failure::Failure;
use crate::sched::control::{Body, Control};
use crate::sched::handle::Handle;
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::stack::{Class, DEFAULT_SIZE, GUARD};
use crate::sched::{current, spawn};

/// See the module's documentation. Clones name the same greenlet.
pub(crate) struct Task<T> {
    handle: Handle,
    packet: Arc<Packet<T>>,
}

impl<T> Task<T> {
    /// Makes a greenlet of this thread's hub that will run `body`, not started.
    ///
    /// # Errors
    ///
    /// Those of making a hub, and `OutOfMemory` for want of a stack.
    pub(crate) fn new<F>(
        body: F,
        name: Option<Arc<str>>,
        stack: Option<usize>,
    ) -> io::Result<Task<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        Task::with_body(name, stack, |packet| Box::new(move || packet.set(body())))
    }

    /// The same with the body made by `body`, which is told where to leave the value.
    ///
    /// # Errors
    ///
    /// As [`new`](Task::new).
    pub(crate) fn with_body(
        name: Option<Arc<str>>,
        stack: Option<usize>,
        body: impl FnOnce(Arc<Packet<T>>) -> Body,
    ) -> io::Result<Task<T>> {
        let class = match Class::for_stack(stack.unwrap_or(DEFAULT_SIZE - GUARD)) {
            Some(class) => class,
            None => return Err(io::ErrorKind::OutOfMemory.into()),
        };
        let packet = Arc::new(Packet::new());
        let body = body(packet.clone());
        let control = current::with_hub(|hub| spawn::create(hub, class, name, body))??;
        Ok(Task { handle: Handle::first(control), packet })
    }

    /// The same greenlet without its value.
    pub(crate) fn untyped(&self) -> Task<()> {
        Task::without_value(Arc::clone(&self.handle))
    }

    /// The task without being counted as a handle to it.
    pub(crate) fn downgrade(&self) -> WeakTask<T> {
        WeakTask { control: Arc::clone(&self.handle), packet: self.packet.clone() }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.handle
    }

    pub(crate) fn start(&self) {
        spawn::start(&self.handle);
    }

    /// Starts it at `deadline`; one beyond the clock's range is never.
    pub(crate) fn start_at(&self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline {
            spawn::start_at(&self.handle, deadline);
        }
    }

    pub(crate) fn join(&self, deadline: Option<Instant>) -> bool {
        join::join(&self.handle, deadline)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.handle.is_dead()
    }

    /// The value of one that is dead, left in place.
    pub(crate) fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        self.packet.get()
    }

    /// The value or the failure of one that is dead, moved out.
    pub(crate) fn take(self) -> Result<T, Failure> {
        if let Some(failure) = self.handle.take_failure() {
            return Err(failure);
        }
        self.packet.take().ok_or_else(Failure::killed)
    }

    /// Asks for an exception to be raised in it.
    pub(crate) fn raise_in(&self, exception: Exception) {
        join::ask(&self.handle, exception);
    }
}

/// The task of whoever is running, made into a hub's main greenlet if need be.
///
/// # Errors
///
/// Those of making a hub.
pub(crate) fn running() -> io::Result<Task<()>> {
    let control = current::with_hub(Hub::running_handle)?;
    Ok(Task::without_value(control))
}

/// Names a task without keeping it from being discarded.
pub(crate) struct WeakTask<T> {
    control: Arc<Control>,
    packet: Arc<Packet<T>>,
}

impl<T> WeakTask<T> {
    pub(crate) fn upgrade(self) -> Task<T> {
        Task { handle: Handle::another(self.control), packet: self.packet }
    }
}

impl Task<()> {
    fn without_value(control: Arc<Control>) -> Task<()> {
        let packet = Packet::new();
        packet.set(());
        Task { handle: Handle::another(control), packet: Arc::new(packet) }
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Task<T> {
        Task { handle: self.handle.clone(), packet: self.packet.clone() }
    }
}

impl<T> Drop for Task<T> {
    /// One that can no longer be started is ended, as if it had been killed.
    fn drop(&mut self) {
        if self.handle.drop_handle() {
            join::ask(&self.handle, Exception::Kill);
        }
    }
}
