//! Locks, permits and the condition variable: who has them, who is next, who left poison behind.

use std::cell::Cell;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::time::Duration;

use betterthreads::lock::{RLock, Semaphore};
use betterthreads::sync::{Condvar, Mutex, MutexGuard, RwLock};

use crate::actor::{Actor, OnLeave};
use crate::life::Waiting;
use crate::program::{Lock, Patience, Step};
use crate::world::World;

const REENTRANT: usize = 2;
const SEMAPHORE: usize = 3;
const READ: usize = 4;
const WRITE: usize = 5;

/// How many may have each at a time.
const CAPACITY: [usize; 6] = [1, 1, 1, 2, usize::MAX, 1];

/// Whether whoever locks next is to find poison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Poison {
    No,
    Yes,
    /// A wait on the condition variable was interrupted on entry, where it has the lock, or later.
    Perhaps,
}

pub(crate) struct Locks {
    mutexes: [Mutex<()>; 2],
    reentrant: RLock,
    semaphore: Semaphore,
    shared: RwLock<()>,
    changed: Condvar,
    held: [Cell<usize>; 6],
    /// Of the reentrant lock.
    owner: Cell<Option<usize>>,
    poison: [Cell<Poison>; 6],
    /// Calls of `notify_one`, of `notify_all`, the most waiters that these can have woken, and how
    /// many were.
    ones: Cell<u64>,
    alls: Cell<u64>,
    grants: Cell<u64>,
    returns: Cell<u64>,
}

impl Default for Locks {
    fn default() -> Locks {
        Locks {
            mutexes: Default::default(),
            reentrant: RLock::new(),
            semaphore: Semaphore::new(CAPACITY[SEMAPHORE]),
            shared: RwLock::default(),
            changed: Condvar::new(),
            held: Default::default(),
            owner: Cell::default(),
            poison: [const { Cell::new(Poison::No) }; 6],
            ones: Cell::default(),
            alls: Cell::default(),
            grants: Cell::default(),
            returns: Cell::default(),
        }
    }
}

/// Notes for how long somebody has something. What is not left in the end is left by an unwind.
struct Held<'a> {
    actor: &'a Actor,
    lock: usize,
    /// Taken outside any unwind: std's locks are poisoned by an unwind that began since.
    is_clean: bool,
    left: Cell<bool>,
}

impl Held<'_> {
    fn leave(self) {
        self.left.set(true);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let locks = &self.actor.world.locks;
        locks.held[self.lock].update(|held| held - 1);
        if !self.left.get() && self.is_clean {
            locks.poison[self.lock].set(Poison::Yes);
        }
        if self.lock == REENTRANT {
            locks.owner.set(None);
        }
    }
}

/// Waits for a limited time; tells whether there was a notification.
fn wait_for<'a>(
    changed: &Condvar,
    guard: MutexGuard<'a, ()>,
    span: Duration,
) -> (LockResult<MutexGuard<'a, ()>>, bool) {
    match changed.wait_timeout(guard, span) {
        Ok((guard, result)) => (Ok(guard), !result.timed_out()),
        Err(poisoned) => {
            let (guard, result) = poisoned.into_inner();
            (Err(PoisonError::new(guard)), !result.timed_out())
        }
    }
}

