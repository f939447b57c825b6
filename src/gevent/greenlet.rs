//! `Greenlet`, gevent's handle to a greenlet.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::duration::IntoDuration;
use crate::base::failure::{Failure, Outcome};
use crate::dropin::thread::JoinHandle;
use crate::sched::control::Status;
use crate::sched::kill::Exception;
use crate::wait::clock;
use crate::wait::join::{is_running, kill_all};
use crate::wait::park::checkpoint;
use crate::wait::task::Task;

/// A greenlet, as `gevent.Greenlet`.
///
/// A handle is a cheap clone; dropping it detaches the greenlet. It is `Send + Sync` when the value
/// is `Send`: a greenlet stays on its OS thread, but may be joined, killed and asked from any.
///
/// ```
/// let greenlet = betterthreads::spawn(|| 6 * 7);
/// assert!(greenlet.started() && !greenlet.ready());
/// assert_eq!(greenlet.get().unwrap(), 42);
/// assert!(greenlet.dead() && greenlet.successful());
/// ```
pub struct Greenlet<T> {
    task: Task<T>,
}

impl<T> Greenlet<T> {
    /// A greenlet that will run `f` once it is [started](Greenlet::start).
    ///
    /// Dropping the last handle of one that was never started drops `f`.
    ///
    /// # Panics
    ///
    /// If there is no memory for its stack, or the thread has no hub and none can be made.
    ///
    /// ```
    /// use betterthreads::Greenlet;
    ///
    /// let greenlet = Greenlet::new(|| "ran");
    /// assert!(!greenlet.started());
    /// greenlet.start();
    /// assert_eq!(greenlet.get().unwrap(), "ran");
    /// ```
    pub fn new<F>(f: F) -> Greenlet<T>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        match Task::new(f, None, None) {
            Ok(task) => Greenlet { task },
            Err(error) => panic!("failed to spawn greenlet: {error}"),
        }
    }

    pub(super) fn from_task(task: Task<T>) -> Greenlet<T> {
        Greenlet { task }
    }

    pub(super) fn task(&self) -> &Task<T> {
        &self.task
    }

    /// The same greenlet without its value, for lists of different ones.
    ///
    /// ```
    /// let number = betterthreads::spawn(|| 1);
    /// let text = betterthreads::spawn(|| "one");
    /// betterthreads::killall(&[number.untyped(), text.untyped()]);
    /// ```
    #[must_use]
    pub fn untyped(&self) -> Greenlet<()> {
        Greenlet { task: self.task.untyped() }
    }

    /// Lets the body run when the caller next yields. A greenlet starts once; later calls are
    /// ignored, as are those for one that is dead.
    pub fn start(&self) {
        self.task.start();
    }

    /// Lets the body run after `seconds`. Ignored if it was started before.
    pub fn start_later(&self, seconds: impl IntoDuration) {
        self.task.start_at(clock::now().checked_add(seconds.into_duration()));
    }

    /// Waits until the greenlet is dead: every destructor has run, its descriptors are closed and
    /// its stack is free.
    ///
    /// A yield point. A greenlet that joins itself waits for its own kill or time-out.
    pub fn join(&self) {
        self.task.join(None);
    }

    /// The same within a time limit; tells whether the greenlet is dead.
    pub fn join_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.task.join(clock::now().checked_add(timeout.into_duration()))
    }

    /// Waits for the end and returns a clone of the value.
    ///
    /// # Errors
    ///
    /// The [`Failure`] of one that was killed, panicked, or ended by a thrown exception.
    pub fn get(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        self.task.join(None);
        self.result()
    }

    /// The same within a time limit.
    ///
    /// # Errors
    ///
    /// As [`get`](Greenlet::get), and a failure that [`is_timeout`](Failure::is_timeout).
    pub fn get_timeout(&self, timeout: impl IntoDuration) -> Result<T, Failure>
    where
        T: Clone,
    {
        if self.join_timeout(timeout) { self.result() } else { Err(Failure::timed_out()) }
    }

    fn result(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        match self.task.control().failure() {
            Some(failure) => Err(failure),
            None => self.task.value().ok_or_else(Failure::killed),
        }
    }

    /// Asks the greenlet to die and waits until it is dead.
    ///
    /// It unwinds from where it waits, with [`GreenletExit`](crate::GreenletExit); its destructors
    /// run and may wait themselves. One that has not begun never will. One that is dead stays as it
    /// is. A greenlet that kills itself raises here. The caller is an ordinary waiter: if it is
    /// killed or times out meanwhile, the greenlet still dies.
    ///
    /// A main greenlet cannot die; the kill is raised in it once, and nobody waits.
    ///
    /// ```
    /// let sleeper = betterthreads::spawn(|| betterthreads::sleep(3600));
    /// betterthreads::sleep(0);
    /// sleeper.kill();
    /// assert!(sleeper.dead());
    /// ```
    pub fn kill(&self) {
        kill_all(&[self.task.control()], None, || Exception::Kill);
    }

    /// Asks the greenlet to die and returns at once. Asking oneself raises at the next yield point.
    ///
    /// One of this thread that has not begun is dead on return all the same.
    pub fn kill_nowait(&self) {
        self.task.raise_in(Exception::Kill);
    }

    /// Asks the greenlet to die and waits for a limited time; tells whether it is dead.
    pub fn kill_timeout(&self, timeout: impl IntoDuration) -> bool {
        let deadline = clock::now().checked_add(timeout.into_duration());
        kill_all(&[self.task.control()], deadline, || Exception::Kill) && self.dead()
    }

    /// Raises `exception` in the greenlet, once, and waits until it is dead: gevent's
    /// `kill(exception=…)`.
    ///
    /// A body that catches the exception goes on, and the caller waits for its natural end.
    pub fn kill_with<E: Any + Send>(&self, exception: E) {
        self.throw(exception);
        if is_running(self.task.control()) {
            checkpoint();
        } else if self.task.control().is_greenlet() {
            self.join();
        }
    }

    /// Raises `exception` in the greenlet, once, at its current or next yield point.
    ///
    /// Several exceptions arrive in order, each at a yield point of its own. One that has not begun
    /// ends with the first of them. One that is dead stays as it is.
    ///
    /// ```
    /// let greenlet = betterthreads::spawn(|| betterthreads::sleep(3600));
    /// betterthreads::sleep(0);
    /// greenlet.throw("stop");
    /// let failure = greenlet.get().unwrap_err();
    /// assert!(failure.is_thrown());
    /// assert_eq!(failure.downcast_ref::<&str>(), Some(&"stop"));
    /// ```
    pub fn throw<E: Any + Send>(&self, exception: E) {
        self.task.raise_in(Exception::Throw(Box::new(exception)));
    }

    /// Whether the greenlet is dead: it returned, failed or was killed.
    pub fn ready(&self) -> bool {
        self.task.is_dead()
    }

    /// Whether it is dead and did not fail. A kill counts as success, as in gevent.
    pub fn successful(&self) -> bool {
        match self.task.control().outcome() {
            None => false,
            Some(Outcome::Returned) => true,
            Some(Outcome::Failed(failure)) => failure.is_killed(),
        }
    }

    /// Whether the greenlet will never run again. The same as [`ready`](Greenlet::ready).
    pub fn dead(&self) -> bool {
        self.task.is_dead()
    }

    /// Whether it was told to start and is not dead.
    pub fn started(&self) -> bool {
        !matches!(self.task.control().status(), Status::New | Status::Dead)
    }

    /// A clone of the value, if there is one yet.
    pub fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        if self.ready() { self.result().ok() } else { None }
    }

    /// How the greenlet failed, if it did. A kill is no failure.
    pub fn exception(&self) -> Option<Failure> {
        self.task.control().failure().filter(|failure| !failure.is_killed())
    }

    /// The greenlet's name: `Greenlet-` and its id, unless it was given one.
    pub fn name(&self) -> String {
        let control = self.task.control();
        let default = || format!("Greenlet-{}", control.id());
        control.name().map_or_else(default, |name| String::from(&*name))
    }

    /// Names the greenlet, for logs and the report of a stack overflow.
    pub fn set_name(&self, name: impl Into<Arc<str>>) {
        self.task.control().set_name(name.into());
    }

    /// A number that no other greenlet of this process has or will have; gevent's `minimal_ident`
    /// is used again.
    pub fn id(&self) -> u64 {
        self.task.control().id()
    }
}

