//! Handles to threads: `JoinHandle`, `Thread`, `ThreadId`.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use super::Result;
use crate::base::failure::Failure;
use crate::sched::control::Control;
use crate::sched::current as running;
use crate::wait::join;
use crate::wait::parker;
use crate::wait::task::Task;

/// Owns the permission to join a thread, as [`std::thread::JoinHandle`].
///
/// Dropping it detaches the thread. [`greenlet`](JoinHandle::greenlet) gives a handle that can
/// kill.
pub struct JoinHandle<T> {
    task: Task<T>,
    /// Made when somebody asks.
    thread: OnceLock<Thread>,
}

impl<T> JoinHandle<T> {
    pub(super) fn new(task: Task<T>) -> JoinHandle<T> {
        JoinHandle { task, thread: OnceLock::new() }
    }

    pub(crate) fn task(&self) -> &Task<T> {
        &self.task
    }

    /// The thread's own handle.
    pub fn thread(&self) -> &Thread {
        self.thread.get_or_init(|| Thread::new(self.task.control().clone()))
    }

    /// Waits for the thread and returns its value.
    ///
    /// All of the thread's destructors have run and its stack is free by then. A kill of the one
    /// who waits is raised here; the thread goes on.
    ///
    /// # Errors
    ///
    /// The payload of a panic or of a thrown exception; [`GreenletExit`](crate::GreenletExit) if it
    /// was killed.
    ///
    /// # Panics
    ///
    /// If a thread joins itself, as in std.
    pub fn join(self) -> Result<T> {
        let is_self = join::is_running(self.task.control());
        assert!(!is_self, "failed to join thread: Resource deadlock avoided");
        self.task.join(None);
        self.task.take().map_err(Failure::into_payload)
    }

    /// Whether the thread is over.
    pub fn is_finished(&self) -> bool {
        self.task.is_dead()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

/// A handle to a greenlet, a main greenlet or a plain OS thread, as [`std::thread::Thread`].
#[derive(Clone)]
pub struct Thread {
    control: Arc<Control>,
    name: Option<Arc<str>>,
}

impl Thread {
    pub(super) fn new(control: Arc<Control>) -> Thread {
        let name = control.name();
        Thread { control, name }
    }

    /// Makes the thread's token available: its next [`park`](super::park), or the one it is in,
    /// returns.
    pub fn unpark(&self) {
        parker::unpark(&self.control);
    }

    /// Unique in the process, and never used again.
    pub fn id(&self) -> ThreadId {
        ThreadId(NonZeroU64::new(self.control.id()).expect("the numbers begin with one"))
    }

    /// The name, if it has one; that of the main thread is `main`.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Thread");
        debug.field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Identifies a thread, as [`std::thread::ThreadId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadId(NonZeroU64);

/// A handle to whoever calls, as [`std::thread::current`].
///
/// ```
/// use betterthreads::thread;
///
/// let me = thread::current().id();
/// let other = thread::spawn(|| thread::current().id());
/// assert_ne!(other.join().unwrap(), me);
/// ```
pub fn current() -> Thread {
    Thread::new(running::control())
}
