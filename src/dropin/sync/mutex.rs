//! `Mutex`.
//!
//! One permit decides who may hold the lock. A guard is that permit: where there is a guard there
//! is no other, so it may give out the value.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::thread;

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
    /// There is one, and every [`MutexGuard`] holds it.
    permit: Permits,
    poisoned: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: through a shared mutex the value is reached by way of a guard only, and there is one
// guard at a time (see `permit`), on whichever thread has it: the value is passed on, never shared.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            permit: Permits::new(1),
            poisoned: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Consumes the mutex and returns the value.
    ///
    /// # Errors
    ///
    /// The value in a [`PoisonError`], if a holder panicked or was killed.
    pub fn into_inner(self) -> LockResult<T> {
        let poisoned = self.is_poisoned();
        judge(poisoned, self.value.into_inner())
    }
}

/// What std's locks return: the value, in an error if it may be half-changed.
fn judge<V>(poisoned: bool, value: V) -> LockResult<V> {
    if poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
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
        let was_panicking = thread::panicking();
        judge(self.is_poisoned(), MutexGuard { mutex: self, was_panicking, not_send: PhantomData })
    }

    /// Waits for the permit alone; for a condition variable that takes the lock again.
    pub(super) fn permit(&self) -> &Permits {
        &self.permit
    }

    /// Whether a holder panicked or was killed.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    /// Forgets that a holder panicked.
    pub fn clear_poison(&self) {
        self.poisoned.store(false, Ordering::Relaxed);
    }

    /// The value, for the one who owns the mutex.
    ///
    /// # Errors
    ///
    /// The reference in a [`PoisonError`], if a holder panicked or was killed.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let poisoned = self.is_poisoned();
        judge(poisoned, self.value.get_mut())
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

/// The lock, held, as [`std::sync::MutexGuard`].
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    /// Its permit is this guard's.
    mutex: &'a Mutex<T>,
    /// It was taken by a destructor in an unwind, whose end does not poison.
    was_panicking: bool,
    /// As in std: whoever locks unlocks.
    not_send: PhantomData<*const ()>,
}

// SAFETY: a shared guard gives shared references to the value, for which `T: Sync` suffices, and
// nothing else.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Unlocks and says which mutex it was.
    pub(super) fn unlock(self) -> &'a Mutex<T> {
        self.mutex
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    /// Poisons as std does: if an unwind has begun since the lock was taken.
    #[inline]
    fn drop(&mut self) {
        if !self.was_panicking && thread::panicking() {
            self.mutex.poisoned.store(true, Ordering::Relaxed);
        }
        self.mutex.permit.release();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this guard has the mutex's only permit, so no other guard refers to the value;
        // `get_mut` and `into_inner` need the mutex itself, which is borrowed here.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; and this guard is borrowed for as long as the reference lives.
        unsafe { &mut *self.mutex.value.get() }
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
