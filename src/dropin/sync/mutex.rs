//! `Mutex`.
//!
//! One permit decides who may hold the lock; the value, and the poison, are in a std mutex inside,
//! which is therefore always free for the one with the permit.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use crate::wait::semaphore::Permits;

/// Mutual exclusion, as [`std::sync::Mutex`]; a greenlet that waits for it parks.
///
/// The lock goes to those who wait in the order of asking, handed over by the one who unlocks: no
/// waiter starves.
///
/// ```
/// use betterthreads::sync::{Arc, Mutex};
/// use betterthreads::thread;
///
/// let counter = Arc::new(Mutex::new(0));
/// let threads: Vec<_> = (0..10)
///     .map(|_| {
///         let counter = counter.clone();
///         thread::spawn(move || {
///             let mut counter = counter.lock().unwrap();
///             // Held across a wait, which would block everybody with std's.
///             thread::yield_now();
///             *counter += 1;
///         })
///     })
///     .collect();
/// threads.into_iter().for_each(|thread| thread.join().unwrap());
/// assert_eq!(*counter.lock().unwrap(), 10);
/// ```
pub struct Mutex<T: ?Sized> {
    permit: Permits,
    inner: sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex { permit: Permits::new(1), inner: sync::Mutex::new(value) }
    }

    /// Consumes the mutex and returns the value.
    ///
    /// # Errors
    ///
    /// The value in a [`PoisonError`], if a holder panicked or was killed.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock. A yield point: a waiter that is killed leaves the queue.
    ///
    /// A holder that asks again waits for itself, for ever or until it is killed.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`], if a holder panicked or was killed.
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.permit.acquire(None);
        self.guard()
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is held, `Poisoned` with the guard if a holder panicked or was killed.
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if self.permit.try_acquire() { Ok(self.guard()?) } else { Err(TryLockError::WouldBlock) }
    }

    /// The guard of the one who has the permit.
    #[inline]
    pub(super) fn guard(&self) -> LockResult<MutexGuard<'_, T>> {
        let held = Held { permit: &self.permit };
        match self.inner.lock() {
            Ok(inner) => Ok(MutexGuard { inner, held, mutex: self }),
            Err(poisoned) => {
                let inner = poisoned.into_inner();
                Err(PoisonError::new(MutexGuard { inner, held, mutex: self }))
            }
        }
    }

    /// Waits for the permit alone; for a condition variable that takes the lock again.
    pub(super) fn permit(&self) -> &Permits {
        &self.permit
    }

    /// Whether a holder panicked or was killed.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Forgets that a holder panicked.
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, for the one who owns the mutex.
    ///
    /// # Errors
    ///
    /// The reference in a [`PoisonError`], if a holder panicked or was killed.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        // Through the permit: showing the value is user code, which may wait.
        match self.try_lock() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(TryLockError::Poisoned(poisoned)) => debug.field("data", &&**poisoned.get_ref()),
            Err(TryLockError::WouldBlock) => debug.field("data", &"<locked>"),
        };
        debug.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// The permit of the one who holds the lock.
struct Held<'a> {
    permit: &'a Permits,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.permit.release();
    }
}

/// The lock, held, as [`std::sync::MutexGuard`].
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    // Dropped in this order: the value is let go of before the permit.
    inner: sync::MutexGuard<'a, T>,
    held: Held<'a>,
    mutex: &'a Mutex<T>,
}

// SAFETY: a shared reference to a guard gives shared references to the value, for which `T: Sync`
// suffices, and nothing else: the reference to the mutex, which would ask for `T: Send`, is used by
// the owner of the guard alone.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Unlocks and says which mutex it was.
    pub(super) fn unlock(self) -> &'a Mutex<T> {
        let MutexGuard { inner, held, mutex } = self;
        drop(inner);
        drop(held);
        mutex
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}
