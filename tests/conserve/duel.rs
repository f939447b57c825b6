//! One grant, one who waits for it, and what comes in between: a kill, a throw, a time-out.
//!
//! The *target* waits and keeps what it got until it is hit. The *heir* waits behind it and is to
//! have what the target has not used up. The *granter* grants once, the *killer* hits once, both
//! some time after the moment of the duel. That is when they have met; or, if the target has a
//! limit and is not at the meeting, a time that was given in advance. Where they all are is the
//! affair of `contest`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};
use std::time::{Duration, Instant};

use betterthreads::{Greenlet, checkpoint, sleep, with_timeout};

use crate::arena::{Arena, Times};
use crate::chance::Chance;
use crate::common::on_drop;
use crate::prize::{Hold, Prize, Share};
use crate::stage::Seat;
use crate::tally::Outcome;

const WAITED: u8 = 1;
const GRANTED: u8 = 2;
const SURVIVED: u8 = 4;
const TIMED_OUT: u8 = 8;

/// How long those who meet wait for each other: one of them may be stuck in an earlier duel until
/// that is cleared up.
const MEETING: Duration = Duration::from_millis(2);

/// What is thrown.
#[derive(Debug)]
pub(crate) struct Hit;

pub(crate) struct Duel {
    pub(crate) prize: Box<dyn Prize>,
    /// Its place in the row of duels.
    after: Duration,
    times: Times,
    /// The target begins to wait about when the others act, and not from the beginning.
    comes_late: bool,
    is_limited: bool,
    /// The limit is the call's own, not one around it.
    is_native: bool,
    weapon: u64,
    /// How many are to meet, and have come.
    party: u8,
    met: AtomicU8,
    moment: OnceLock<Instant>,
    struck: OnceLock<Instant>,
    seen: AtomicU8,
    /// Somebody had it besides the target: the heir, or the target when it asked again.
    inherited: AtomicBool,
}

/// Lets time pass, on a hub by letting others run.
fn wait_until(time: Instant, seat: Seat) {
    while Instant::now() < time {
        if seat.has_hub() {
            sleep(0);
        } else {
            std::hint::spin_loop();
        }
    }
}

impl Duel {
    pub(crate) fn new(
        prize: Box<dyn Prize>,
        after: Duration,
        times: Times,
        arena: &Arena,
        chance: &mut Chance,
    ) -> Duel {
        let has_hub = arena.target.has_hub();
        let is_limited = !has_hub || chance.one_in(2);
        let others = 1 + u8::from(arena.killer.is_some());
        Duel {
            after,
            times,
            comes_late: prize.keeps_grants() && chance.one_in(3),
            is_limited,
            is_native: !has_hub || prize.has_limit() && chance.one_in(2),
            weapon: chance.next(),
            party: match (arena.is_single(), is_limited) {
                (true, _) => others + 1,
                (false, true) => 0,
                (false, false) => others,
            },
            met: AtomicU8::new(0),
            moment: OnceLock::new(),
            struck: OnceLock::new(),
            seen: AtomicU8::new(0),
            inherited: AtomicBool::new(false),
            prize,
        }
    }

    /// Waits for the moment of this duel.
    fn moment(&self, start: Instant, seat: Seat) -> Instant {
        if self.party == 0 {
            return start + self.after;
        }
        let latest = Instant::now() + MEETING;
        while self.met.load(SeqCst) < self.party && Instant::now() < latest {
            // There may be fewer processors than parties.
            std::thread::yield_now();
            if seat.has_hub() {
                sleep(0);
            }
        }
        *self.moment.get_or_init(Instant::now)
    }

    fn meet(&self, start: Instant, seat: Seat) -> Instant {
        self.met.fetch_add(1, SeqCst);
        self.moment(start, seat)
    }

    /// The granter's part.
    pub(crate) fn grant(&self, start: Instant, seat: Seat, grant: impl FnOnce()) {
        let time = self.meet(start, seat) + self.times.grant;
        wait_until(time, seat);
        grant();
    }

