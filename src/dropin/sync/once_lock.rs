//! `OnceLock`.

use std::fmt;
use std::sync;

use crate::wait::flag::Flag;
use crate::wait::semaphore::Permits;

/// A value that is set once, as [`std::sync::OnceLock`]; those who come while it is made park.
///
/// An initializer that unwinds, also by a kill, leaves it empty, and the next one may try.
///
/// ```
/// use betterthreads::sync::OnceLock;
///
/// static ANSWER: OnceLock<u32> = OnceLock::new();
/// let make = || {
///     betterthreads::sleep(0.001);
///     42
/// };
/// let (one, other) = (
///     betterthreads::spawn(move || *ANSWER.get_or_init(make)),
///     betterthreads::spawn(move || *ANSWER.get_or_init(|| unreachable!("the first is at it"))),
/// );
/// assert_eq!(one.get().unwrap() + other.get().unwrap(), 84);
/// ```
pub struct OnceLock<T> {
    value: sync::OnceLock<T>,
    turn: Permits,
    done: Flag,
}

impl<T> OnceLock<T> {
    /// An empty one.
    #[must_use]
    pub const fn new() -> OnceLock<T> {
        OnceLock { value: sync::OnceLock::new(), turn: Permits::new(1), done: Flag::new() }
    }

    /// The value, if it has been set.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it has been set, for the owner.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Waits until the value is set. A yield point.
    pub fn wait(&self) -> &T {
        loop {
            if let Some(value) = self.value.get() {
                return value;
            }
            self.done.wait(None);
        }
    }

    /// Sets the value; waits for an initializer that is at work. A yield point.
    ///
    /// # Errors
    ///
    /// The value, if there is one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("an initializer is called once"));
        value.map_or(Ok(()), Err)
    }

    /// The value, made by `f` if there is none; waits if somebody is making it. A yield point.
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        if let Some(value) = self.value.get() {
            return value;
        }
        self.turn.acquire(None);
        let _turn = Turn(self);
        // The one with the turn is alone, so this never waits inside std.
        self.value.get_or_init(f)
    }

    /// Takes the value out.
    pub fn take(&mut self) -> Option<T> {
        self.done.clear();
        self.value.take()
    }

    /// The value, if it has been set.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

struct Turn<'a, T>(&'a OnceLock<T>);

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if self.0.value.get().is_some() {
            self.0.done.set();
        }
        self.0.turn.release();
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> OnceLock<T> {
        self.get().map_or_else(OnceLock::new, |value| OnceLock::from(value.clone()))
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> OnceLock<T> {
        let lock = OnceLock { value: value.into(), ..OnceLock::new() };
        lock.done.set();
        lock
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
