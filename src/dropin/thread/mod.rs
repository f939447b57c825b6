//! [`std::thread`] with greenlets.
//!
//! ```
//! use betterthreads::thread;
//!
//! let handle = thread::spawn(|| {
//!     thread::sleep(std::time::Duration::from_millis(1));
//!     "done"
//! });
//! assert_eq!(handle.join().unwrap(), "done");
//! ```
//!
//! A spawned body starts when its spawner next waits or yields. It runs on the OS thread that
//! spawned it, so the closure, and what it returns, need not be `Send`.
//!
//! | item of std | here |
//! |---|---|
//! | `spawn`, `current`, `park`, `park_timeout`, `sleep`, `yield_now` | mirrored |
//! | `Builder`, `Builder::name`, `stack_size`, `spawn` | mirrored |
//! | `JoinHandle`, `Thread`, `ThreadId`, `Result` | mirrored |
//! | `panicking`, `available_parallelism` | std's own; `panicking` is right in every greenlet |
//! | `scope`, `Scope`, `ScopedJoinHandle`, `Builder::spawn_scoped` | mirrored |
//! | `LocalKey`, `AccessError` | mirrored, by [`local!`](crate::local) instead of `thread_local!` |
//! | `sleep_ms`, `park_timeout_ms` | absent: deprecated |
//! | `Builder::spawn_unchecked` | absent: `scope` lends to greenlets without `unsafe` |
//! | `JoinHandle::JoinHandleExt` | absent: no greenlet is a pthread of its own |
//! | [`JoinHandle::greenlet`], `kill`, `kill_nowait`, `kill_timeout` | added |

mod builder;
mod handle;
mod local;
mod scope;

use std::time::Duration;

pub use std::thread::{Result, available_parallelism, panicking};

pub use self::builder::{Builder, spawn};
pub use self::handle::{JoinHandle, Thread, ThreadId, current};
pub use self::local::{AccessError, LocalKey};
pub use self::scope::{Scope, ScopedJoinHandle, scope};
use crate::wait::clock;
use crate::wait::park as door;
use crate::wait::{parker, sleep as sleeping};

/// Puts the greenlet to sleep for at least `duration`, as [`std::thread::sleep`] does a thread.
///
/// A kill, a throw or a time-out is raised here, on entry or during the sleep. A sleep of zero is a
/// [`yield_now`].
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// betterthreads::thread::sleep(Duration::from_millis(10));
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// ```
pub fn sleep(duration: Duration) {
    if duration.is_zero() {
        yield_now();
    } else {
        sleeping::sleep_until(clock::now().checked_add(duration));
    }
}

/// Lets every other greenlet that is ready run, as [`std::thread::yield_now`] does for threads.
///
/// A kill is raised on entry or on return. Input is looked for every now and then, not each time.
///
/// ```
/// let other = betterthreads::spawn(|| "ran");
/// betterthreads::thread::yield_now();
/// assert!(other.ready());
/// ```
#[inline]
pub fn yield_now() {
    door::yield_now();
}

/// Waits until the greenlet's token is available and takes it, as [`std::thread::park`] does.
///
/// A kill is raised here; a token that comes at the same time stays for the next `park`.
///
/// ```
/// use betterthreads::thread;
///
/// let parked = thread::spawn(|| {
///     thread::park();
///     "unparked"
/// });
/// parked.thread().unpark();
/// assert_eq!(parked.join().unwrap(), "unparked");
/// ```
pub fn park() {
    parker::park(None);
}

/// The same, for `duration` at the longest, as [`std::thread::park_timeout`] does.
pub fn park_timeout(duration: Duration) {
    parker::park(clock::now().checked_add(duration));
}
