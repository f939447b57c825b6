//! `RwLock`.
//!
//! As in `mutex`, who may access is decided outside, and the value and the poison are in a std lock
//! inside.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, LockResult, PoisonError, TryLockError, TryLockResult};

use crate::wait::shared::{Access, Accesses};

/// A reader-writer lock, as [`std::sync::RwLock`]; a greenlet that waits for it parks.
///
/// Access is given in the order of asking: a reader that comes after a waiting writer waits too, so
/// a thread must not read again while it reads.
///
/// ```
/// use betterthreads::sync::RwLock;
///
/// let lock = RwLock::new(5);
/// {
///     let (one, other) = (lock.read().unwrap(), lock.read().unwrap());
///     assert_eq!(*one + *other, 10);
///     assert!(lock.try_write().is_err());
/// }
/// *lock.write().unwrap() += 1;
/// assert_eq!(*lock.read().unwrap(), 6);
/// ```
pub struct RwLock<T: ?Sized> {
    accesses: Accesses,
    inner: sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// An unlocked lock.
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { accesses: Accesses::new(), inner: sync::RwLock::new(value) }
    }

    /// Consumes the lock and returns the value.
    ///
    /// # Errors
    ///
    /// The value in a [`PoisonError`], if a writer panicked or was killed.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits for shared access. A yield point: a waiter that is killed leaves the queue.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`], if a writer panicked or was killed.
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.accesses.acquire(Access::Shared, None);
        self.read_guard()
    }

    /// Takes shared access if nobody writes or waits to.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it cannot be had, `Poisoned` with the guard if a writer panicked.
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        match self.accesses.try_acquire(Access::Shared) {
            true => Ok(self.read_guard()?),
            false => Err(TryLockError::WouldBlock),
        }
    }

    /// Waits for exclusive access. A yield point: a waiter that is killed leaves the queue.
    ///
    /// # Errors
    ///
    /// The guard in a [`PoisonError`], if a writer panicked or was killed.
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.accesses.acquire(Access::Exclusive, None);
        self.write_guard()
    }

    /// Takes exclusive access if nobody has any.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it cannot be had, `Poisoned` with the guard if a writer panicked.
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        match self.accesses.try_acquire(Access::Exclusive) {
            true => Ok(self.write_guard()?),
            false => Err(TryLockError::WouldBlock),
        }
    }

    fn held(&self, access: Access) -> Held<'_> {
        Held { accesses: &self.accesses, access }
    }

    fn read_guard(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let held = self.held(Access::Shared);
        match self.inner.read() {
            Ok(inner) => Ok(RwLockReadGuard { inner, _held: held }),
            Err(poisoned) => {
                let inner = poisoned.into_inner();
                Err(PoisonError::new(RwLockReadGuard { inner, _held: held }))
            }
        }
    }

    fn write_guard(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let held = self.held(Access::Exclusive);
        match self.inner.write() {
            Ok(inner) => Ok(RwLockWriteGuard { inner, _held: held }),
            Err(poisoned) => {
                let inner = poisoned.into_inner();
                Err(PoisonError::new(RwLockWriteGuard { inner, _held: held }))
            }
        }
    }

    /// Whether a writer panicked or was killed.
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Forgets that a writer panicked.
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value, for the one who owns the lock.
    ///
    /// # Errors
    ///
    /// The reference in a [`PoisonError`], if a writer panicked or was killed.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        // With shared access: showing the value is user code, which may wait.
        match self.try_read() {
            Ok(guard) => debug.field("data", &&*guard),
            Err(TryLockError::Poisoned(poisoned)) => debug.field("data", &&**poisoned.get_ref()),
            Err(TryLockError::WouldBlock) => debug.field("data", &format_args!("<locked>")),
        };
        debug.field("poisoned", &self.is_poisoned()).finish_non_exhaustive()
    }
}

/// The access of one who has it.
struct Held<'a> {
    accesses: &'a Accesses,
    access: Access,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.accesses.release(self.access);
    }
}

/// Shared access, as [`std::sync::RwLockReadGuard`].
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    // Dropped in this order: the value is let go of before the access.
    inner: sync::RwLockReadGuard<'a, T>,
    _held: Held<'a>,
}

/// Exclusive access, as [`std::sync::RwLockWriteGuard`].
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    // Dropped in this order: the value is let go of before the access.
    inner: sync::RwLockWriteGuard<'a, T>,
    _held: Held<'a>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on with shared access, as [`std::sync::RwLockWriteGuard::downgrade`]; no writer comes
    /// between, and readers at the front of the queue are let in.
    pub fn downgrade(s: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let RwLockWriteGuard { inner, _held: mut held } = s;
        // In this order: those who are let in must find the value readable.
        let inner = sync::RwLockWriteGuard::downgrade(inner);
        held.access = Access::Shared;
        held.accesses.downgrade();
        RwLockReadGuard { inner, _held: held }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

macro_rules! formatted {
    ($($guard:ident),*) => {$(
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&**self, f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&**self, f)
            }
        }
    )*};
}

formatted!(RwLockReadGuard, RwLockWriteGuard);
