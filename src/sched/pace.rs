//! How long a hub's turn is: how many switches it makes before it looks at the world again.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::driver::simulation;

/// The most switches between two looks at the world while greenlets are ready. A look costs a few
/// hundred nanoseconds, so this makes it a few nanoseconds of each switch.
const MOST_SWITCHES: u32 = 128;

/// How long a turn should take at the most: one that has taken longer is over at the next look at
/// the clock.
const LONGEST_TURN: Duration = Duration::from_millis(1);

/// How many switches there are between two looks at the clock, each of which costs as much as one:
/// this many after a wait, twice as many after a turn in time, a quarter after one that took too
/// long. So input, timers and kills wait for some long computations, not for a whole turn of them.
const FIRST_STRETCH: u32 = 4;
const LONGEST_STRETCH: u32 = 32;

/// The pace of one hub.
pub(super) struct Pace {
    /// How many switches of the present turn are left after this stretch.
    left: Cell<u32>,
    /// How many switches there are between two looks at the clock, and how many until the next.
    stretch: Cell<u32>,
    stretch_left: Cell<u32>,
    /// When the present turn began.
    began: Cell<Instant>,
}

impl Pace {
    pub(super) fn new() -> Pace {
        let pace = Pace {
            left: Cell::new(0),
            stretch: Cell::new(FIRST_STRETCH),
            stretch_left: Cell::new(0),
            began: Cell::new(simulation::now()),
        };
        pace.begin(simulation::now());
        pace
    }

    /// When the present turn began.
    pub(super) fn began(&self) -> Instant {
        self.began.get()
    }

    /// Counts a switch. Whether it is time to ask [`is_over`](Pace::is_over).
    #[inline(always)]
    pub(super) fn step(&self) -> bool {
        let left = self.stretch_left.get() - 1;
        self.stretch_left.set(left);
        left == 0
    }

    /// At the end of a stretch: whether the turn has been long enough. If not, the next begins.
    pub(super) fn is_over(&self, now: impl FnOnce() -> Instant) -> bool {
        let left = self.left.get();
        if left == 0 || self.is_late(now()) {
            return true;
        }
        let stretch = self.stretch.get().min(left);
        self.left.set(left - stretch);
        self.stretch_left.set(stretch);
        false
    }

    fn is_late(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began.get()) > LONGEST_TURN
    }

    /// The turn is over: the next one has longer stretches, if this one was in time.
    pub(super) fn adapt(&self, now: Instant) {
        self.stretch.set(match self.stretch.get() {
            stretch if self.is_late(now) => (stretch / 4).max(1),
            stretch => (stretch * 2).min(LONGEST_STRETCH),
        });
    }

    /// The turn is over, because there is nobody to run.
    pub(super) fn rest(&self) {
        self.stretch.set(FIRST_STRETCH);
    }

    /// A turn begins.
    pub(super) fn begin(&self, now: Instant) {
        let switches = simulation::switches(MOST_SWITCHES);
        let stretch = self.stretch.get().min(switches);
        self.left.set(switches - stretch);
        self.stretch_left.set(stretch);
        self.began.set(now);
    }
}
