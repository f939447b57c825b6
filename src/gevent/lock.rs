//! `gevent.lock`: semaphores and the reentrant lock.
//!
//! None of them poisons. A waiter that is killed leaves the queue; what it was granted already, it
//! has. All may be used from any OS thread.
//!
//! | gevent | here |
//! |---|---|
//! | `Semaphore`, `BoundedSemaphore`, `RLock` | mirrored |
//! | `with semaphore:` | [`Semaphore::with`], [`RLock::with`], or a guard of your own |
//! | `DummySemaphore` | absent: a semaphore with many permits |
//! | `rawlink`, `unlink` | absent: part of `wait`, to come |

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::base::duration::IntoDuration;
use crate::wait::clock;
use crate::wait::reentrant::Reentrant;
use crate::wait::semaphore::Permits;

/// Gives back what was taken, also when the one who took it unwinds.
struct OnLeave<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnLeave<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A counting semaphore, as `gevent.lock.Semaphore`.
///
/// Permits go to those who wait in the order of asking. gevent lets a running greenlet barge in;
/// here a permit that is released belongs to the first waiter.
///
/// ```
/// use betterthreads::lock::Semaphore;
///
/// let semaphore = Semaphore::new(2);
/// semaphore.acquire();
/// assert_eq!(semaphore.counter(), 1);
/// semaphore.with(|| assert!(semaphore.locked()));
/// semaphore.release();
/// assert_eq!(semaphore.counter(), 2);
/// ```
pub struct Semaphore {
    permits: Permits,
}

impl Semaphore {
    /// A semaphore with `value` permits.
    ///
    /// # Panics
    ///
    /// If there are more than half of `usize::MAX`.
    #[must_use]
    pub const fn new(value: usize) -> Semaphore {
        Semaphore { permits: Permits::new(value) }
    }

    /// Waits for a permit and takes it. A yield point.
    #[inline]
    pub fn acquire(&self) {
        self.permits.acquire(None);
    }

    /// Waits for a limited time; tells whether a permit was taken. A yield point.
    pub fn acquire_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.permits.acquire(clock::now().checked_add(timeout.into_duration()))
    }

    /// Takes a permit if there is one; gevent's `acquire(blocking=False)`.
    pub fn acquire_nowait(&self) -> bool {
        self.permits.try_acquire()
    }

    /// Gives a permit back, or adds one. Whoever does need not have taken it.
    pub fn release(&self) {
        self.permits.release();
    }

    /// Runs `f` with a permit, which is given back however `f` ends. A yield point.
    pub fn with<T>(&self, f: impl FnOnce() -> T) -> T {
        self.acquire();
        let _release = OnLeave(|| self.release());
        f()
    }

    /// Whether there is no permit to be had at once.
    pub fn locked(&self) -> bool {
        self.permits.free() == 0
    }

    /// Whether there is a permit to be had at once.
    pub fn ready(&self) -> bool {
        !self.locked()
    }

    /// The free permits.
    pub fn counter(&self) -> usize {
        self.permits.free()
    }

    /// How many wait for a permit.
    pub fn linkcount(&self) -> usize {
        self.permits.waiters()
    }
}

impl Default for Semaphore {
    /// One permit, as in gevent.
    fn default() -> Semaphore {
        Semaphore::new(1)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Semaphore counter={} links[{}]>", self.counter(), self.linkcount())
    }
}

/// A semaphore that refuses more permits than it began with, as `gevent.lock.BoundedSemaphore`.
///
/// ```
/// use betterthreads::lock::BoundedSemaphore;
///
/// let semaphore = BoundedSemaphore::new(1);
/// semaphore.acquire();
/// assert!(semaphore.release().is_ok());
/// assert_eq!(semaphore.release().unwrap_err().to_string(), "Semaphore released too many times");
/// ```
pub struct BoundedSemaphore {
    permits: Permits,
    /// Permits that have been taken, so that giving back too many can be told.
    taken: AtomicUsize,
}

/// A [`BoundedSemaphore`] or an [`RLock`] was released by one who did not hold it; the text is
/// gevent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseError(&'static str);

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ReleaseError {}

