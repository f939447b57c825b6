//! State that only one thread may touch, inside a value that every thread may hold.
//!
//! A greenlet's control block is shared by handles on any OS thread, but its stack, its body and
//! its list of exceptions belong to the hub's thread alone. [`Bound`] makes that a checked rule.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::hub::{Hub, HubId};

/// A value that is reachable through its own hub only.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Bound<T> {
    owner: HubId,
    /// Never dropped here: the last handle may die on another thread. Everything that has a
    /// destructor is taken out of the value on the hub's thread, at the end of its greenlet.
    value: ManuallyDrop<T>,
}

// SAFETY: the value is reached only in `get`, which needs a `&Hub` with the owner's id. Ids are
// unique in the process, and a hub is neither `Send` nor `Sync`, so a reference to it exists on its
// own thread only: all access is from one thread. The value is never dropped (see the field).
unsafe impl<T> Send for Bound<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Bound<T> {}

// What an unwind leaves in it is the concern of those who put it there.
impl<T> UnwindSafe for Bound<T> {}
impl<T> RefUnwindSafe for Bound<T> {}

impl<T> Bound<T> {
    pub(crate) fn new(owner: HubId, value: T) -> Bound<T> {
        Bound { owner, value: ManuallyDrop::new(value) }
    }

    /// Whether the value is reachable through `hub`.
    #[inline]
    pub(crate) fn is_of(&self, hub: &Hub) -> bool {
        self.owner == hub.id()
    }

    /// The value, for the thread of its hub.
    ///
    /// # Panics
    ///
    /// If `hub` is another hub: a bug of this library.
    #[inline]
    pub(crate) fn get(&self, hub: &Hub) -> &T {
        assert!(self.is_of(hub), "a greenlet was touched by a hub that is not its own");
        &self.value
    }
}
