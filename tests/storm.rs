//! Storms: very many greenlets killed, thrown at and timed out by several OS threads at once.
//!
//! The hubs are hosted by threads without `run`, which end the process if a greenlet is alive when
//! they end: that is how the tests know that none is left. `BETTERTHREADS_FACTOR` repeats each
//! storm.

#[path = "common/chance.rs"]
mod chance;
#[path = "common/mod.rs"]
mod common;

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread as os;
use std::time::{Duration, Instant};

use betterthreads::event::{AsyncResult, Event};
use betterthreads::lock::Semaphore;
use betterthreads::queue::Queue;
use betterthreads::sync::{Condvar, Mutex, RwLock};
use betterthreads::thread::{self, Builder};
use betterthreads::{Greenlet, joinall, killall, sleep, spawn, with_timeout};

use chance::{Chance, by_chance, factor};
use common::{caught, on_drop, stream};

/// How many are parked on one hub. Older kernels have mappings for fewer stacks.
const PARKED: usize = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
const PARKED_AT_LEAST: usize = 10_000;
/// How many of them wait for a socket, which takes two descriptors.
const SOCKETS: usize = 200;
const KILLERS: usize = 4;

/// How many take part in the smaller storms.
const SOME: usize = 500;

/// How often each of some things happened.
#[derive(Clone)]
struct Book(Arc<Vec<AtomicU8>>);

impl Book {
    fn new(size: usize) -> Book {
        Book(Arc::new((0..size).map(|_| AtomicU8::new(0)).collect()))
    }

    fn note(&self, index: usize) {
        self.0[index].fetch_add(1, SeqCst);
    }

    /// Checks that each of the first `size` happened once.
    #[track_caller]
    fn check(&self, size: usize) {
        let odd = self.0[..size].iter().position(|count| count.load(SeqCst) != 1);
        let count = odd.map(|index| self.0[index].load(SeqCst));
        assert_eq!(count, None, "how often number {odd:?} happened");
    }
}

fn open_fds() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Runs `f` on an OS thread of its own that ends with its hub, and checks that no descriptor is
/// left open.
fn on_a_thread<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let before = open_fds();
    let result = os::scope(|scope| scope.spawn(f).join());
    let value = result.unwrap_or_else(|payload| resume_unwind(payload));
    assert_eq!(open_fds(), before, "descriptors");
    value
}

/// Everything that can be waited for in vain.
struct World {
    event: Event,
    queue: Queue<u32>,
    mutex: Mutex<()>,
    lock: RwLock<()>,
    /// Nobody holds this one for long.
    free: Mutex<()>,
    changed: Condvar,
    result: AsyncResult<u32>,
    semaphore: Semaphore,
    anchor: OnceLock<Greenlet<()>>,
}

impl World {
    fn new() -> World {
        World {
            event: Event::new(),
            queue: Queue::new(),
            mutex: Mutex::new(()),
            lock: RwLock::new(()),
            free: Mutex::new(()),
            changed: Condvar::new(),
            result: AsyncResult::new(),
            semaphore: Semaphore::new(0),
            anchor: OnceLock::new(),
        }
    }

    /// Waits for what does not happen, in one of many ways. The mutex and the lock must be held.
    fn wait(&self, way: u64) {
        match way % 11 {
            0 => sleep(Duration::MAX),
            1 => sleep(3600),
            2 => drop(self.event.wait()),
            3 => drop(self.queue.get()),
            4 => drop(self.mutex.lock()),
            5 => drop(self.lock.read()),
            6 => drop(self.result.get()),
            7 => self.semaphore.acquire(),
            8 => {
                // Whoever is hit before it waits holds this one in its unwind.
                let guard = self.free.lock().unwrap_or_else(PoisonError::into_inner);
                drop(self.changed.wait(guard));
            }
            9 => self.anchor.get().expect("an anchor").join(),
            _ => drop(with_timeout(3600, thread::park)),
        }
    }

    /// Checks that nobody waits and that everything still works.
    fn check(&self) {
        assert_eq!((self.event.linkcount(), self.result.linkcount()), (0, 0));
        assert_eq!(self.semaphore.linkcount(), 0);
        self.semaphore.release();
        assert_eq!(self.semaphore.counter(), 1);
        self.queue.put(7);
        assert_eq!((self.queue.get(), self.queue.qsize()), (7, 0));
        drop(self.mutex.try_lock().expect("a free mutex"));
        drop(self.lock.try_write().expect("a free lock"));
        self.free.clear_poison();
        let guard = self.free.try_lock().expect("a free mutex");
        let waited = self.changed.wait_timeout(guard, Duration::from_micros(1));
        assert!(waited.expect("a mutex without poison").1.timed_out());
        let sum: u64 = (0..100).map(|n| spawn(move || n)).map(|one| one.get().unwrap()).sum();
        assert_eq!(sum, 4950);
    }
}

