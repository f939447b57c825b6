//! A world in which one seed decides what in the real one is up to the kernel, the network and the
//! clock.
//!
//! Sockets stay the kernel's. What it reports of them is held back for a while and delivered in any
//! order; transfers come up short, or find nothing yet; events come for nothing. The clock stands
//! still while there is something to do, and jumps to the next deadline when there is not. Of those
//! who are ready to run any one is next, unless somebody counts on a certain one.
//!
//! A transfer that was cut short is owed an event, as if the rest had come in later. So the world
//! never does what a kernel could not do.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem::take;
use std::os::fd::RawFd;
use std::thread;
use std::time::{Duration, Instant};

use super::poll::{Event, Until};
use crate::base::random::Random;

/// The longest that an event is held back, in the world's own time.
const LATENCY: Duration = Duration::from_micros(500);

/// How long other threads have, in real time, to wake a hub that has nothing else to wait for, or
/// whose clock stands still for them.
const PATIENCE: Duration = Duration::from_secs(2);

/// The most switches between two looks at the world: few, so that its news come in everywhere.
const MOST_SWITCHES: u32 = 8;

/// One in how many transfers is cut short.
const ODDS_OF_A_CUT: usize = 4;

/// One in how many looks at the world brings an event for nothing.
const ODDS_OF_A_FALSE_EVENT: usize = 16;

/// The world of one thread.
struct World {
    random: Random,
    began: Instant,
    now: Instant,
    /// What was or will be reported, and when the hub is to learn of it.
    held: Vec<(Instant, Event)>,
    registered: Vec<(RawFd, u64)>,
    /// How many wait for what other threads do for them.
    abroad: usize,
    trace: u64,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

fn with<R>(f: impl FnOnce(&mut World) -> R) -> Option<R> {
    // The locals of an ending thread may be gone.
    WORLD.try_with(|world| world.borrow_mut().as_mut().map(f)).ok().flatten()
}

/// Gives this thread, which must not have a hub yet, a world of its own.
pub(crate) fn begin(seed: u64) {
    let (random, began) = (Random::new(seed), Instant::now());
    let (held, registered) = (Vec::new(), Vec::new());
    WORLD.set(Some(World { random, began, now: began, held, registered, abroad: 0, trace: seed }));
}

/// Whether this thread has a world of its own.
pub(crate) fn is_here() -> bool {
    with(|_| ()).is_some()
}

/// When this thread's world began; nothing without one.
pub(crate) fn began() -> Option<Instant> {
    with(|world| world.began)
}

/// Moves the clock on to `now`, as a long computation would.
pub(crate) fn advance(now: Instant) {
    with(|world| world.now = world.now.max(now));
}

/// A number made of everything that was decided and delivered so far.
pub(crate) fn trace() -> Option<u64> {
    with(|world| world.trace)
}

/// The clock of all deadlines.
pub(crate) fn now() -> Instant {
    with(|world| world.now).unwrap_or_else(Instant::now)
}

/// Asks the kernel without waiting and delivers what is due. Waits for the kernel only if the world
/// has no future of its own. `kernel` tells whether another thread has woken it: that one left a
/// message, so the poll is over, and the clock stands still.
///
/// # Errors
///
/// Those of the kernel; `Deadlock` when nothing happens then either.
pub(super) fn poll(
    mut until: Until,
    events: &mut Vec<Event>,
    mut kernel: impl FnMut(Until, &mut Vec<Event>) -> io::Result<bool>,
) -> io::Result<()> {
    if !is_here() {
        return kernel(until, events).map(drop);
    }
    loop {
        if kernel(Until::Now, events)? {
            until = Until::Now;
        }
        let future = with(|world| world.step(until, events));
        if future != Some(Future::Open) {
            return Ok(());
        }
        let woken = kernel(Until::Deadline(Instant::now() + PATIENCE), events)?;
        if woken {
            until = Until::Now;
        } else if events.is_empty() && with(|world| take(&mut world.abroad)) == Some(0) {
            return Err(io::ErrorKind::Deadlock.into());
        }
    }
}

/// Somebody begins to wait for what another thread does: the clock stands still meanwhile, unless
/// it takes too long.
pub(crate) fn go_abroad() {
    with(|world| world.abroad += 1);
}

/// Nobody waits for that any more.
pub(crate) fn come_back() {
    with(|world| world.abroad = world.abroad.saturating_sub(1));
}

/// Waits until `deadline`, whatever happens.
pub(super) fn rest(deadline: Instant) {
    match is_here() {
        true => advance(deadline),
        false => thread::sleep(deadline.saturating_duration_since(Instant::now())),
    }
}

/// What a world has left to wait for.
#[derive(Debug, PartialEq, Eq)]
enum Future {
    /// The poll is over: there is something to do.
    Begun,
    /// Nothing but what other threads and processes do.
    Open,
}

impl World {
    fn note(&mut self, what: u64) {
        self.trace = Random::new(self.trace.rotate_left(5) ^ what).next();
    }

