//! How races ended, as it can be told from the outside.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

/// How one wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It was granted; whatever was to interrupt it came later.
    Granted,
    /// It was granted and returned, and the interruption was raised at the next yield point: it
    /// came when the waiter had been woken and had not run yet. Or it could still be raised in the
    /// same call, which passes on what was granted.
    GrantedThenRaised,
    /// It was raised out of the wait: the interruption came first.
    Raised,
    /// The time was up first.
    TimedOut,
    /// The interruption came before the wait: no race.
    Missed,
}

/// Counts of each kind.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<Outcome, u64>);

impl Tally {
    pub(crate) fn note(&mut self, outcome: Outcome) {
        *self.0.entry(outcome).or_default() += 1;
    }

    pub(crate) fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(&outcome).copied().unwrap_or_default()
    }

    /// Whether each of `kinds` was seen `times` at the least.
    pub(crate) fn has(&self, kinds: &[Outcome], times: u64) -> bool {
        kinds.iter().all(|&kind| self.of(kind) >= times)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        for (outcome, count) in other.0 {
            *self.0.entry(outcome).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (outcome, count)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{outcome:?} {count}")?;
        }
        Ok(())
    }
}
