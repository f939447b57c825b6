//! `AsyncResult`.

use std::any::Any;
use std::fmt;

use super::greenlet::Greenlet;
use crate::base::duration::IntoDuration;
use crate::base::failure::Failure;
use crate::base::lock::Lock;
use crate::wait::clock;
use crate::wait::flag::Flag;
use crate::wait::packet::Packet;

/// A value or a failure that will be there once, as `gevent.event.AsyncResult`.
///
/// It may be set and waited for from any OS thread. Setting it again replaces what it holds.
///
/// ```
/// use betterthreads::event::AsyncResult;
/// use std::rc::Rc;
///
/// let result = Rc::new(AsyncResult::new());
/// betterthreads::spawn({
///     let result = result.clone();
///     move || result.set(7)
/// });
/// assert_eq!(result.get().unwrap(), 7);
/// ```
pub struct AsyncResult<T> {
    packet: Packet<T>,
    failure: Lock<Option<Failure>>,
    ready: Flag,
}

impl<T> AsyncResult<T> {
    /// One that is not set.
    #[must_use]
    pub const fn new() -> AsyncResult<T> {
        AsyncResult { packet: Packet::new(), failure: Lock::new(None), ready: Flag::new() }
    }

    /// Stores a value and wakes everyone who waits.
    pub fn set(&self, value: T) {
        self.packet.set(value);
        let before = self.failure.lock().take();
        self.ready.set();
        drop(before);
    }

    /// Stores a failure, which `get` returns as one that was thrown, and wakes everyone who waits.
    pub fn set_exception<E: Any + Send>(&self, exception: E) {
        self.fail(Failure::thrown(Box::new(exception)));
    }

    fn fail(&self, failure: Failure) {
        let before = self.failure.lock().replace(failure);
        self.ready.set();
        drop(before);
    }

    /// Stores how a greenlet ended: what gevent's instances do when they are linked to one.
    ///
    /// ```
    /// use betterthreads::event::AsyncResult;
    /// use std::rc::Rc;
    ///
    /// let result = Rc::new(AsyncResult::new());
    /// let greenlet = betterthreads::spawn(|| 7);
    /// let target = result.clone();
    /// greenlet.link(move |greenlet| target.copy_from(&greenlet));
    /// assert_eq!(result.get().unwrap(), 7);
    /// ```
    pub fn copy_from(&self, source: &Greenlet<T>)
    where
        T: Clone,
    {
        match source.get() {
            Ok(value) => self.set(value),
            Err(failure) => self.fail(failure),
        }
    }

    /// Waits for the result and returns a clone of the value. A yield point.
    ///
    /// # Errors
    ///
    /// The failure, if that is the result.
    pub fn get(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        self.ready.wait(None);
        self.result()
    }

    /// The same within a time limit. A yield point.
    ///
    /// # Errors
    ///
    /// As [`get`](AsyncResult::get), and a failure that [`is_timeout`](Failure::is_timeout).
    pub fn get_timeout(&self, timeout: impl IntoDuration) -> Result<T, Failure>
    where
        T: Clone,
    {
        if self.wait_timeout(timeout) { self.result() } else { Err(Failure::timed_out()) }
    }

    /// The same at once.
    ///
    /// # Errors
    ///
    /// As [`get_timeout`](AsyncResult::get_timeout).
    pub fn get_nowait(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        if self.ready() { self.result() } else { Err(Failure::timed_out()) }
    }

    fn result(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        match self.exception() {
            Some(failure) => Err(failure),
            None => self.packet.get().ok_or_else(Failure::timed_out),
        }
    }

    /// Waits for the result. A yield point.
    pub fn wait(&self) {
        self.ready.wait(None);
    }

    /// Waits for a limited time; tells whether there is a result. A yield point.
    pub fn wait_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.ready.wait(clock::now().checked_add(timeout.into_duration()))
    }

    /// Whether there is a result.
    pub fn ready(&self) -> bool {
        self.ready.is_set()
    }

    /// Whether there is a value.
    pub fn successful(&self) -> bool {
        self.ready() && self.failure.lock().is_none()
    }

    /// A clone of the value, if there is one.
    pub fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        if self.successful() { self.packet.get() } else { None }
    }

    /// The failure, if there is one.
    pub fn exception(&self) -> Option<Failure> {
        self.failure.lock().clone()
    }

    /// How many wait for the result.
    pub fn linkcount(&self) -> usize {
        self.ready.waiters()
    }
}

impl<T> Default for AsyncResult<T> {
    fn default() -> AsyncResult<T> {
        AsyncResult::new()
    }
}

impl<T> fmt::Debug for AsyncResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.ready(), self.successful()) {
            (false, _) => "unset",
            (true, true) => "value",
            (true, false) => "exception",
        };
        write!(f, "<AsyncResult {state} linkcount={}>", self.linkcount())
    }
}
