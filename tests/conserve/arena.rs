//! Who takes part in a duel where, and when each of them acts.

use std::time::Duration;

use crate::prize::Prize;
use crate::stage::Seat;
use crate::tally::Outcome;

/// Who acts where.
pub(crate) struct Arena {
    pub(crate) name: &'static str,
    pub(crate) target: Seat,
    pub(crate) granter: Seat,
    /// A plain thread cannot be killed.
    pub(crate) killer: Option<Seat>,
}

const fn arena(name: &'static str, target: Seat, granter: Seat, killer: Option<Seat>) -> Arena {
    Arena { name, target, granter, killer }
}

pub(crate) const ARENAS: &[Arena] = &[
    arena("on one hub", Seat::Home, Seat::Home, Some(Seat::Home)),
    arena("killed by a thread", Seat::Home, Seat::Home, Some(Seat::Thread)),
    arena("granted by a thread", Seat::Home, Seat::Thread, Some(Seat::Home)),
    arena("granted and killed by threads", Seat::Home, Seat::Thread, Some(Seat::OtherThread)),
    arena("granted and killed by hubs", Seat::Home, Seat::Far, Some(Seat::Away)),
    arena("on a main greenlet", Seat::Main, Seat::Thread, Some(Seat::Away)),
    arena("on a plain thread", Seat::Thread, Seat::Home, None),
];

impl Arena {
    /// One target fights all duels of a batch, one after the other.
    pub(crate) fn is_single(&self) -> bool {
        self.target != Seat::Home
    }

    pub(crate) fn suits(&self, prize: &dyn Prize) -> bool {
        let can_be_limited = prize.has_limit() || self.target.has_hub();
        can_be_limited && (prize.keeps_grants() || !self.is_single())
    }

    /// The outcomes that are to be seen.
    pub(crate) fn outcomes(&self) -> &'static [Outcome] {
        use Outcome::{Granted, GrantedThenRaised, Raised, TimedOut};
        match self.killer {
            Some(_) => &[Granted, GrantedThenRaised, Raised, TimedOut],
            None => &[Granted, TimedOut],
        }
    }

    /// Moves the time of whoever was first, so that they are later from now on.
    pub(crate) fn hold_back(&self, times: &mut Times, first: Outcome, by: Duration) {
        match first {
            Outcome::Granted => times.grant += by,
            Outcome::Raised => times.kill += by,
            Outcome::TimedOut => times.limit += by,
            // Both at about the same time: this is the moment.
            Outcome::GrantedThenRaised | Outcome::Missed => {}
        }
        let mut least = times.grant.min(times.limit);
        if self.killer.is_some() {
            least = least.min(times.kill);
            times.kill -= least;
        }
        times.grant -= least;
        times.limit -= least;
    }
}

/// When each of the three acts, after the moment of their duel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) grant: Duration,
    pub(crate) kill: Duration,
    pub(crate) limit: Duration,
}

impl Times {
    /// The same with something added to each.
    pub(crate) fn later(self, mut by: impl FnMut() -> Duration) -> Times {
        Times { grant: self.grant + by(), kill: self.kill + by(), limit: self.limit + by() }
    }
}
