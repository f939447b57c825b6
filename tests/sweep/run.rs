//! Plays a scenario again and again, each time with another strike, until no moment is left.
//!
//! Each sweep has a process of its own: what it compares belongs to the whole process, and what
//! ends a process ends no other sweep.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use betterthreads::testing;

use crate::baseline::{Baseline, descriptors, resident_kib};
use crate::common;
use crate::plan::{self, Killer, Plan, Strike, WEAPONS, Whose};
use crate::stage::{Stage, Victim};

/// What is played.
pub(crate) type Scenario = fn(&Stage);

/// More moments than any scenario has.
const MOST_MOMENTS: usize = 1000;

/// What memory may grow by between rounds: freed memory that the allocator has not returned.
const SLACK_KIB: usize = 2048;

/// How long a pause is in a simulated world, where it takes no time.
const SIMULATED: Duration = Duration::from_secs(1);

/// The same in the real world.
const REAL: Duration = Duration::from_millis(1);

/// How long one sweep may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

static PLAYS: AtomicUsize = AtomicUsize::new(0);

/// A multiple of the work.
fn factor() -> u32 {
    let factor = std::env::var("BETTERTHREADS_FACTOR").ok();
    factor.map_or(1, |factor| factor.parse().expect("BETTERTHREADS_FACTOR is a number"))
}

/// Plays `scenario` in simulated worlds, struck at every moment.
pub(crate) fn sweep(scenario: Scenario) {
    apart(|| in_rounds(|| strike_everywhere(scenario, Victim::Greenlet, SIMULATED)));
}

/// The same in the real world, once, with real time.
pub(crate) fn sweep_for_real(scenario: Scenario) {
    apart(|| {
        // Whatever is made once and kept is made.
        common::hosted(move || play(scenario, Victim::Greenlet, &[], REAL));
        let before = descriptors();
        common::hosted(move || strike_everywhere(scenario, Victim::Greenlet, REAL));
        assert_eq!(descriptors(), before, "a descriptor is left over");
    });
}

/// The same in simulated worlds with the main greenlet as the victim.
pub(crate) fn sweep_on_main(scenario: Scenario) {
    apart(|| in_rounds(|| strike_everywhere(scenario, Victim::Main, SIMULATED)));
}

/// The same with a second strike at every moment that is left after the first, while it unwinds
/// from that for example.
pub(crate) fn sweep_twice(scenario: Scenario) {
    apart(|| in_rounds(|| strike_twice_everywhere(scenario)));
}

/// Runs `work` in a process of its own and tells how much it was.
fn apart(work: impl FnOnce()) {
    let output = common::in_a_process_for(LIMIT * factor(), || {
        work();
        eprintln!("played {} times", PLAYS.load(Ordering::Relaxed));
    });
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
    let is_count = |line: &&str| line.starts_with("played ");
    println!("{}: {}", common::test_name(), text.lines().rfind(is_count).unwrap_or_default());
}

/// Does `work` in one simulated world after another, and checks that it leaves nothing over.
fn in_rounds(work: impl Fn() + Sync) {
    let mut before: Option<(Baseline, usize)> = None;
    for round in 0..3 * u64::from(factor()) {
        testing::explore(round..round + 1, &work);
        if let Some((baseline, resident)) = before.filter(|_| round >= 2) {
            baseline.expect_again();
            let now = resident_kib();
            assert!(now < resident + SLACK_KIB, "memory grew: {resident} to {now} KiB");
        }
        before = Some((Baseline::take(), resident_kib()));
    }
}

fn strike_everywhere(scenario: Scenario, victim: Victim, span: Duration) {
    play(scenario, victim, &[], span);
    let makes_sense = |killer, whose| {
        // Nobody waits for the end of a main greenlet, and who is woken in the real world runs in
        // the order of waking.
        (victim == Victim::Greenlet || killer != Killer::Abroad)
            && (span == SIMULATED || whose == Whose::Victim)
    };
    let all = plan::combinations().filter(|(_, killer, whose)| makes_sense(*killer, *whose));
    for (weapon, killer, whose) in all {
        let hits = |n: usize| play(scenario, victim, &[Strike { weapon, killer, whose, n }], span);
        let moments = (0..MOST_MOMENTS).take_while(|n| hits(*n) > 0).count();
        // There need not be others.
        let fewest = if whose == Whose::Victim { 2 } else { 0 };
        assert!((fewest..MOST_MOMENTS).contains(&moments), "{moments} moments");
    }
}

fn strike_twice_everywhere(scenario: Scenario) {
    let (killer, whose) = (Killer::InPlace, Whose::Victim);
    for (weapon, other) in WEAPONS.into_iter().flat_map(|weapon| WEAPONS.map(|w| (weapon, w))) {
        let strike = |n: usize, m: usize| {
            let first = Strike { weapon, killer, whose, n };
            let second = Strike { weapon: other, killer, whose, n: m };
            play(scenario, Victim::Greenlet, &[first, second], SIMULATED)
        };
        // One that cannot be hit a second time after this moment may be after the next.
        let is_hit = |n: &usize| {
            (0..MOST_MOMENTS).find_map(|m| match strike(*n, m) {
                2 => None,
                hits => Some(hits > 0),
            })
        };
        let moments = (0..MOST_MOMENTS).take_while(|n| is_hit(n) == Some(true)).count();
        assert!((2..MOST_MOMENTS).contains(&moments), "{moments} moments");
    }
}

/// Plays `scenario` once. Tells how many strikes the victim lived long enough for.
fn play(scenario: Scenario, victim: Victim, strikes: &[Strike], span: Duration) -> usize {
    let _context = Context(strikes);
    PLAYS.fetch_add(1, Ordering::Relaxed);
    let before = testing::census();
    let stage = Stage::new(Plan::new(strikes), victim, span);
    scenario(&stage);
    let hits = stage.finish();
    // What the hub throws away it throws away in greenlets of its own.
    betterthreads::sleep(span);
    let mut after = testing::census();
    // Stacks and tokens are kept for the next ones.
    after.stacks_free = before.stacks_free;
    after.tokens = before.tokens;
    after.token_stacks = before.token_stacks;
    assert_eq!(after, before, "not everything is gone");
    hits
}

/// Says what was being done when a check failed.
struct Context<'a>(&'a [Strike]);

impl Drop for Context<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let strikes: Vec<String> = self.0.iter().map(Strike::to_string).collect();
            eprintln!(
                "struck {}",
                match &strikes[..] {
                    [] => String::from("by nobody"),
                    strikes => strikes.join(", then "),
                }
            );
        }
    }
}