    fn hold(&mut self, event: Event) {
        let late = match self.random.one_in(2) {
            true => 0,
            false => self.random.below(LATENCY.as_nanos() as usize),
        };
        self.held.push((self.now + Duration::from_nanos(late as u64), event));
    }

    /// Takes what the kernel has reported and leaves in `events` what the hub is to learn now.
    fn step(&mut self, until: Until, events: &mut Vec<Event>) -> Future {
        for event in events.drain(..) {
            self.hold(event);
        }
        if !self.registered.is_empty() && self.random.one_in(ODDS_OF_A_FALSE_EVENT) {
            let (_, token) = self.registered[self.random.below(self.registered.len())];
            self.hold(Event::of_both(token));
        }
        loop {
            self.deliver(events);
            let news = self.held.iter().map(|(due, _)| *due).min();
            let next = match until {
                Until::Now => return Future::Begun,
                _ if !events.is_empty() => return Future::Begun,
                Until::Deadline(deadline) if deadline <= self.now => return Future::Begun,
                _ if self.abroad > 0 && news.is_none() => return Future::Open,
                Until::Deadline(deadline) => news.map_or(deadline, |news| news.min(deadline)),
                Until::Event => match news {
                    Some(news) => news,
                    None => return Future::Open,
                },
            };
            self.now = self.now.max(next);
            self.note(self.now.duration_since(self.began).as_nanos() as u64);
        }
    }

    /// Moves what is due to `events`, in any order.
    fn deliver(&mut self, events: &mut Vec<Event>) {
        let now = self.now;
        let mut due: Vec<Event> =
            self.held.extract_if(.., |(due, _)| *due <= now).map(|(_, event)| event).collect();
        while !due.is_empty() {
            let event = due.swap_remove(self.random.below(due.len()));
            self.note(event.token);
            events.push(event);
        }
    }
}

/// A descriptor was registered.
pub(super) fn added(fd: RawFd, token: u64) {
    with(|world| {
        world.registered.retain(|(other, _)| *other != fd);
        world.registered.push((fd, token));
    });
}

/// A descriptor was taken out.
pub(super) fn removed(fd: RawFd) {
    with(|world| world.registered.retain(|(other, _)| *other != fd));
}

/// How much of a transfer of `whole` goes through; of none of it, that it would block.
pub(super) fn portion(fd: RawFd, whole: usize) -> usize {
    let portion = with(|world| {
        if whole == 0 || !world.random.one_in(ODDS_OF_A_CUT) {
            return whole;
        }
        // One that is not registered yet will be told by the kernel that it is ready.
        let token = world.registered.iter().find(|(other, _)| *other == fd);
        if let Some((_, token)) = token.copied() {
            world.hold(Event::of_both(token));
        }
        world.random.below(whole)
    });
    portion.unwrap_or(whole)
}

/// Takes the next of those who are ready to run: the first if it is `placed`, otherwise any.
pub(crate) fn choose<T>(ready: &mut VecDeque<T>, is_placed: impl FnOnce(&T) -> bool) -> Option<T> {
    let chosen = with(|world| match ready.front().is_none_or(is_placed) {
        true => 0,
        false => world.random.below(ready.len()),
    });
    ready.remove(chosen.unwrap_or(0))
}

/// How many switches a turn has that may have `most`.
pub(crate) fn switches(most: u32) -> u32 {
    let fewer = |world: &mut World| 1 + world.random.below(MOST_SWITCHES as usize) as u32;
    with(fewer).map_or(most, |fewer| fewer.min(most))
}

/// A greenlet runs, the one at this place in its hub's table; a main greenlet has none.
pub(crate) fn note_switch(place: impl FnOnce() -> Option<u64>) {
    with(|world| world.note(place().unwrap_or(u64::MAX)));
}
