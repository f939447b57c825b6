//! Who takes part in a duel where, and when each of them acts.

use std::time::Duration;

use crate::prize::Prize;
use crate::stage::Seat;
use crate::tally::{Outcome, Tally};

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

/// Looks for the moment where anyone may be first.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(crate) times: Times,
    /// How far the last winner is held back. It grows while the same one wins.
    step: Duration,
    winner: Outcome,
}

const SHORTEST_STEP: Duration = Duration::from_micros(1);
const LONGEST_STEP: Duration = Duration::from_micros(500);

impl Aim {
    pub(crate) fn new() -> Aim {
        let (times, step) = (Times::default(), 16 * SHORTEST_STEP);
        Aim { times, step, winner: Outcome::Missed }
    }

    /// Holds everyone back who was first in a batch, as often as that was so.
    pub(crate) fn adjust(&mut self, arena: &Arena, batch: &Tally) {
        let kinds = [Outcome::Granted, Outcome::Raised, Outcome::TimedOut];
        let winner = kinds.into_iter().max_by_key(|&kind| batch.of(kind));
        let winner = winner.expect("one of three");
        self.step = match winner == self.winner {
            true => LONGEST_STEP.min(self.step * 2),
            false => SHORTEST_STEP.max(self.step / 3),
        };
        self.winner = winner;
        let [granted, raised, timed_out] = kinds.map(|kind| batch.of(kind) as u32);
        let all = (granted + raised + timed_out).max(1);
        let Times { grant, kill, limit } = &mut self.times;
        *grant += self.step * granted / all;
        *kill += self.step * raised / all;
        *limit += self.step * timed_out / all;
        // Only the differences matter.
        let least = *grant.min(limit);
        let least = if arena.killer.is_some() { least.min(*kill) } else { least };
        [grant, kill, limit].into_iter().for_each(|time| *time = time.saturating_sub(least));
    }
}
