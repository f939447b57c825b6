//! `gevent.timeout`: limits on whatever a greenlet does.
//!
//! A time-out that passes is raised at a yield point of the greenlet that started it, as an unwind
//! that only its own `Timeout` catches. Ready input or a grant that came in the same turn of the
//! hub wins over it.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::base::duration::IntoDuration;
pub use crate::base::expired::Expired;
use crate::wait::clock;
use crate::wait::timeout::{self as limits, Expiry};

/// Runs `f` for a limited time, as `gevent.with_timeout`.
///
/// Inside a destructor that runs during an unwind it bounds clean-up: it is the only thing that is
/// raised there. A limit of [`Duration::MAX`] never passes.
///
/// # Errors
///
/// [`Expired`] when the time is up; `f` has been unwound by then.
///
/// # Panics
///
/// If the thread has no hub and none can be made; and with whatever `f` raises.
///
/// ```
/// use betterthreads::with_timeout;
///
/// assert_eq!(with_timeout(1, || "in time"), Ok("in time"));
/// let error = with_timeout(0.01, || betterthreads::sleep(3600)).unwrap_err();
/// assert_eq!(error.to_string(), "0.01 seconds");
/// ```
pub fn with_timeout<T>(seconds: impl IntoDuration, f: impl FnOnce() -> T) -> Result<T, Expired> {
    let expired = identify(seconds.into_duration());
    let expiry = made(Expiry::arm_here(expired, deadline(expired)));
    limits::limit(expiry, expired, f)
}

/// A limit with an identity of its own.
fn identify(after: Duration) -> Expired {
    Expired { id: limits::new_id(), after }
}

fn deadline(expired: Expired) -> Option<Instant> {
    clock::now().checked_add(expired.after)
}

fn made(expiry: io::Result<Expiry>) -> Expiry {
    expiry.unwrap_or_else(|error| panic!("failed to make a hub: {error}"))
}

impl Expired {
    /// The limit that has passed.
    pub fn duration(&self) -> Duration {
        self.after
    }
}

/// A time limit for the greenlet that starts it, as `gevent.Timeout`.
///
/// It is cancelled when it is dropped. gevent's `with Timeout(1):` is [`run`](Timeout::run).
///
/// ```
/// use betterthreads::Timeout;
///
/// let mut timeout = Timeout::new(0.01);
/// assert!(timeout.run(|| betterthreads::sleep(3600)).is_err());
/// // The other form: started here, caught there.
/// timeout.start();
/// assert!(timeout.pending());
/// assert!(timeout.run(|| betterthreads::sleep(3600)).is_err());
/// timeout.cancel();
/// ```
pub struct Timeout {
    expired: Expired,
    expiry: Option<Expiry>,
}

impl Timeout {
    /// A limit that is not started.
    pub fn new(seconds: impl IntoDuration) -> Timeout {
        Timeout { expired: identify(seconds.into_duration()), expiry: None }
    }

    /// A limit that is started at once.
    ///
    /// # Panics
    ///
    /// As [`start`](Timeout::start).
    pub fn start_new(seconds: impl IntoDuration) -> Timeout {
        let mut timeout = Timeout::new(seconds);
        timeout.start();
        timeout
    }

    /// Starts the clock for the running greenlet. Ignored while it is running.
    ///
    /// Outside [`run`](Timeout::run) the limit unwinds whatever the greenlet does when it passes;
    /// a greenlet that ends by it failed with [`Expired`].
    ///
    /// # Panics
    ///
    /// If the thread has no hub and none can be made.
    pub fn start(&mut self) {
        if !self.expiry.as_ref().is_some_and(Expiry::is_ahead) {
            // A new identity: an unwind of an earlier start is not this one's.
            self.expiry = None;
            self.expired = identify(self.duration());
            self.expiry = Some(made(Expiry::arm(self.expired, deadline(self.expired))));
        }
    }

    /// Stops the clock. A limit that has passed but was not raised yet will not be.
    pub fn cancel(&mut self) {
        self.expiry = None;
    }

    /// The same as [`cancel`](Timeout::cancel), as in gevent.
    pub fn close(&mut self) {
        self.cancel();
    }

    /// Whether the clock runs.
    pub fn pending(&self) -> bool {
        self.expiry.as_ref().is_some_and(Expiry::is_pending)
    }

    /// The limit; gevent's `seconds`.
    pub fn duration(&self) -> Duration {
        self.expired.duration()
    }

    /// Runs `f` under this limit, started now unless it is running, and stops the clock.
    ///
    /// # Errors
    ///
    /// [`Expired`] when this limit passed; another's is passed on.
    ///
    /// # Panics
    ///
    /// As [`start`](Timeout::start); and with whatever `f` raises.
    pub fn run<T>(&mut self, f: impl FnOnce() -> T) -> Result<T, Expired> {
        let deadline = match self.expiry.take() {
            Some(expiry) if expiry.is_ahead() => expiry.deadline(),
            _ => deadline(self.expired),
        };
        self.expired = identify(self.duration());
        limits::limit(made(Expiry::arm_here(self.expired, deadline)), self.expired, f)
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = if self.pending() { " pending" } else { "" };
        write!(f, "<Timeout seconds={}{pending}>", self.duration().as_secs_f64())
    }
}
