//! Two who run side by side through a row of prizes: one grants each, the other waits for it at the
//! same moment. If something gets lost between a look and the sleep after it, it waits in vain.

use std::hint::spin_loop;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::thread::yield_now;
use std::time::Instant;

use betterthreads::{sleep, with_timeout};

use crate::chance::{Chance, by_chance, factor};
use crate::common::caught;
use crate::prize::{Maker, Prize, Share};
use crate::stage::{PATIENCE, Seat, Stage};
use crate::{ends, items, locks, notices};

/// Prizes of a row, rows at the least, and when to give up.
const ROW: usize = 100;
const ROWS: u64 = 2;
const MOST_ROWS: u64 = 100 * ROWS;
/// How often either of the two is to be the first.
const ENOUGH: usize = 20;
/// How long the random pauses are, in turns of a loop.
const PAUSE: u64 = 40;
const LONGEST_PAUSE: i64 = 2000;
/// What one who does not wait for long waits for.
const IMPATIENCE_NANOS: u64 = 300;

/// Where the one who takes and the one who grants are.
const SEATS: &[(Seat, Seat)] = &[
    (Seat::Home, Seat::Thread),
    (Seat::Home, Seat::Away),
    (Seat::Thread, Seat::Home),
    (Seat::Thread, Seat::OtherThread),
];

struct Lap {
    prize: Box<dyn Prize>,
    is_granted: AtomicBool,
}

struct Row {
    laps: Vec<Lap>,
    taken: AtomicUsize,
    /// How often the grant was there before anyone waited.
    in_advance: AtomicUsize,
    /// How long the one who takes is to pause, or, if it is negative, the one who grants, so that
    /// they come at the same time.
    balance: AtomicI64,
    is_impatient: bool,
}

/// Lets others run on this hub and on this processor: there may be one only.
fn give_way() {
    sleep(0);
    yield_now();
}

impl Row {
    fn pause(&self, direction: i64, chance: &mut Chance) {
        let lag = (self.balance.load(SeqCst) * direction).clamp(0, LONGEST_PAUSE) as u64;
        (0..lag + chance.below(PAUSE)).for_each(|_| spin_loop());
    }

    fn take_all(&self, seat: Seat, chance: &mut Chance) {
        for lap in &self.laps {
            if chance.one_in(4) {
                give_way();
            }
            self.pause(1, chance);
            let is_granted = lap.is_granted.load(SeqCst);
            match self.is_impatient {
                true => self.take_soon(&*lap.prize, seat, chance),
                false => assert!(lap.prize.take(None).is_some(), "nothing after a wait"),
            }
            self.in_advance.fetch_add(usize::from(is_granted), SeqCst);
            let step = chance.below(PAUSE / 2) as i64;
            self.balance.fetch_add(if is_granted { -step } else { step }, SeqCst);
            self.taken.fetch_add(1, SeqCst);
        }
    }

    /// Waits for a moment only, again and again.
    fn take_soon(&self, prize: &dyn Prize, seat: Seat, chance: &mut Chance) {
        let end = Instant::now() + PATIENCE;
        loop {
            let limit = chance.nanos(IMPATIENCE_NANOS);
            let is_native = !seat.has_hub() || prize.has_limit() && chance.one_in(2);
            let held = match is_native {
                true => prize.take(Some(limit)),
                false => with_timeout(limit, || prize.take(None)).ok().flatten(),
            };
            if held.is_some() {
                return;
            }
            assert!(Instant::now() < end, "it got lost");
            if chance.one_in(8) {
                give_way();
            }
        }
    }

    fn grant_all(&self, chance: &mut Chance, prepared: &Sender<()>) {
        let grants: Vec<_> = self.laps.iter().map(|lap| lap.prize.prepare()).collect();
        prepared.send(()).expect("somebody who waits for that");
        for (number, (lap, grant)) in self.laps.iter().zip(grants).enumerate() {
            for turn in 0.. {
                if self.taken.load(SeqCst) >= number {
                    break;
                }
                if turn > LONGEST_PAUSE {
                    give_way();
                }
            }
            self.pause(-1, chance);
            lap.is_granted.store(true, SeqCst);
            grant();
        }
    }

    fn suits(&self, seat: Seat) -> bool {
        let prize = &self.laps[0].prize;
        let can_be_limited = seat.has_hub() || prize.has_limit();
        let is_suitable = !self.is_impatient || can_be_limited && prize.share() != Share::Once;
        is_suitable && prize.keeps_grants()
    }
}

/// Runs through one row, and tells how often the grant was there in advance.
fn run(
    stage: &Stage,
    (taker, granter): (Seat, Seat),
    maker: Maker,
    is_impatient: bool,
    chance: &mut Chance,
) -> Option<usize> {
    let mut forked = chance.fork();
    let lap = move |_| Lap { prize: maker(forked.next()), is_granted: AtomicBool::new(false) };
    let laps = stage.ask(Seat::Home, || (0..ROW).map(lap).collect());
    let (taken, in_advance, balance) = Default::default();
    let row = Arc::new(Row { laps, taken, in_advance, balance, is_impatient });
    if !row.suits(taker) {
        return None;
    }
    let (prepared, is_prepared) = channel();
    let (grants, mut forked) = (row.clone(), chance.fork());
    let granting = stage.begin(granter, move || grants.grant_all(&mut forked, &prepared));
    is_prepared.recv_timeout(PATIENCE).expect("a granter who is prepared");
    let (takes, mut forked) = (row.clone(), chance.fork());
    stage.ask(taker, move || takes.take_all(taker, &mut forked));
    granting.wait();
    row.laps.iter().for_each(|lap| lap.prize.check(1, 0));
    Some(row.in_advance.load(SeqCst))
}

fn relay(
    stage: &Stage,
    seats: (Seat, Seat),
    maker: Maker,
    is_impatient: bool,
    chance: &mut Chance,
) {
    let (mut all, mut in_advance) = (0, 0);
    for rows in 0.. {
        let is_enough = in_advance.min(all - in_advance) >= ENOUGH;
        if rows >= ROWS * factor() && is_enough {
            return;
        }
        let most = MOST_ROWS * factor();
        assert!(rows < most, "one was never the first: {in_advance} of {all} were granted first");
        match run(stage, seats, maker, is_impatient, chance) {
            Some(first) => in_advance += first,
            None => return,
        }
        all += ROW;
    }
}

fn relays(is_impatient: bool, chance: &mut Chance) {
    let stage = Stage::new();
    let prizes = [
        locks::PRIZES,
        items::RECEIVED,
        items::SENT,
        notices::PRIZES,
        notices::CONDITIONS,
        ends::PRIZES,
    ];
    for &(name, maker) in prizes.into_iter().flatten() {
        for &seats in SEATS {
            let result = caught(|| relay(&stage, seats, maker, is_impatient, chance));
            if let Err(payload) = result {
                println!("{name}, taken and granted on {seats:?}");
                resume_unwind(payload);
            }
        }
    }
}

#[test]
fn what_comes_at_the_moment_of_the_wait_is_not_missed() {
    by_chance(180, |chance| relays(false, chance));
}

#[test]
fn what_comes_when_the_time_is_up_is_there_for_the_next_wait() {
    by_chance(180, |chance| relays(true, chance));
}