/// Spawns greenlets that wait, as many as wanted or as the kernel allows; each notes its end. Some
/// wait for sockets, whose other ends are returned as well.
fn park(
    world: &Arc<World>,
    ends: &Book,
    chance: &mut Chance,
) -> (Vec<Greenlet<()>>, Vec<UnixStream>) {
    let mut parked = Vec::with_capacity(PARKED);
    let mut peers = Vec::with_capacity(SOCKETS);
    for index in 0..PARKED {
        let (world, ends, way) = (world.clone(), ends.clone(), chance.next());
        let socket = (index < SOCKETS).then(|| {
            let (socket, peer) = stream();
            peers.push(peer);
            socket
        });
        let handle = Builder::new().spawn(move || {
            let _end = on_drop(|| {
                if index % 16 == 0 {
                    sleep(0);
                }
                ends.note(index);
            });
            match socket {
                Some(mut socket) => drop(socket.read(&mut [0])),
                None => world.wait(way),
            }
            unreachable!("number {index} got what nobody gave");
        });
        match handle {
            Ok(handle) => parked.push(handle.greenlet()),
            Err(error) => {
                assert!(index >= PARKED_AT_LEAST, "{error} after {index}");
                // Others need some as well: the helpers, and whoever waits in an unwind.
                killall(&parked.split_off(index / 4 * 3));
                break;
            }
        }
    }
    (parked, peers)
}

/// Kills a part of `targets` and some of the others as well, in an order of chance.
fn kill_part(part: usize, targets: &[Greenlet<()>], chance: &mut Chance) {
    let is_mine = |index: usize, chance: &mut Chance| index % KILLERS == part || chance.one_in(8);
    let mut order: Vec<usize> = (0..targets.len()).filter(|&i| is_mine(i, chance)).collect();
    chance.shuffle(&mut order);
    for index in order {
        match chance.below(1000) {
            0 => targets[index].kill(),
            1 => drop(targets[index].kill_timeout(chance.nanos(10_000))),
            _ => targets[index].kill_nowait(),
        }
    }
}

/// One storm over all that one hub can hold.
fn storm(chance: &mut Chance) {
    let (world, ends) = (Arc::new(World::new()), Book::new(PARKED));
    world.anchor.set(spawn(|| sleep(Duration::MAX))).expect("no anchor yet");
    let held = (world.mutex.lock().unwrap(), world.lock.write().unwrap());
    let begun = Instant::now();
    let (targets, peers) = park(&world, &ends, chance);
    (0..3).for_each(|_| sleep(0));
    assert!(targets.iter().all(Greenlet::started), "they wait");
    let spawned = begun.elapsed();

    // The hub goes on with other things.
    let (turns, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counts, ends_by) = (turns.clone(), is_over.clone());
    let ticker = spawn(move || {
        while !ends_by.load(SeqCst) {
            counts.fetch_add(1, SeqCst);
            sleep(0);
        }
    });
    let begun = Instant::now();
    os::scope(|scope| {
        let (targets, turns) = (&targets, &turns);
        let killers: Vec<_> = (0..KILLERS)
            .map(|part| {
                let mut chance = chance.fork();
                scope.spawn(move || kill_part(part, targets, &mut chance))
            })
            .collect();
        assert_eq!(joinall(targets).len(), targets.len());
        assert!(turns.load(SeqCst) > 1, "somebody else gets turns");
        killers.into_iter().for_each(|killer| killer.join().unwrap());
    });
    let killed = begun.elapsed();
    is_over.store(true, SeqCst);
    ticker.join();
    ends.check(targets.len());
    let exits = targets.iter().filter(|target| target.get().unwrap_err().is_killed()).count();
    assert_eq!(exits, targets.len());
    drop((peers, held));
    world.check();
    world.anchor.get().expect("an anchor").kill();
    let (count, turns) = (targets.len(), turns.load(SeqCst));
    println!("{count} parked in {spawned:?}, killed in {killed:?}; {turns} turns of another one");
}

#[test]
fn very_many_die_once_by_several_threads_while_the_hub_goes_on() {
    by_chance(120, |chance| {
        for _ in 0..factor() {
            let mut chance = chance.fork();
            on_a_thread(|| storm(&mut chance));
        }
    });
}

/// What is thrown; it counts itself when it is dropped.
struct Missile(Arc<AtomicUsize>);

