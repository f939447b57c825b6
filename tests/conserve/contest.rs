//! Duels over one kind of prize in all arenas, until every outcome was seen.
//!
//! All who take part act at times given in advance. Whoever was first is later in the next batch,
//! which moves the race to the moment where anyone may win it: that is where grants get lost. An
//! arena fails when one of the outcomes does not come up; then some window was never hit from one
//! of its sides, and the test would prove nothing.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::{Greenlet, GreenletExit, getcurrent, shield, sleep, spawn};

use crate::arena::{ARENAS, Aim, Arena, Times};
use crate::chance::{Chance, factor};
use crate::common::caught;
use crate::duel::{Duel, Hit};
use crate::prize::{Maker, Prize};
use crate::stage::{Answer, PATIENCE, Seat, Stage};
use crate::tally::Tally;

/// Duels of a batch, and how far apart they are that nobody meets for.
const DUELS: usize = 12;
const APART: Duration = Duration::from_micros(25);
/// Batches of each arena at the least, and when to give up.
const BATCHES: u64 = 5;
const MOST_BATCHES: u64 = 400 * BATCHES;
/// How often each kind of outcome is to be seen.
const ENOUGH: u64 = 3;
/// How far random delays go.
const JITTER_NANOS: &[u64] = &[1, 500, 4_000, 32_000];
/// For how long one greenlet computes at a time.
const COMPUTING_NANOS: &[u64] = &[0, 10_000, 50_000, 200_000];
/// The time that is left for the last preparations, and what it grows to at the most.
const SHORTEST_LEAD: Duration = Duration::from_micros(100);
const LONGEST_LEAD: Duration = Duration::from_millis(5);

/// What those who take part in some duels share.
struct Batch {
    duels: Vec<Duel>,
    start: OnceLock<Instant>,
    targets: OnceLock<Vec<Greenlet<()>>>,
    /// Everybody waits who is to wait from the beginning, and the rest is known.
    ready: Event,
    is_over: AtomicBool,
}

impl Batch {
    fn start(&self) -> Instant {
        self.ready.wait();
        *self.start.wait()
    }

    fn grant(&self, seat: Seat, prepared: &Sender<()>) {
        let grants: Vec<_> = self.duels.iter().map(|duel| duel.prize.prepare()).collect();
        prepared.send(()).expect("somebody who waits for that");
        let start = self.start();
        for (duel, grant) in self.duels.iter().zip(grants) {
            duel.grant(start, seat, grant);
        }
    }

    fn kill(&self, seat: Seat) {
        let start = self.start();
        for (duel, target) in self.duels.iter().zip(self.targets.wait().iter().cycle()) {
            duel.kill(start, seat, target);
        }
    }

    /// One target for all duels: what ends one of them is caught.
    fn face_all(&self, seat: Seat, lined_up: &Sender<()>) {
        let start = || {
            lined_up.send(()).expect("somebody who waits for that");
            self.start()
        };
        // A hit that comes before the first duel is for the first duel.
        let start = if seat.has_hub() { shield(start) } else { start() };
        for duel in &self.duels {
            if let Err(payload) = caught(|| duel.face(start, seat))
                && !payload.is::<Hit>()
                && !payload.is::<GreenletExit>()
            {
                resume_unwind(payload);
            }
        }
    }

    /// On the hub of the targets: one for each duel, which begin to wait.
    fn line_up(self: &Arc<Batch>, start: Instant) -> Vec<Greenlet<()>> {
        let face = |index| {
            let batch = self.clone();
            move || Duel::face(&batch.duels[index], start, Seat::Home)
        };
        let targets = (0..self.duels.len()).map(|index| spawn(face(index))).collect();
        (0..3).for_each(|_| sleep(0));
        targets
    }

    /// On any hub: heirs of some of the duels, which begin to wait.
    fn inherit(self: &Arc<Batch>, duels: &[usize]) -> Vec<Greenlet<()>> {
        let inherit = |&index: &usize| {
            let batch = self.clone();
            move || batch.duels[index].inherit()
        };
        let heirs = duels.iter().map(|index| spawn(inherit(index))).collect();
        (0..3).for_each(|_| sleep(0));
        heirs
    }