/// The guard of an attempt that did not wait.
fn attempted<G>(result: TryLockResult<G>) -> Option<LockResult<G>> {
    match result {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Locks {
    /// Who may not have it together with those who have `lock`.
    fn excluded(&self, lock: usize) -> usize {
        match lock {
            READ => self.held[WRITE].get(),
            WRITE => self.held[READ].get(),
            _ => 0,
        }
    }

    /// Waiters that whoever asked for `lock` at `order` must not overtake.
    fn ahead(world: &World, lock: usize, order: u64) -> usize {
        let own = if lock == READ { 0 } else { world.undisturbed(&Waiting::Lock(lock), order) };
        own + match lock {
            READ => world.undisturbed(&Waiting::Lock(WRITE), order),
            WRITE => world.undisturbed(&Waiting::Lock(READ), order),
            _ => 0,
        }
    }

    /// Somebody who asked at `order` has got `lock`.
    fn got(&self, world: &World, lock: usize, order: u64) {
        self.held[lock].update(|held| held + 1);
        let (held, excluded) = (self.held[lock].get(), self.excluded(lock));
        let is_right = held <= CAPACITY[lock] && excluded == 0;
        world.expect(is_right, || format!("lock {lock} is held {held} times, beside {excluded}"));
        // One that was granted a permit has it, though it may not have run since.
        let room = if lock == READ { 0 } else { CAPACITY[lock] - held.min(CAPACITY[lock]) };
        let ahead = Locks::ahead(world, lock, order);
        world.expect(ahead <= room, || format!("lock {lock} was taken before {ahead} others"));
    }

    /// Somebody has not got `lock`, without waiting.
    fn refused(&self, world: &World, lock: usize) {
        let waits = |waiting: &Waiting| match waiting {
            Waiting::Lock(other) => *other == lock || (lock >= READ && *other >= READ),
            // It may have been notified, and have the mutex.
            Waiting::Condition { .. } => lock == 0,
            _ => false,
        };
        let is_held = self.held[lock].get() >= CAPACITY[lock] || self.excluded(lock) > 0;
        world.expect(is_held || world.waiting(waits) > 0, || format!("lock {lock} was refused"));
    }

    fn poisoned(&self, world: &World, lock: usize, is_poisoned: bool) {
        let expected = self.poison[lock].replace(Poison::No);
        let is_right = expected == Poison::Perhaps || is_poisoned == (expected == Poison::Yes);
        let text = || format!("lock {lock} is poisoned: {is_poisoned}, expected: {expected:?}");
        world.expect(is_right, text);
    }

    fn seen<G>(&self, world: &World, lock: usize, result: LockResult<G>) -> G {
        self.poisoned(world, lock, result.is_err());
        let guard = result.unwrap_or_else(PoisonError::into_inner);
        match lock {
            0 | 1 => self.mutexes[lock].clear_poison(),
            _ => self.shared.clear_poison(),
        }
        guard
    }

    pub(crate) fn notify_one(&self, world: &World) {
        let waits = world.waiting(|waiting| matches!(waiting, Waiting::Condition { .. }));
        self.ones.update(|ones| ones + 1);
        self.grants.update(|grants| grants + waits.min(1) as u64);
        self.changed.notify_one();
    }

    pub(crate) fn notify_all(&self, world: &World) {
        let waits = world.waiting(|waiting| matches!(waiting, Waiting::Condition { .. }));
        self.alls.update(|alls| alls + 1);
        self.grants.update(|grants| grants + waits as u64);
        self.changed.notify_all();
    }

    /// What is wrong if somebody waits for `waiting` while nobody is ready.
    pub(crate) fn audit_wait(&self, waiting: &Waiting, is_late: bool) -> bool {
        match *waiting {
            Waiting::Lock(WRITE) => self.held[WRITE].get() + self.held[READ].get() > 0,
            Waiting::Lock(READ) => true,
            Waiting::Lock(lock) => self.held[lock].get() >= CAPACITY[lock],
            Waiting::Condition { ones, alls, returns } => {
                let (ones, returns) = (self.ones.get() - ones, self.returns.get() - returns);
                let was_missed = self.alls.get() > alls || ones > returns || is_late;
                self.held[0].get() > 0 || !was_missed
            }
            _ => true,
        }
    }

    /// Nobody is ready.
    pub(crate) fn audit(&self, world: &World) {
        let readers = world.waiting(|waiting| *waiting == Waiting::Lock(READ));
        let writers = world.waiting(|waiting| *waiting == Waiting::Lock(WRITE));
        let is_right = readers == 0 || writers > 0 || self.held[WRITE].get() > 0;
        world.expect(is_right, || format!("{readers} readers wait for nobody"));
        let counted = self.semaphore.counter() + self.held[SEMAPHORE].get();
        world.expect(counted == CAPACITY[SEMAPHORE], || format!("there are {counted} permits"));
        for (lock, mutex) in self.mutexes.iter().enumerate() {
            let is_free = !matches!(mutex.try_lock(), Err(TryLockError::WouldBlock));
            let is_right = is_free == (self.held[lock].get() == 0);
            world.expect(is_right, || format!("mutex {lock} is free: {is_free}"));
        }
        let is_right = self.reentrant.locked() == (self.held[REENTRANT].get() > 0);
        world.expect(is_right, || format!("the reentrant lock: {:?}", self.reentrant));
        let is_free = !matches!(self.shared.try_write(), Err(TryLockError::WouldBlock));
        let is_right = is_free == (self.held[READ].get() + self.held[WRITE].get() == 0);
        world.expect(is_right, || format!("the shared lock is free: {is_free}"));
    }

    /// Nobody is left.
    pub(crate) fn audit_end(&self, world: &World) {
        self.audit(world);
        let held: usize = self.held.iter().map(Cell::get).sum();
        let waiters = self.semaphore.linkcount();
        world.expect(held + waiters == 0, || format!("{held} locks held, {waiters} waiters left"));
    }
}

impl Actor {
    fn held(&self, lock: usize) -> Held<'_> {
        Held { actor: self, lock, is_clean: self.life().depth.get() == 0, left: Cell::new(false) }
    }

    /// Gets something by `wait`, or at once by `attempt`.
    fn acquire<G>(
        &self,
        lock: usize,
        patience: Patience,
        wait: impl FnOnce() -> G,
        attempt: impl FnOnce() -> Option<G>,
    ) -> Option<G> {
        let (waiting, locks) = (Waiting::Lock(lock), &self.world.locks);
        let order = self.world.mark().order;
        let (order, got) = match patience {
            Patience::Forever => (order, self.unbounded(waiting, wait)),
            Patience::For(millis) => (order, self.limited(millis, || self.point(waiting, wait))),
            Patience::Not => {
                let got = attempt();
                if got.is_none() {
                    locks.refused(&self.world, lock);
                }
                (u64::MAX, got)
            }
        };
        if got.is_some() {
            locks.got(&self.world, lock, order);
        }
        got
    }

    pub(crate) fn hold(&self, lock: Lock, patience: Patience, steps: &[Step]) {
        let locks = &self.world.locks;
        match lock {
            Lock::Mutex(lock) => {
                let mutex = &locks.mutexes[lock];
                let attempt = || attempted(mutex.try_lock());
                let got = self.acquire(lock, patience, || mutex.lock(), attempt);
                self.with_guard(lock, got, steps);
            }
            Lock::Read => {
                let attempt = || attempted(locks.shared.try_read());
                let got = self.acquire(READ, patience, || locks.shared.read(), attempt);
                let Some(result) = got else { return };
                // A reader leaves no poison, and takes none away.
                let poison = locks.poison[WRITE].get();
                let is_right = result.is_err() == (poison == Poison::Yes);
                self.world.expect(is_right, || format!("a reader's poison, not {poison:?}"));
                let _guard = result.unwrap_or_else(PoisonError::into_inner);
                let held = self.held(READ);
                self.run(steps);
                held.leave();
            }
            Lock::Write => {
                let attempt = || attempted(locks.shared.try_write());
                let got = self.acquire(WRITE, patience, || locks.shared.write(), attempt);
                self.with_guard(WRITE, got, steps);
            }
            Lock::Semaphore => self.hold_permit(patience, steps),
            Lock::Reentrant => self.hold_again(patience, steps),
        }
    }

    fn with_guard<G>(&self, lock: usize, got: Option<LockResult<G>>, steps: &[Step]) {
        let Some(result) = got else { return };
        let _guard = self.world.locks.seen(&self.world, lock, result);
        let held = self.held(lock);
        self.run(steps);
        held.leave();
    }

    fn hold_permit(&self, patience: Patience, steps: &[Step]) {
        let semaphore = &self.world.locks.semaphore;
        let got = match patience {
            Patience::For(millis) => {
                let (waiting, order) = (Waiting::Lock(SEMAPHORE), self.world.mark().order);
                let acquire = |span: Duration| semaphore.acquire_timeout(span);
                let got = self.timed(waiting, millis, |got: &bool| !got, acquire);
                got.then(|| self.world.locks.got(&self.world, SEMAPHORE, order))
            }
            _ => {
                let attempt = || semaphore.acquire_nowait().then_some(());
                self.acquire(SEMAPHORE, patience, || semaphore.acquire(), attempt)
            }
        };
        if got.is_some() {
            let _permit = OnLeave(|| semaphore.release());
            let held = self.held(SEMAPHORE);
            self.run(steps);
            held.leave();
        }
    }

    fn hold_again(&self, patience: Patience, steps: &[Step]) {
        let (locks, lock) = (&self.world.locks, &self.world.locks.reentrant);
        let is_mine = locks.owner.get() == Some(self.me);
        let got = match patience {
            Patience::Not if is_mine => {
                self.loose(Waiting::Turn, || lock.acquire_nowait()).then_some(())
            }
            _ if is_mine => {
                self.point(Waiting::Turn, || lock.acquire());
                Some(())
            }
            _ => {
                let attempt = || lock.acquire_nowait().then_some(());
                self.acquire(REENTRANT, patience, || lock.acquire(), attempt)
            }
        };
        if got.is_none() {
            return;
        }
        let _given_back = OnLeave(|| {
            self.world.expect(lock.release().is_ok(), || "the owner could not release".into());
        });
        let held = (!is_mine).then(|| self.held(REENTRANT));
        locks.owner.set(Some(self.me));
        self.run(steps);
        held.into_iter().for_each(Held::leave);
    }

    /// Waits for a notification, with the first mutex.
    pub(crate) fn condition(&self, patience: Patience) {
        let (world, locks) = (&self.world, &self.world.locks);
        let mutex = &locks.mutexes[0];
        let attempt = || attempted(mutex.try_lock());
        let Some(result) = self.acquire(0, Patience::Forever, || mutex.lock(), attempt) else {
            return;
        };
        let guard = locks.seen(world, 0, result);
        let held = self.held(0);
        let (now, is_clean) = (world.mark(), held.is_clean);
        // What is raised on entry is raised with the mutex held.
        let (is_due, may_be) =
            (self.life().due(&now).is_some(), world.may_be_disturbed(self.me, &now));
        let held = if is_due {
            Some(held)
        } else {
            held.leave();
            None
        };
        let is_over = Cell::new(false);
        let _doubt = OnLeave(|| {
            if may_be && is_clean && !is_due && !is_over.get() {
                locks.poison[0].set(Poison::Perhaps);
            }
        });
        let waiting = Waiting::Condition {
            ones: locks.ones.get(),
            alls: locks.alls.get(),
            returns: locks.returns.get(),
        };
        let result = match patience {
            // Its limit does not hold for the mutex.
            Patience::For(millis) if !self.life().is_protected() => Some(self.timed(
                waiting,
                millis,
                |(_, notified)| !notified,
                |span| wait_for(&locks.changed, guard, span),
            )),
            _ => self.unbounded(waiting, || (locks.changed.wait(guard), true)),
        };
        let Some((result, notified)) = result else { return };
        is_over.set(true);
        locks.returns.update(|returns| returns + u64::from(notified));
        let (returns, grants) = (locks.returns.get(), locks.grants.get());
        world.expect(returns <= grants, || format!("{returns} woken by {grants} notifications"));
        locks.got(world, 0, 0);
        let _guard = locks.seen(world, 0, result);
        drop(held);
        self.held(0).leave();
    }
}
