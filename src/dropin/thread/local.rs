//! Greenlet-local values: `local!` and `LocalKey`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use crate::sched::current;
use crate::sched::locals::Locals;

/// Declares greenlet-local values, in the words of [`std::thread_local!`].
///
/// Each greenlet has a value of its own, made on first use and dropped at its end, also when it is
/// killed. The initializer and the destructor may wait. A main greenlet and a plain OS thread have
/// the value of their OS thread.
///
/// ```
/// use std::cell::Cell;
///
/// betterthreads::local! {
///     static COUNT: Cell<u32> = Cell::new(0);
/// }
///
/// let greenlets: Vec<_> = (1..4)
///     .map(|n| {
///         betterthreads::spawn(move || {
///             COUNT.set(COUNT.get() + n);
///             betterthreads::sleep(0);
///             COUNT.get()
///         })
///     })
///     .collect();
/// let counts = greenlets.iter().map(|greenlet| greenlet.get().unwrap());
/// assert_eq!(counts.collect::<Vec<_>>(), [1, 2, 3]);
/// ```
#[macro_export]
macro_rules! local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $init:block
        $(; $($rest:tt)*)?) => {
        $crate::local!($(#[$attribute])* $visibility static $name: $type = $init);
        $($crate::local!($($rest)*);)?
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr
        $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::thread::LocalKey<$type> = {
            fn init() -> $type {
                $init
            }
            $crate::thread::LocalKey::new(init)
        };
        $($crate::local!($($rest)*);)?
    };
}

thread_local! {
    /// The values of a main greenlet or a plain OS thread. Without a destructor, so that the
    /// values' own destructors may use other values.
    static OF_THREAD: ManuallyDrop<RefCell<Locals>> =
        const { ManuallyDrop::new(RefCell::new(Locals::new())) };
    /// Drops them when the OS thread ends.
    static END_OF_THREAD: EndOfThread = const { EndOfThread };
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

struct EndOfThread;

impl Drop for EndOfThread {
    /// Those made last first, and those made by that as well.
    fn drop(&mut self) {
        while let Some(value) = OF_THREAD.with(|locals| locals.borrow_mut().pop()) {
            drop(value);
        }
        ENDED.set(true);
        // The values are gone; this is the memory of their table.
        OF_THREAD.with(|locals| drop(locals.take()));
    }
}

/// Calls `f` with the values of this OS thread.
fn of_thread<R>(f: impl FnOnce(&mut Locals) -> R) -> Result<R, AccessError> {
    if ENDED.get() {
        return Err(AccessError(()));
    }
    // Its first use registers its destructor; during that it is gone, and the values are not.
    let _ = END_OF_THREAD.try_with(|_| ());
    Ok(OF_THREAD.with(|locals| f(&mut locals.borrow_mut())))
}

/// The key of a greenlet-local value, as [`std::thread::LocalKey`]; made by
/// [`local!`](crate::local).
pub struct LocalKey<T: 'static> {
    init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    pub const fn new(init: fn() -> T) -> LocalKey<T> {
        LocalKey { init }
    }

    /// Calls `f` with this greenlet's value, made first if need be.
    ///
    /// # Panics
    ///
    /// If the value has been dropped: its greenlet or OS thread is at its end.
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.try_with(f).unwrap_or_else(|error| fail(error))
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// If the value has been dropped: its greenlet or OS thread is at its end.
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        self.try_with_or(self.init, f)
    }

    /// Stores `value` if there is none yet, without making one first; else calls `f` with both.
    fn initialize_with(&'static self, value: T, f: impl FnOnce(&T, T)) {
        let value = Cell::new(Some(value));
        let init = || value.take().expect("a value is made once");
        let done = self.try_with_or(init, |current| value.take().map(|value| f(current, value)));
        done.map_or_else(|error| fail(error), Option::unwrap_or_default);
    }

    fn try_with_or<R>(
        &'static self,
        init: impl FnOnce() -> T,
        f: impl FnOnce(&T) -> R,
    ) -> Result<R, AccessError> {
        // Held while `f` runs, so that it outlives the greenlet's own reference.
        let value = self.value((self as *const LocalKey<T>).addr(), init)?;
        match value.downcast_ref::<T>() {
            Some(value) => Ok(f(value)),
            None => Err(AccessError(())),
        }
    }

    fn value(
        &'static self,
        key: usize,
        init: impl FnOnce() -> T,
    ) -> Result<Rc<dyn Any>, AccessError> {
        let (value, is_over) = locals(|locals| (locals.get(key), locals.is_over(key)))?;
        if is_over {
            return Err(AccessError(()));
        }
        if let Some(value) = value {
            return Ok(value);
        }
        // User code, which may wait and may make other values: nothing is borrowed.
        let value: Rc<dyn Any> = Rc::new(init());
        // If that has made this very value too, this one takes its place, as in std.
        let before = locals(|locals| locals.put(key, value.clone()))?;
        drop(before);
        Ok(value)
    }
}

fn fail(error: AccessError) -> ! {
    panic!("cannot access a greenlet-local value during or after destruction: {error:?}")
}

/// Calls `f` with the values of whoever is running.
fn locals<R>(f: impl FnOnce(&mut Locals) -> R) -> Result<R, AccessError> {
    let mut f = Some(f);
    let found = current::with(|hub| {
        let is_greenlet = hub.running().is_greenlet();
        let f = f.take_if(|_| is_greenlet)?;
        Some(hub.running_local().make_rare(|rare| f(&mut rare.locals)))
    });
    match (found.flatten(), f) {
        (Some(result), _) => Ok(result),
        (None, Some(f)) => of_thread(f),
        (None, None) => Err(AccessError(())),
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value, without making it first.
    pub fn set(&'static self, value: T) {
        self.initialize_with(Cell::new(value), |cell, value| cell.set(value.into_inner()));
    }

    /// A copy of the value.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value and leaves the default.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Replaces the value and returns the old one.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the value borrowed.
    ///
    /// # Panics
    ///
    /// If it is mutably borrowed.
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the value mutably borrowed.
    ///
    /// # Panics
    ///
    /// If it is borrowed.
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value, without making it first.
    ///
    /// # Panics
    ///
    /// If it is borrowed.
    pub fn set(&'static self, value: T) {
        let replace =
            |cell: &RefCell<T>, value: RefCell<T>| *cell.borrow_mut() = value.into_inner();
        self.initialize_with(RefCell::new(value), replace);
    }

    /// Takes the value and leaves the default.
    ///
    /// # Panics
    ///
    /// If it is borrowed.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Replaces the value and returns the old one.
    ///
    /// # Panics
    ///
    /// If it is borrowed.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// The value has been dropped, as [`std::thread::AccessError`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessError")
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl Error for AccessError {}