impl BoundedSemaphore {
    /// A semaphore with `value` permits at the most.
    ///
    /// # Panics
    ///
    /// If there are more than half of `usize::MAX`.
    #[must_use]
    pub const fn new(value: usize) -> BoundedSemaphore {
        BoundedSemaphore { permits: Permits::new(value), taken: AtomicUsize::new(0) }
    }

    fn note(&self, taken: bool) -> bool {
        if taken {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Waits for a permit and takes it. A yield point.
    #[inline]
    pub fn acquire(&self) {
        self.note(self.permits.acquire(None));
    }

    /// Waits for a limited time; tells whether a permit was taken. A yield point.
    pub fn acquire_timeout(&self, timeout: impl IntoDuration) -> bool {
        let deadline = clock::now().checked_add(timeout.into_duration());
        self.note(self.permits.acquire(deadline))
    }

    /// Takes a permit if there is one.
    pub fn acquire_nowait(&self) -> bool {
        self.note(self.permits.try_acquire())
    }

    /// Gives a permit back.
    ///
    /// # Errors
    ///
    /// If none has been taken.
    pub fn release(&self) -> Result<(), ReleaseError> {
        let (order, less) = (Ordering::Relaxed, |taken: usize| taken.checked_sub(1));
        match self.taken.fetch_update(order, order, less) {
            Ok(_) => {
                self.permits.release();
                Ok(())
            }
            Err(_) => Err(ReleaseError("Semaphore released too many times")),
        }
    }

    /// Runs `f` with a permit, which is given back however `f` ends. A yield point.
    pub fn with<T>(&self, f: impl FnOnce() -> T) -> T {
        self.acquire();
        // Taken just now, so giving it back cannot fail unless `f` gave it back too.
        let _release = OnLeave(|| {
            let _ = self.release();
        });
        f()
    }

    /// Whether there is no permit to be had at once.
    pub fn locked(&self) -> bool {
        self.permits.free() == 0
    }

    /// The free permits.
    pub fn counter(&self) -> usize {
        self.permits.free()
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<BoundedSemaphore counter={}>", self.counter())
    }
}

/// A lock that its owner may take again, as `gevent.lock.RLock`. The owner is a greenlet.
///
/// ```
/// use betterthreads::lock::RLock;
///
/// let lock = RLock::new();
/// lock.with(|| lock.with(|| assert!(lock.locked())));
/// assert!(!lock.locked());
/// assert!(lock.release().is_err());
/// ```
pub struct RLock(Reentrant);

impl RLock {
    /// A lock that nobody owns.
    #[must_use]
    pub const fn new() -> RLock {
        RLock(Reentrant::new())
    }

    /// Waits for the lock, unless the caller has it already. A yield point.
    #[inline]
    pub fn acquire(&self) {
        self.0.acquire(None);
    }

    /// Waits for a limited time; tells whether the lock was taken. A yield point.
    pub fn acquire_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.0.acquire(clock::now().checked_add(timeout.into_duration()))
    }

    /// Takes the lock if it is free or the caller's own.
    pub fn acquire_nowait(&self) -> bool {
        self.0.try_acquire()
    }

    /// Gives the lock back once.
    ///
    /// # Errors
    ///
    /// If the caller does not own it.
    pub fn release(&self) -> Result<(), ReleaseError> {
        if self.0.release() { Ok(()) } else { Err(ReleaseError("cannot release un-acquired lock")) }
    }

    /// Runs `f` with the lock, which is given back however `f` ends. A yield point.
    pub fn with<T>(&self, f: impl FnOnce() -> T) -> T {
        self.acquire();
        // Taken just now, so giving it back cannot fail unless `f` gave it back too.
        let _release = OnLeave(|| {
            let _ = self.release();
        });
        f()
    }

    /// Whether somebody owns it.
    pub fn locked(&self) -> bool {
        self.0.is_locked()
    }
}

impl Default for RLock {
    fn default() -> RLock {
        RLock::new()
    }
}

impl fmt::Debug for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (owner, count) = (self.0.owner(), self.0.count());
        write!(f, "<RLock owner={owner} count={count}>")
    }
}
