//! Watching yield points, failing system calls, counting.

use crate::driver::call::Call;
use crate::driver::faults::{self, Interceptor};
use crate::sched::census::Census;
use crate::sched::hub::Hub;
use crate::sched::probe::{self, Moment, Watcher};
use crate::sched::{current, timers};

/// Calls `f` at each [`Moment`] of each greenlet of this thread, the main greenlet included, with
/// the number that [`Greenlet::id`](crate::Greenlet::id) gives, until the result is dropped. It
/// replaces an earlier watcher meanwhile.
///
/// `f` may spawn, kill with `kill_nowait`, throw and [`expire`]; it must not wait and must not
/// panic. What it causes itself it is not told of.
pub fn watch(f: impl FnMut(Moment, u64) + 'static) -> Watching {
    Watching { before: probe::watch(Some(Box::new(f))) }
}

/// Watches until it is dropped.
#[must_use = "it watches until it is dropped"]
pub struct Watching {
    before: Option<Watcher>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        probe::watch(self.before.take());
    }
}

/// Asks `f` before each system call that this library makes on this thread: with an error number
/// from it the call fails, without being made. (connect(2) and taking a descriptor out of a poller
/// are made all the same, for the kernel has done its part as well when these report an error.)
/// Until the result is dropped; an earlier interceptor is replaced meanwhile.
///
/// ```
/// use betterthreads::net::TcpListener;
/// use betterthreads::testing::{self, Call};
///
/// let too_many = testing::intercept(|call| (call == Call::Socket).then_some(24));
/// let error = TcpListener::bind("127.0.0.1:0").unwrap_err();
/// assert_eq!(error.raw_os_error(), Some(24)); // EMFILE
/// drop(too_many);
/// assert!(TcpListener::bind("127.0.0.1:0").is_ok());
/// ```
pub fn intercept(f: impl FnMut(Call) -> Option<i32> + 'static) -> Interception {
    Interception { before: faults::intercept(Some(Box::new(f))) }
}

/// Intercepts until it is dropped.
#[must_use = "it intercepts until it is dropped"]
pub struct Interception {
    before: Option<Interceptor>,
}

impl Drop for Interception {
    fn drop(&mut self) {
        faults::intercept(self.before.take());
    }
}

/// Counts what this thread's hub has.
///
/// # Panics
///
/// If the thread has no hub and none can be made.
pub fn census() -> Census {
    let census = current::with_hub(Hub::census);
    census.unwrap_or_else(|error| panic!("failed to make a hub: {error}"))
}

/// Makes a time limit of the greenlet with number `id` pass now: the one that is furthest in the
/// future. False if it has none.
///
/// Limits are those of [`with_timeout`](crate::with_timeout) and [`Timeout`](crate::Timeout).
///
/// ```
/// use betterthreads::{getcurrent, sleep, testing, with_timeout};
///
/// let result = with_timeout(3600, || {
///     assert!(testing::expire(getcurrent().id()));
///     sleep(0); // The first chance to raise it.
/// });
/// assert!(result.is_err());
/// ```
pub fn expire(id: u64) -> bool {
    current::with(|hub| timers::expire(hub, id)) == Some(true)
}
