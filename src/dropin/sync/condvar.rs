//! `Condvar`.

use std::fmt;
use std::sync::{LockResult, PoisonError};
use std::time::{Duration, Instant};

use super::mutex::MutexGuard;
use crate::wait::clock;
use crate::wait::notify::Notify;

/// A condition variable, as [`std::sync::Condvar`], for this module's [`Mutex`](super::Mutex).
///
/// A notified waiter that is killed while it waits for the mutex again was not notified: the
/// notification goes to the next one.
///
/// ```
/// use betterthreads::sync::{Arc, Condvar, Mutex};
/// use betterthreads::thread;
///
/// let pair = Arc::new((Mutex::new(false), Condvar::new()));
/// let waiter = thread::spawn({
///     let pair = pair.clone();
///     move || {
///         let (ready, changed) = &*pair;
///         let guard = changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///         assert!(*guard);
///     }
/// });
/// thread::yield_now();
/// *pair.0.lock().unwrap() = true;
/// pair.1.notify_one();
/// waiter.join().unwrap();
/// ```
#[derive(Default)]
pub struct Condvar {
    notify: Notify,
}

impl Condvar {
    /// A condition variable that nobody waits for.
    #[must_use]
    pub const fn new() -> Condvar {
        Condvar { notify: Notify::new() }
    }

    /// Unlocks, waits for a notification, and locks again. A yield point.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`], if the mutex is poisoned by then.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        match self.wait_until(guard, None) {
            Ok((guard, _)) => Ok(guard),
            Err(poisoned) => Err(PoisonError::new(poisoned.into_inner().0)),
        }
    }

    /// The same until `condition` is false.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait).
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// The same for a limited time.
    ///
    /// # Errors
    ///
    /// As [`wait`](Condvar::wait), with the result beside the guard.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        duration: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.wait_until(guard, clock::now().checked_add(duration))
    }

    /// The same for a limited time and until `condition` is false.
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Condvar::wait_timeout).
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        duration: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        // The end of the wait tells whether the time is up, not the clock: it need not have moved.
        let deadline = clock::now().checked_add(duration);
        let mut result = WaitTimeoutResult(false);
        while condition(&mut guard) {
            if result.timed_out() {
                return Ok((guard, result));
            }
            (guard, result) = self.wait_until(guard, deadline)?;
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    fn wait_until<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mutex, notified) = self.notify.wait(deadline, guard, MutexGuard::unlock, |mutex| {
            mutex.permit().acquire(None);
        });
        let result = WaitTimeoutResult(!notified);
        match mutex.guard() {
            Ok(guard) => Ok((guard, result)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
        }
    }

    /// Wakes the first waiter, if there is one.
    pub fn notify_one(&self) {
        self.notify.one();
    }

    /// Wakes everyone who waits.
    pub fn notify_all(&self) {
        self.notify.all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

/// Whether a limited wait ran out of time, as [`std::sync::WaitTimeoutResult`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether it did.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}
