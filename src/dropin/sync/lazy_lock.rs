//! `LazyLock`.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::once_lock::OnceLock;
use crate::base::lock::Lock;

/// A value made on first use, as [`std::sync::LazyLock`]; those who come meanwhile park.
///
/// As with std's, an initializer that unwinds, also by a kill, poisons it.
///
/// ```
/// use betterthreads::sync::LazyLock;
///
/// static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| {
///     betterthreads::sleep(0.001);
///     vec![1, 2, 3]
/// });
/// assert_eq!(TABLE.len(), 3);
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    value: OnceLock<T>,
    initializer: Lock<Option<F>>,
}

impl<T, F: UnwindSafe> UnwindSafe for LazyLock<T, F> where OnceLock<T>: UnwindSafe {}
impl<T, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> where OnceLock<T>: RefUnwindSafe {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value to be made by `f`.
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock { value: OnceLock::new(), initializer: Lock::new(Some(f)) }
    }

    /// Makes the value if need be. A yield point the first time.
    ///
    /// # Panics
    ///
    /// If the initializer unwound earlier.
    pub fn force(this: &LazyLock<T, F>) -> &T {
        this.value.get_or_init(|| {
            let initializer = this.initializer.lock().take();
            match initializer {
                Some(initializer) => initializer(),
                None => panic!("LazyLock instance has previously been poisoned"),
            }
        })
    }

    /// The same for the owner, who may change it.
    ///
    /// # Panics
    ///
    /// If the initializer unwound earlier.
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        LazyLock::force(this);
        this.value.get_mut().expect("it has just been made")
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        this.value.get()
    }

    /// The value, if it has been made, for the owner.
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.value.get_mut()
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    fn deref_mut(&mut self) -> &mut T {
        LazyLock::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("LazyLock");
        match self.value.get() {
            Some(value) => debug.field(value),
            None => debug.field(&format_args!("<uninit>")),
        };
        debug.finish()
    }
}
