//! What is waited for in a duel: it is not to be had until it is granted, once.

use std::time::{Duration, Instant};

/// Who has it in the end if the one who waits first leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// The next one has it in any case: it is given back, or it is for everyone.
    Everyone,
    /// The next one has it only if the first has not: it is used up.
    One,
    /// Only one can wait for it, and asks again.
    Again,
    /// Only one can wait for it, and only once.
    Once,
}

/// Whatever keeps a grant: dropping it gives back what is to be given back.
pub(crate) trait Held {}

impl<T> Held for T {}

pub(crate) type Hold<'a> = Box<dyn Held + 'a>;

pub(crate) fn hold<'a>(held: impl Held + 'a) -> Option<Hold<'a>> {
    Some(Box::new(held))
}

pub(crate) trait Prize: Send + Sync {
    fn share(&self) -> Share {
        Share::Everyone
    }

    /// Whether a grant that comes before anyone waits is there for whoever comes.
    fn keeps_grants(&self) -> bool {
        true
    }

    /// Whether [`take`](Prize::take) knows limits.
    fn has_limit(&self) -> bool {
        true
    }

    /// Gets ready, as the one who will grant; what it returns makes the grant.
    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        Box::new(|| self.grant())
    }

    fn grant(&self) {}

    /// When it was granted, if whoever has it may be interrupted and pass it on before
    /// [`take`](Prize::take) returns.
    fn granted_at(&self) -> Option<Instant> {
        None
    }

    /// Waits for the grant, no longer than `limit`.
    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>>;

    /// Checks the books when everybody is gone: `taken` waits had the grant, `wasted` of them were
    /// ended by an unwind while they had it.
    fn check(&self, taken: usize, wasted: usize);
}

/// Makes a prize, on a hub, from a number of chance.
pub(crate) type Maker = fn(u64) -> Box<dyn Prize>;
