//! [`std::sync`] for greenlets.
//!
//! Whoever waits here parks, be it a greenlet, a main greenlet or a plain OS thread, of any hub;
//! those on one hub wake each other without a system call. Waiters are served in the order of
//! asking.
//!
//! A guard that is dropped while its greenlet unwinds poisons, as std's does; a kill is such an
//! unwind. [`shield`](crate::shield) is the way not to.
//!
//! | item of std | here |
//! |---|---|
//! | `Mutex`, `MutexGuard`, `RwLock`, `RwLockReadGuard`, `RwLockWriteGuard` | mirrored |
//! | `Condvar`, `WaitTimeoutResult`, `Barrier`, `BarrierWaitResult` | mirrored |
//! | `Once`, `OnceState`, `OnceLock`, `LazyLock` | mirrored |
//! | `mpsc` | mirrored; its error types are std's own |
//! | `Arc`, `Weak`, `atomic` | std's own |
//! | `PoisonError`, `TryLockError`, `LockResult`, `TryLockResult` | std's own |
//! | `ONCE_INIT`, `Condvar::wait_timeout_ms` | absent: deprecated |

mod barrier;
mod condvar;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod rwlock;

pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak, atomic};

pub use self::barrier::{Barrier, BarrierWaitResult};
pub use self::condvar::{Condvar, WaitTimeoutResult};
pub use self::lazy_lock::LazyLock;
pub use self::mutex::{Mutex, MutexGuard};
pub use self::once::{Once, OnceState};
pub use self::once_lock::OnceLock;
pub use self::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