    /// Keeps a hub awake: it looks for kills and time-outs all the time. While this one computes, a
    /// target that was woken has not run yet.
    fn stay_awake(&self, computing: Duration) {
        while !self.is_over.load(SeqCst) {
            let end = Instant::now() + computing;
            while Instant::now() < end {
                std::hint::spin_loop();
            }
            sleep(0);
        }
    }

    fn indices(&self, which: impl Fn(&Duel) -> bool) -> Vec<usize> {
        (0..self.duels.len()).filter(|&index| which(&self.duels[index])).collect()
    }
}

/// One kind of prize in one arena.
struct Contest<'a> {
    name: &'static str,
    maker: Maker,
    arena: &'a Arena,
    stage: &'a Stage,
    /// At a hub that may sleep and at one that is kept awake.
    aims: [Aim; 2],
    lead: Duration,
    tally: Tally,
}

impl fmt::Display for Contest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}; {:?}", self.name, self.arena.name, self.tally, self.aims)
    }
}

impl Contest<'_> {
    fn run(&mut self, chance: &mut Chance) {
        if !self.arena.suits(&**self.prizes(1, chance).first().expect("one prize")) {
            return;
        }
        let outcomes = self.arena.outcomes();
        for batches in 0.. {
            if batches >= BATCHES * factor() && self.tally.has(outcomes, ENOUGH * factor()) {
                return;
            }
            assert!(batches < MOST_BATCHES * factor(), "one of {outcomes:?} was not seen");
            self.batch(chance);
        }
    }

    /// Prizes are made on the first hub: some need greenlets of their own.
    fn prizes(&self, count: usize, chance: &mut Chance) -> Vec<Box<dyn Prize>> {
        let (maker, mut chance) = (self.maker, chance.fork());
        self.stage.ask(Seat::Home, move || (0..count).map(|_| maker(chance.next())).collect())
    }

    fn duels(&self, times: Times, chance: &mut Chance) -> Vec<Duel> {
        let prizes = self.prizes(DUELS, chance);
        let duel = |(index, prize)| {
            let jitter = *chance.pick(JITTER_NANOS);
            let times = times.later(|| chance.nanos(jitter));
            Duel::new(prize, APART * index, times, self.arena, chance)
        };
        (0..).zip(prizes).map(duel).collect()
    }

    fn batch(&mut self, chance: &mut Chance) {
        let is_awake = chance.one_in(2);
        let times = self.aims[usize::from(is_awake)].times;
        let batch = Arc::new(Batch {
            duels: self.duels(times, chance),
            start: OnceLock::new(),
            targets: OnceLock::new(),
            ready: Event::new(),
            is_over: AtomicBool::new(false),
        });
        if is_awake {
            let (awake, computing) = (batch.clone(), *chance.pick(COMPUTING_NANOS));
            let computing = Duration::from_nanos(computing);
            drop(self.stage.begin(Seat::Home, move || awake.stay_awake(computing)));
        }
        let heirs_at = *chance.pick(&[Seat::Home, Seat::Away]);
        let fighters = self.begin(&batch, heirs_at);
        self.finish(&batch, fighters);
        batch.is_over.store(true, SeqCst);
        let mut tally = Tally::default();
        for duel in &batch.duels {
            duel.check();
            tally.note(duel.outcome());
        }
        self.aims[usize::from(is_awake)].adjust(self.arena, &tally);
        self.tally += tally;
    }

    /// Lets heirs of some duels begin to wait.
    fn heirs(&self, batch: &Arc<Batch>, seat: Seat, duels: Vec<usize>) -> Heirs {
        if duels.is_empty() {
            // The hub may be busy.
            return Vec::new();
        }
        let (batch, indices) = (batch.clone(), duels.clone());
        let heirs = self.stage.ask(seat, move || batch.inherit(&indices));
        duels.into_iter().zip(heirs).collect()
    }

    /// Brings everybody to where they wait for each other, and lets them begin.
    fn begin(&mut self, batch: &Arc<Batch>, heirs_at: Seat) -> Fighters {
        let (stage, arena) = (self.stage, self.arena);
        let (prepared, is_prepared) = channel();
        let (seat, grants) = (arena.granter, batch.clone());
        let granter = stage.begin(seat, move || grants.grant(seat, &prepared));
        is_prepared.recv_timeout(PATIENCE).expect("a granter who is prepared");

        let begun = Instant::now();
        let start = begun + self.lead;
        let (seat, faces) = (arena.target, batch.clone());
        let (single, targets, heirs) = if arena.is_single() {
            let targets = match seat.has_hub() {
                true => vec![stage.ask(seat, getcurrent)],
                false => Vec::new(),
            };
            let (lined_up, is_lined_up) = channel();
            let single = stage.begin(seat, move || faces.face_all(seat, &lined_up));
            is_lined_up.recv_timeout(PATIENCE).expect("a target that is there");
            (Some(single), targets, Vec::new())
        } else {
            let targets = stage.ask(seat, move || faces.line_up(start));
            let apparent = batch.indices(Duel::has_heir_apparent);
            (None, targets, self.heirs(batch, heirs_at, apparent))
        };
        batch.targets.set(targets).expect("no targets yet");
        batch.start.set(start).expect("no start yet");
        let kills = batch.clone();
        let killer = arena.killer.map(|seat| stage.begin(seat, move || kills.kill(seat)));
        self.lead = (begun.elapsed() * 3 / 2).clamp(SHORTEST_LEAD, LONGEST_LEAD);
        batch.ready.set();
        Fighters { granter, killer, single, heirs }
    }

    /// Waits for the end of everybody. A granter may be waiting for the heirs.
    fn finish(&self, batch: &Arc<Batch>, fighters: Fighters) {
        let Fighters { granter, killer, single, mut heirs } = fighters;
        killer.into_iter().for_each(Answer::wait);
        match single {
            Some(single) => single.wait(),
            None => batch.targets.wait().iter().for_each(end),
        }
        for (index, heir) in &heirs {
            if !batch.duels[*index].has_heir() {
                heir.throw(Hit);
            }
        }
        let late = batch.indices(Duel::has_heir);
        let is_there = |index: &usize| heirs.iter().any(|(other, _)| other == index);
        let late = late.into_iter().filter(|index| !is_there(index)).collect();
        heirs.extend(self.heirs(batch, Seat::Home, late));
        heirs.iter().for_each(|(_, heir)| end(heir));
        granter.wait();
    }
}

type Heirs = Vec<(usize, Greenlet<()>)>;

/// Those who are to be waited for.
struct Fighters {
    granter: Answer<()>,
    killer: Option<Answer<()>>,
    single: Option<Answer<()>>,
    heirs: Heirs,
}

/// Waits for a greenlet that has no reason not to end.
fn end(greenlet: &Greenlet<()>) {
    assert!(greenlet.join_timeout(PATIENCE), "something got lost: somebody waits in vain");
    let failure = greenlet.exception();
    assert!(!failure.is_some_and(|failure| failure.is_panicked()), "somebody has panicked");
}

/// Fights duels over each of some kinds of prizes in every arena that suits it.
pub(crate) fn contests(chance: &mut Chance, prizes: &[(&'static str, Maker)]) {
    let stage = Stage::new();
    for &(name, maker) in prizes {
        for arena in ARENAS {
            let (lead, tally) = Default::default();
            let aims = [Aim::new(), Aim::new()];
            let mut contest = Contest { name, maker, arena, stage: &stage, aims, lead, tally };
            let result = caught(|| contest.run(chance));
            // Shown by the harness if the test fails, or when it is asked to.
            println!("{contest}");
            result.unwrap_or_else(|payload| resume_unwind(payload));
        }
    }
}