impl Drop for Missile {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// What the targets of throws have seen.
#[derive(Default)]
struct Seen {
    caught: AtomicUsize,
    timed_out: AtomicUsize,
    dropped: Arc<AtomicUsize>,
}

/// Waits in one way after the other, each time under a limit, until it is killed.
fn endure(world: &World, seen: &Seen, chance: &mut Chance) {
    loop {
        let limit = chance.nanos(2_000_000);
        match caught(|| with_timeout(limit, || world.wait(chance.next()))) {
            Ok(Ok(())) => unreachable!("it got what nobody gave"),
            Ok(Err(_)) => drop(seen.timed_out.fetch_add(1, SeqCst)),
            Err(payload) if payload.is::<Missile>() => drop(seen.caught.fetch_add(1, SeqCst)),
            Err(payload) => resume_unwind(payload),
        }
    }
}

/// Throws at targets, then kills a part of them and some of the others as well.
fn throw_and_kill(part: usize, targets: &[Greenlet<()>], seen: &Seen, chance: &mut Chance) {
    for _ in 0..10 * SOME {
        chance.pick(targets).throw(Missile(seen.dropped.clone()));
    }
    kill_part(part, targets, chance);
}

#[test]
fn throws_time_outs_and_kills_meet_in_the_same_targets() {
    let storm = |chance: &mut Chance| {
        let (world, ends) = (Arc::new(World::new()), Book::new(SOME));
        let seen = Arc::new(Seen::default());
        world.anchor.set(spawn(|| sleep(Duration::MAX))).expect("no anchor yet");
        let held = (world.mutex.lock().unwrap(), world.lock.write().unwrap());
        let target = |index| {
            let (world, seen, ends) = (world.clone(), seen.clone(), ends.clone());
            let mut chance = chance.fork();
            spawn(move || {
                let _end = on_drop(|| ends.note(index));
                endure(&world, &seen, &mut chance);
            })
        };
        let targets: Vec<_> = (0..SOME).map(target).collect();
        sleep(0);
        os::scope(|scope| {
            for part in 0..KILLERS {
                let (targets, seen, mut chance) = (&targets, &seen, chance.fork());
                scope.spawn(move || throw_and_kill(part, targets, seen, &mut chance));
            }
            assert_eq!(joinall(&targets).len(), SOME);
        });
        ends.check(SOME);
        assert!(targets.iter().all(|target| target.get().unwrap_err().is_killed()));
        drop(held);
        world.check();
        world.anchor.get().expect("an anchor").kill();
        let (caught, timed_out) = (seen.caught.load(SeqCst), seen.timed_out.load(SeqCst));
        assert!(caught > SOME && timed_out > 0, "{caught} caught, {timed_out} timed out");
        // What was thrown at the dead is dropped by a greenlet, which ends before its hub.
        seen.dropped.clone()
    };
    by_chance(120, move |chance| {
        for _ in 0..factor() {
            let mut chance = chance.fork();
            let dropped = on_a_thread(|| storm(&mut chance));
            assert_eq!(dropped.load(SeqCst), KILLERS * 10 * SOME, "missiles dropped");
        }
    });
}

/// Spawns greenlets that sleep, and whose clean-up takes a while; each notes its end.
fn slow_to_die(count: usize, ends: &Book, chance: &mut Chance) -> Vec<Greenlet<()>> {
    let one = |index| {
        let (ends, time) = (ends.clone(), chance.nanos(3_000_000));
        spawn(move || {
            let _end = on_drop(|| {
                sleep(time);
                ends.note(index);
            });
            sleep(Duration::MAX);
        })
    };
    (0..count).map(one).collect()
}

#[test]
fn targets_of_killers_that_are_killed_die_all_the_same() {
    let storm = |chance: &mut Chance| {
        let (ends, told) = (Book::new(SOME), Arc::new(AtomicUsize::new(0)));
        let targets = slow_to_die(SOME, &ends, chance);
        sleep(0);
        // Each target has a killer that is sure to ask, and may be killed while it waits.
        let killer = |target: &Greenlet<()>| {
            let (target, told) = (target.clone(), told.clone());
            spawn(move || {
                target.kill();
                assert!(target.dead());
                told.fetch_add(1, SeqCst);
            })
        };
        let killers: Vec<_> = targets.iter().chain(&targets).map(killer).collect();
        sleep(0);
        os::scope(|scope| {
            for part in 0..KILLERS {
                let (killers, mut chance) = (&killers, chance.fork());
                scope.spawn(move || {
                    // About as long as the clean-up of the targets takes.
                    let (begun, wait) = (Instant::now(), chance.nanos(2_000_000));
                    while begun.elapsed() < wait {
                        os::yield_now();
                    }
                    kill_part(part, killers, &mut chance);
                });
            }
            assert_eq!(joinall(&killers).len(), killers.len());
        });
        assert_eq!(joinall(&targets).len(), SOME);
        ends.check(SOME);
        let told = told.load(SeqCst);
        let killed = killers.iter().filter(|killer| killer.get().is_err()).count();
        assert_eq!(told + killed, killers.len(), "killers that learned of it, and were killed");
        (told, killed)
    };
    by_chance(120, move |chance| {
        let mut sums = (0, 0);
        for round in 0.. {
            if round >= factor() && sums.0 > SOME / 10 && sums.1 > SOME / 10 {
                return println!("{sums:?} killers learned of it, and were killed");
            }
            assert!(round < 100 * factor(), "one of the outcomes is missing: {sums:?}");
            let mut chance = chance.fork();
            let (told, killed) = on_a_thread(|| storm(&mut chance));
            sums = (sums.0 + told, sums.1 + killed);
        }
    });
}

/// Greenlets of one hub, for the other one.
type Posted = Arc<[OnceLock<Vec<Greenlet<()>>>; 2]>;

/// One of two hubs whose greenlets kill those of the other and wait for it. On the first, a
/// clean-up kills as well.
fn fight(side: usize, posted: &Posted, ends: &Book, chance: &mut Chance) {
    let one = |index: usize| {
        let (posted, ends) = (posted.clone(), ends.clone());
        spawn(move || {
            let _end = on_drop(|| {
                if side == 0 {
                    posted[1].wait()[index].kill();
                }
                ends.note(index);
            });
            sleep(Duration::MAX);
        })
    };
    let mine: Vec<_> = (0..SOME).map(one).collect();
    sleep(0);
    posted[side].set(mine.clone()).expect("nobody has posted them yet");
    let killers: Vec<_> = (0..KILLERS)
        .map(|_| {
            let mut targets = posted[1 - side].wait().clone();
            chance.shuffle(&mut targets);
            spawn(move || {
                for target in targets {
                    target.kill();
                    assert!(target.dead());
                }
            })
        })
        .collect();
    joinall(&killers).iter().for_each(|killer| killer.get().unwrap());
    joinall(&mine);
    ends.check(SOME);
    assert_eq!(spawn(|| 7).get().unwrap(), 7, "the hub goes on");
}

#[test]
fn two_hubs_kill_each_others_greenlets_and_wait_for_it() {
    by_chance(120, |chance| {
        for _ in 0..factor() {
            let posted = Posted::default();
            let before = open_fds();
            let hubs = [0, 1].map(|side| {
                let (posted, mut chance) = (posted.clone(), chance.fork());
                os::spawn(move || fight(side, &posted, &Book::new(SOME), &mut chance))
            });
            for hub in hubs {
                hub.join().unwrap_or_else(|payload| resume_unwind(payload));
            }
            assert_eq!(open_fds(), before, "descriptors");
        }
    });
}

/// Kills greenlets from other threads from before they begin until after they end. Says how many
/// never began, were killed later, and ended by themselves.
fn kill_at_any_time(chance: &mut Chance) -> [usize; 3] {
    let (begins, ends) = (Book::new(SOME), Book::new(SOME));
    let one = |index| {
        let (begins, ends, turns) = (begins.clone(), ends.clone(), chance.below(8));
        let end = on_drop(move || ends.note(index));
        Greenlet::new(move || {
            let _end = end;
            begins.note(index);
            (0..turns).for_each(|_| sleep(0));
            index
        })
    };
    let targets: Vec<_> = (0..SOME).map(one).collect();
    os::scope(|scope| {
        for _ in 0..KILLERS {
            let (targets, mut chance) = (&targets, chance.fork());
            scope.spawn(move || {
                for target in targets {
                    let end = Instant::now() + chance.nanos(4_000);
                    while Instant::now() < end {
                        std::hint::spin_loop();
                    }
                    if !chance.one_in(8) {
                        target.kill_nowait();
                    }
                }
            });
        }
        for batch in targets.chunks(8) {
            batch.iter().for_each(Greenlet::start);
            sleep(0);
        }
    });
    joinall(&targets);
    ends.check(SOME);
    let mut ways = [0; 3];
    for (index, target) in targets.iter().enumerate() {
        let has_begun = begins.0[index].load(SeqCst) == 1;
        let way = match target.get() {
            Ok(value) => {
                assert!(value == index && has_begun);
                2
            }
            Err(failure) => {
                assert!(failure.is_killed());
                usize::from(has_begun)
            }
        };
        ways[way] += 1;
    }
    ways
}

#[test]
fn kills_race_with_beginnings_and_natural_ends() {
    by_chance(120, |chance| {
        let mut sums = [0; 3];
        for round in 0.. {
            if round >= 10 * factor() && sums.iter().all(|&sum| sum > SOME / 10) {
                return println!("{sums:?} never began, were killed, ended");
            }
            assert!(round < 1000 * factor(), "one of the outcomes is missing: {sums:?}");
            let mut chance = chance.fork();
            let ways = on_a_thread(|| kill_at_any_time(&mut chance));
            (0..3).for_each(|way| sums[way] += ways[way]);
        }
    });
}