impl<T> JoinHandle<T> {
    /// The thread as a greenlet, which can be killed, linked and asked; its value belongs to
    /// [`join`](JoinHandle::join).
    ///
    /// ```
    /// let handle = betterthreads::thread::spawn(|| betterthreads::sleep(3600));
    /// handle.greenlet().kill();
    /// assert!(handle.join().unwrap_err().is::<betterthreads::GreenletExit>());
    /// ```
    pub fn greenlet(&self) -> Greenlet<()> {
        Greenlet { task: self.task().untyped() }
    }

    /// Asks the thread to die and waits until it is dead; see [`Greenlet::kill`].
    pub fn kill(&self) {
        kill_all(&[self.task().control()], None, || Exception::Kill);
    }

    /// Asks the thread to die; see [`Greenlet::kill_nowait`].
    pub fn kill_nowait(&self) {
        self.task().raise_in(Exception::Kill);
    }

    /// Asks the thread to die and waits; see [`Greenlet::kill_timeout`].
    pub fn kill_timeout(&self, timeout: Duration) -> bool {
        self.greenlet().kill_timeout(timeout)
    }
}

impl<T> Clone for Greenlet<T> {
    fn clone(&self) -> Greenlet<T> {
        Greenlet { task: self.task.clone() }
    }
}

/// Two handles are equal if they name the same greenlet.
impl<T, U> PartialEq<Greenlet<U>> for Greenlet<T> {
    fn eq(&self, other: &Greenlet<U>) -> bool {
        self.id() == other.id()
    }
}

impl<T> Eq for Greenlet<T> {}

impl<T> fmt::Debug for Greenlet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.task.control().status() {
            Status::New => "unstarted",
            Status::Started | Status::Begun => "started",
            Status::Withheld => "dying",
            Status::Dead => "dead",
        };
        write!(f, "<Greenlet(#{}, {}, {status})>", self.id(), self.name())
    }
}
