//! How a greenlet ends when it does not return.

use std::any::Any;
use std::error::Error;
use std::fmt;

use super::payload::Payload;

/// The payload of a kill, gevent's `GreenletExit`.
///
/// A killed greenlet unwinds with this payload. Code that catches unwinds with
/// [`catch_unwind`](std::panic::catch_unwind) recognizes a kill by it and should pass it on with
/// [`resume_unwind`](std::panic::resume_unwind); a kill that is swallowed is raised again at the
/// next yield point.
///
/// ```
/// use betterthreads::GreenletExit;
/// use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
///
/// let greenlet = betterthreads::spawn(|| {
///     let result = catch_unwind(AssertUnwindSafe(|| betterthreads::sleep(60)));
///     if let Err(payload) = result {
///         assert!(payload.is::<GreenletExit>());
///         resume_unwind(payload);
///     }
/// });
/// betterthreads::sleep(0);
/// greenlet.kill();
/// assert!(greenlet.get().unwrap_err().is_killed());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GreenletExit;

impl fmt::Display for GreenletExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the greenlet was killed")
    }
}

impl Error for GreenletExit {}

#[derive(Clone, Debug)]
enum Kind {
    Killed,
    Panicked(Payload),
    Thrown(Payload),
    TimedOut,
}

/// Why [`Greenlet::get`](crate::Greenlet::get) has no value to give.
///
/// ```
/// let greenlet = betterthreads::spawn(|| -> u32 { std::panic::resume_unwind(Box::new("no")) });
/// let failure = greenlet.get().unwrap_err();
/// assert!(failure.is_panicked());
/// assert_eq!(failure.downcast_ref::<&str>(), Some(&"no"));
/// ```
#[derive(Clone)]
pub struct Failure {
    kind: Kind,
}

impl Failure {
    pub(crate) fn killed() -> Failure {
        Failure { kind: Kind::Killed }
    }

    pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> Failure {
        Failure { kind: Kind::Panicked(Payload::new(payload)) }
    }

    pub(crate) fn thrown(payload: Box<dyn Any + Send>) -> Failure {
        Failure { kind: Kind::Thrown(Payload::new(payload)) }
    }

    pub(crate) fn timed_out() -> Failure {
        Failure { kind: Kind::TimedOut }
    }

    /// Takes the failure for the one who consumes it and leaves its kind, and its message if it has
    /// one.
    pub(crate) fn take(&mut self) -> Failure {
        let hollow = match &self.kind {
            Kind::Panicked(payload) => Kind::Panicked(payload.hollow()),
            Kind::Thrown(payload) => Kind::Thrown(payload.hollow()),
            other => other.clone(),
        };
        std::mem::replace(self, Failure { kind: hollow })
    }

    /// Whether dropping this may run somebody's destructor.
    pub(crate) fn has_payload(&self) -> bool {
        matches!(self.kind, Kind::Panicked(_) | Kind::Thrown(_))
    }

    /// Whether the greenlet was killed.
    pub fn is_killed(&self) -> bool {
        matches!(self.kind, Kind::Killed)
    }

    /// Whether the greenlet's body, or a destructor that cleaned up after it, panicked.
    pub fn is_panicked(&self) -> bool {
        matches!(self.kind, Kind::Panicked(_))
    }

    /// Whether the greenlet ended by an exception that [`throw`](crate::Greenlet::throw) or
    /// [`kill_with`](crate::Greenlet::kill_with) raised in it.
    pub fn is_thrown(&self) -> bool {
        matches!(self.kind, Kind::Thrown(_))
    }

    /// Whether the wait for the result ran out of time; the greenlet itself goes on.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::TimedOut)
    }

    /// The payload of the panic or the thrown exception, if it is a `T`.
    pub fn downcast_ref<T: Any + Sync>(&self) -> Option<&T> {
        match &self.kind {
            Kind::Panicked(payload) | Kind::Thrown(payload) => payload.downcast_ref(),
            Kind::Killed | Kind::TimedOut => None,
        }
    }

    /// The payload as [`std::thread::JoinHandle::join`] would return it.
    ///
    /// When another handle still holds this failure, a message is copied and any other payload is
    /// replaced by the failure itself.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        let (payload, wrap): (Payload, fn(Payload) -> Kind) = match self.kind {
            Kind::Killed => return Box::new(GreenletExit),
            Kind::TimedOut => return Box::new(self),
            Kind::Panicked(payload) => (payload, Kind::Panicked),
            Kind::Thrown(payload) => (payload, Kind::Thrown),
        };
        let payload = match payload.into_content() {
            Ok(content) => return content,
            Err(payload) => payload,
        };
        if let Some(message) = payload.downcast_ref::<&'static str>() {
            return Box::new(*message);
        }
        match payload.downcast_ref::<String>() {
            Some(message) => Box::new(message.clone()),
            None => Box::new(Failure { kind: wrap(payload) }),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.kind, f)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Killed => fmt::Display::fmt(&GreenletExit, f),
            Kind::TimedOut => f.write_str("timed out waiting for the greenlet"),
            Kind::Thrown(_) => f.write_str("an exception was thrown into the greenlet"),
            Kind::Panicked(payload) => match payload.message() {
                Some(message) => write!(f, "the greenlet panicked: {message}"),
                None => f.write_str("the greenlet panicked"),
            },
        }
    }
}

impl Error for Failure {}

/// How a greenlet ended, without the value.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Returned,
    Failed(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_owner_gets_the_payload_itself() {
        let failure = Failure::panicked(Box::new(7_u8));
        assert_eq!(failure.into_payload().downcast_ref::<u8>(), Some(&7));
    }

    #[test]
    fn a_shared_message_is_copied_and_another_shared_payload_comes_wrapped() {
        let failure = Failure::panicked(Box::new(String::from("text")));
        let copy = failure.clone().into_payload();
        assert_eq!(copy.downcast_ref::<String>().map(String::as_str), Some("text"));
        let failure = Failure::thrown(Box::new(7_u8));
        let copy = failure.clone().into_payload();
        let wrapped = copy.downcast_ref::<Failure>().expect("the failure itself");
        assert!(wrapped.is_thrown());
        assert_eq!(wrapped.downcast_ref::<u8>(), Some(&7));
    }

    #[test]
    fn every_kind_says_what_happened() {
        let texts = [
            Failure::killed(),
            Failure::timed_out(),
            Failure::thrown(Box::new(1)),
            Failure::panicked(Box::new("why")),
            Failure::panicked(Box::new(1)),
        ]
        .map(|failure| failure.to_string());
        assert_eq!(
            texts,
            [
                "the greenlet was killed",
                "timed out waiting for the greenlet",
                "an exception was thrown into the greenlet",
                "the greenlet panicked: why",
                "the greenlet panicked",
            ]
        );
    }
}