    /// The killer's part.
    pub(crate) fn kill(&self, start: Instant, seat: Seat, target: &Greenlet<()>) {
        let time = self.meet(start, seat) + self.times.kill;
        wait_until(time, seat);
        self.struck.get_or_init(Instant::now);
        match self.weapon % 5 {
            0 => target.kill_nowait(),
            1 => target.throw(Hit),
            2 => drop(target.kill_timeout(Duration::from_micros(self.weapon % 100))),
            // These wait for the end, if the target can have one.
            3 => target.kill(),
            _ => target.kill_with(Hit),
        }
    }

    fn note(&self, what: u8) {
        self.seen.fetch_or(what, SeqCst);
    }

    fn has(&self, what: u8) -> bool {
        self.seen.load(SeqCst) & what != 0
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match () {
            () if self.has(SURVIVED) => Outcome::Granted,
            () if self.has(GRANTED) => Outcome::GrantedThenRaised,
            () if self.has(TIMED_OUT) => Outcome::TimedOut,
            () if self.is_passed_on() => Outcome::GrantedThenRaised,
            () if self.has(WAITED) => Outcome::Raised,
            () => Outcome::Missed,
        }
    }

    /// Whether it was granted to the target, which was hit after that and did not return.
    fn is_passed_on(&self) -> bool {
        match (self.prize.granted_at(), self.struck.get()) {
            (Some(granted), Some(struck)) => granted < *struck,
            _ => false,
        }
    }

    /// The target's part. On a hub it ends by being hit.
    pub(crate) fn face(&self, start: Instant, seat: Seat) {
        let mut limit_from = start + self.after;
        let asks_again = self.prize.share() == Share::Again;
        let _again = on_drop(|| {
            if asks_again && !self.has(GRANTED) {
                self.inherit();
            }
        });
        if seat != Seat::Home {
            // It has others to fight before and after, so it comes to the meeting as well.
            limit_from = self.meet(start, seat);
        }
        if self.comes_late {
            let time = self.moment(start, seat) + self.times.grant.min(self.times.kill);
            wait_until(time, seat);
        }
        self.note(WAITED);
        let held = self.wait(limit_from);
        self.note(if held.is_some() { GRANTED } else { TIMED_OUT });
        if seat.has_hub() {
            checkpoint();
        }
        if held.is_some() {
            self.note(SURVIVED);
        }
        if seat.has_hub() {
            sleep(3600);
        }
    }

    fn wait(&self, limit_from: Instant) -> Option<Hold<'_>> {
        if !self.is_limited {
            let held = self.prize.take(None);
            assert!(held.is_some(), "a wait without a limit ended without a grant");
            return held;
        }
        let limit = (limit_from + self.times.limit).saturating_duration_since(Instant::now());
        match self.is_native {
            true => self.prize.take(Some(limit)),
            false => with_timeout(limit, || self.prize.take(None)).ok().flatten(),
        }
    }

    /// The heir's part.
    pub(crate) fn inherit(&self) {
        assert!(self.prize.take(None).is_some(), "a wait without a limit ended without a grant");
        self.inherited.store(true, SeqCst);
    }

    /// Whether an heir can wait behind the target from the beginning.
    pub(crate) fn has_heir_apparent(&self) -> bool {
        !self.comes_late && matches!(self.prize.share(), Share::Everyone | Share::One)
    }

    /// Whether an heir is to have the prize, now that the target is gone.
    pub(crate) fn has_heir(&self) -> bool {
        match self.prize.share() {
            Share::Everyone => true,
            Share::One => !self.has(GRANTED),
            Share::Again | Share::Once => false,
        }
    }

    /// Checks the books when everybody is gone.
    pub(crate) fn check(&self) {
        let granted = self.has(GRANTED);
        let is_inherited = match self.prize.share() {
            Share::Again => !granted,
            _ => self.has_heir(),
        };
        let inherited = self.inherited.load(SeqCst);
        assert_eq!(inherited, is_inherited, "whether another one had it: {:?}", self.outcome());
        self.prize.check(usize::from(granted) + usize::from(inherited), usize::from(granted));
    }
}
