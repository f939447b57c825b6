//! A greenlet and the value it is to produce: what `Greenlet` and `JoinHandle` have in common.

use std::cell::Cell;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use super::join;
use super::packet::Packet;
use crate::base::failure::Failure;
use crate::sched::bound::Bound;
use crate::sched::control::{Body, Control, Run};
use crate::sched::handle::Handle;
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::stack::Class;
use crate::sched::{current, spawn};

/// See the module's documentation. Clones name the same greenlet.
pub(crate) struct Task<T> {
    handle: Handle,
    work: Arc<Work<T>>,
}

/// Where a greenlet leaves its value, and in the same allocation what it is to run.
pub(crate) struct Work<T, B: ?Sized = dyn Opaque> {
    packet: Packet<T>,
    body: B,
}

/// A body of some type.
pub(crate) trait Opaque: Send + Sync + UnwindSafe + RefUnwindSafe {}

impl<B: Send + Sync + UnwindSafe + RefUnwindSafe> Opaque for B {}

impl<T> Work<T, ()> {
    fn without_body() -> Arc<Work<T, ()>> {
        Arc::new(Work { packet: Packet::new(), body: () })
    }

    /// Leaves the value.
    pub(crate) fn set(&self, value: T) {
        self.packet.set(value);
    }
}

/// A body that only its hub touches.
type Bodied<F> = Bound<Cell<Option<F>>>;

impl<T: 'static, F: FnOnce() -> T + 'static> Work<T, Bodied<F>> {
    /// The two sides of one: for the greenlet, and for the one who wants the value.
    fn of(hub: &Hub, body: F) -> (Body, Arc<Work<T>>) {
        let body = Bound::new(hub.id(), Cell::new(Some(body)));
        let work = Arc::new(Work { packet: Packet::new(), body });
        (Body::Shared(work.clone()), work)
    }

    fn take_body(&self) -> Option<F> {
        current::with(|hub| self.body.get(hub).take()).flatten()
    }
}

impl<T: 'static, F: FnOnce() -> T + 'static> Run for Work<T, Bodied<F>> {
    fn run(&self) {
        if let Some(body) = self.take_body() {
            self.packet.set(body());
        }
    }

    fn discard(&self) {
        drop(self.take_body());
    }
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
        Task::make(name, stack, |hub| Work::of(hub, body))
    }

    /// The same with the body made by `body`, which is told where to leave the value.
    ///
    /// # Errors
    ///
    /// As [`new`](Task::new).
    pub(crate) fn with_body(
        name: Option<Arc<str>>,
        stack: Option<usize>,
        body: impl FnOnce(Arc<Work<T, ()>>) -> Box<dyn FnOnce()>,
    ) -> io::Result<Task<T>> {
        Task::make(name, stack, |_| {
            let work = Work::without_body();
            (Body::Boxed(body(work.clone())), work)
        })
    }

    fn make(
        name: Option<Arc<str>>,
        stack: Option<usize>,
        work: impl FnOnce(&Hub) -> (Body, Arc<Work<T>>),
    ) -> io::Result<Task<T>> {
        let class = stack.map_or(Ok(Class::DEFAULT), Class::for_stack)?;
        current::with_hub(|hub| {
            let (body, work) = work(hub);
            let control = spawn::create(hub, class, name, body)?;
            Ok(Task { handle: Handle::first(control), work })
        })?
    }

    /// The same greenlet without its value.
    pub(crate) fn untyped(&self) -> Task<()> {
        Task::without_value(Arc::clone(&self.handle))
    }

    /// The task without being counted as a handle to it.
    pub(crate) fn downgrade(&self) -> WeakTask<T> {
        WeakTask { control: Arc::clone(&self.handle), work: self.work.clone() }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.handle
    }

    /// Starts it, for the one who has just made it and whom nobody else can forestall.
    pub(crate) fn start_new(&self) {
        current::with(|hub| spawn::start_new(hub, &self.handle));
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
        self.work.packet.get()
    }

    /// The value or the failure of one that is dead, moved out.
    pub(crate) fn take(self) -> Result<T, Failure> {
        if let Some(failure) = self.handle.take_failure() {
            return Err(failure);
        }
        self.work.packet.take().ok_or_else(Failure::killed)
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
    work: Arc<Work<T>>,
}

impl<T> WeakTask<T> {
    pub(crate) fn upgrade(self) -> Task<T> {
        Task { handle: Handle::another(self.control), work: self.work }
    }
}

impl Task<()> {
    fn without_value(control: Arc<Control>) -> Task<()> {
        let work = Work::without_body();
        work.set(());
        Task { handle: Handle::another(control), work }
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Task<T> {
        Task { handle: self.handle.clone(), work: self.work.clone() }
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
