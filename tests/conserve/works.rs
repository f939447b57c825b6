//! What workers do under fire: with permits, locks, items, notifications and ends.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::mpsc::{Receiver, SyncSender, sync_channel};
use betterthreads::sync::{Condvar, Mutex, RwLock};
use betterthreads::{Greenlet, sleep, spawn, thread};

use crate::account::{Account, Item};
use crate::chance::Chance;
use crate::common::on_drop;
use crate::items::Items;
use crate::tally::Outcome;

/// One worker's means, for one thing to do.
pub(crate) struct Hand<'a> {
    pub(crate) chance: &'a mut Chance,
    /// How long to wait; plain threads cannot be told to stop waiting.
    pub(crate) limit: Option<Duration>,
    pub(crate) has_hub: bool,
    /// How it would have ended if something were raised now.
    pub(crate) outcome: Outcome,
}

impl Hand<'_> {
    /// Has what it waited for; keeps it for some time.
    fn keep(&mut self) {
        self.outcome = Outcome::GrantedThenRaised;
        for _ in 0..self.chance.below(3) {
            sleep(0);
        }
        self.outcome = Outcome::Granted;
    }

    /// Goes on if it was granted in time.
    fn in_time(&mut self, granted: bool) -> bool {
        self.outcome = if granted { Outcome::Granted } else { Outcome::TimedOut };
        granted
    }
}

/// Something that many workers do at the same time.
pub(crate) trait Work: Send + Sync {
    /// Does it once. Whatever is raised in it leaves it as if it had not been begun, or had been
    /// done.
    fn act(&self, hand: &mut Hand<'_>);

    /// Whether somebody waits for what is there. Asked when nobody begins anything new.
    fn is_stuck(&self) -> bool {
        false
    }

    /// Checks the books when everybody is gone.
    fn check(&self);
}

/// Counts those inside.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    #[must_use]
    fn enter(&self) -> impl Drop + '_ {
        self.0.fetch_add(1, SeqCst);
        on_drop(|| self.0.fetch_sub(1, SeqCst))
    }

    fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

fn lock<T>(mutex: &StdMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PERMITS: usize = 2;

/// Semaphores of both kinds.
pub(crate) struct Permits {
    semaphore: Semaphore,
    bounded: BoundedSemaphore,
    waiting: Count,
    inside: [Count; 2],
}

impl Permits {
    pub(crate) fn boxed() -> Box<dyn Work> {
        let (semaphore, bounded) = (Semaphore::new(PERMITS), BoundedSemaphore::new(PERMITS));
        Box::new(Permits { semaphore, bounded, waiting: Count::default(), inside: <_>::default() })
    }
}

impl Work for Permits {
    fn act(&self, hand: &mut Hand<'_>) {
        let is_bounded = hand.chance.one_in(2);
        let waiting = self.waiting.enter();
        let taken = match (is_bounded, hand.limit) {
            (false, Some(limit)) => self.semaphore.acquire_timeout(limit),
            (true, Some(limit)) => self.bounded.acquire_timeout(limit),
            (false, None) => {
                self.semaphore.acquire();
                true
            }
            (true, None) => {
                self.bounded.acquire();
                true
            }
        };
        drop(waiting);
        if hand.in_time(taken) {
            let _release = on_drop(|| match is_bounded {
                false => self.semaphore.release(),
                true => self.bounded.release().unwrap(),
            });
            let inside = &self.inside[usize::from(is_bounded)];
            let _inside = inside.enter();
            assert!(inside.get() <= PERMITS, "{} with {PERMITS} permits", inside.get());
            hand.keep();
        }
    }

    fn is_stuck(&self) -> bool {
        let is_stuck = self.semaphore.counter() > 0 && self.semaphore.linkcount() > 0;
        is_stuck || self.waiting.get() > self.semaphore.linkcount() && self.bounded.counter() > 0
    }

    fn check(&self) {
        assert_eq!((self.semaphore.counter(), self.semaphore.linkcount()), (PERMITS, 0));
        assert_eq!(self.bounded.counter(), PERMITS);
        assert!(self.bounded.release().is_err());
    }
}

/// The mutex, the reader-writer lock and the reentrant lock.
pub(crate) struct Locks {
    mutex: Mutex<usize>,
    lock: RwLock<usize>,
    reentrant: RLock,
    locked: AtomicUsize,
    written: AtomicUsize,
    waiting: Count,
    inside: Count,
}

impl Locks {
    pub(crate) fn boxed() -> Box<dyn Work> {
        Box::new(Locks {
            mutex: Mutex::new(0),
            lock: RwLock::new(0),
            reentrant: RLock::new(),
            locked: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            waiting: Count::default(),
            inside: Count::default(),
        })
    }
}

impl Work for Locks {
    fn act(&self, hand: &mut Hand<'_>) {
        let waiting = self.waiting.enter();
        match hand.chance.below(4) {
            0 => {
                let mut guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                let _inside = (drop(waiting), self.inside.enter());
                *guard += 1;
                self.locked.fetch_add(1, SeqCst);
                hand.keep();
            }
            1 => {
                let mut guard = self.lock.write().unwrap_or_else(PoisonError::into_inner);
                let _inside = (drop(waiting), self.inside.enter());
                *guard += 1;
                self.written.fetch_add(1, SeqCst);
                hand.keep();
            }
            2 => {
                let guard = self.lock.read().unwrap_or_else(PoisonError::into_inner);
                let _inside = (drop(waiting), self.inside.enter());
                let before = *guard;
                hand.keep();
                assert_eq!(*guard, before, "no writer came in");
            }
            _ => {
                self.reentrant.acquire();
                let _release = on_drop(|| self.reentrant.release().unwrap());
                let _inside = (drop(waiting), self.inside.enter());
                self.reentrant.with(|| hand.keep());
            }
        }
    }

    fn is_stuck(&self) -> bool {
        self.waiting.get() > 0 && self.inside.get() == 0
    }

    fn check(&self) {
        self.mutex.clear_poison();
        self.lock.clear_poison();
        assert_eq!(*self.mutex.try_lock().expect("a free mutex"), self.locked.load(SeqCst));
        assert_eq!(*self.lock.try_write().expect("a free lock"), self.written.load(SeqCst));
        assert!(!self.reentrant.locked());
    }
}

/// A queue or a channel.
pub(crate) struct Passing<Q> {
    items: Q,
    /// How many items it may hold while somebody waits to put in another one.
    capacity: usize,
    account: Arc<Account>,
    putting: Count,
    getting: Count,
    inside: fn(&Q) -> usize,
}

impl<Q: Items + 'static> Passing<Q> {
    fn boxed(items: Q, capacity: usize, inside: fn(&Q) -> usize) -> Box<dyn Work> {
        let (account, putting, getting) = Default::default();
        Box::new(Passing { items, capacity, account, putting, getting, inside })
    }
}

pub(crate) fn queue() -> Box<dyn Work> {
    Passing::boxed(Queue::new(), usize::MAX, Queue::qsize)
}

pub(crate) fn bounded_queue() -> Box<dyn Work> {
    Passing::boxed(Queue::bounded(2), 2, Queue::qsize)
}

pub(crate) fn meeting() -> Box<dyn Work> {
    Passing::boxed(Channel::new(), 0, |_| 0)
}

impl<Q: Items> Work for Passing<Q> {
    fn act(&self, hand: &mut Hand<'_>) {
        if hand.chance.one_in(2) {
            let _putting = self.putting.enter();
            let put = |item| match hand.limit {
                Some(limit) => self.items.put_timeout(item, limit),
                None => {
                    self.items.put(item);
                    true
                }
            };
            if hand.in_time(self.account.send(put)) {
                hand.keep();
            }
            return;
        }
        let getting = self.getting.enter();
        let item = match hand.limit {
            Some(limit) => self.items.get_timeout(limit),
            None => Some(self.items.get()),
        };
        drop(getting);
        if hand.in_time(item.is_some()) {
            let _item = item.map(|item| self.account.receive(item));
            hand.keep();
        }
    }

    fn is_stuck(&self) -> bool {
        let (putting, getting) = (self.putting.get() > 0, self.getting.get() > 0);
        let inside = (self.inside)(&self.items);
        let has_room = if self.capacity == 0 { getting } else { inside < self.capacity };
        putting && has_room || getting && inside > 0
    }

    fn check(&self) {
        self.account.receive_all(std::iter::from_fn(|| self.items.get_nowait()));
        self.account.check();
    }
}

/// A channel of std's kind, with a receiver that one worker at a time has.
pub(crate) struct Line {
    sender: SyncSender<Item>,
    receiver: StdMutex<Receiver<Item>>,
    account: Arc<Account>,
}

impl Line {
    fn boxed(bound: usize) -> Box<dyn Work> {
        let (sender, receiver) = sync_channel(bound);
        Box::new(Line { sender, receiver: StdMutex::new(receiver), account: Arc::default() })
    }
}

pub(crate) fn rendezvous() -> Box<dyn Work> {
    Line::boxed(0)
}

pub(crate) fn line() -> Box<dyn Work> {
    Line::boxed(1)
}

impl Work for Line {
    fn act(&self, hand: &mut Hand<'_>) {
        let receiver = match self.receiver.try_lock() {
            Ok(receiver) => Some(receiver),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let Some(receiver) = receiver else {
            if hand.limit.is_some() {
                // There is no limited send, and nobody else could end a plain thread's wait.
                self.account.send(|item| self.sender.try_send(item).is_ok());
                return;
            }
            let is_sent = self.account.send(|item| self.sender.send(item).is_ok());
            if hand.in_time(is_sent) {
                hand.keep();
            }
            return;
        };
        let item = match hand.limit {
            Some(limit) => receiver.recv_timeout(limit).ok(),
            None => receiver.recv().ok(),
        };
        drop(receiver);
        if hand.in_time(item.is_some()) {
            let _item = item.map(|item| self.account.receive(item));
            hand.keep();
        }
    }

    fn check(&self) {
        self.account.receive_all(lock(&self.receiver).try_iter());
        self.account.check();
    }
}

/// Tokens under a mutex; each one that comes is notified once.
#[derive(Default)]
pub(crate) struct Tokens {
    tokens: Mutex<usize>,
    changed: Condvar,
    waiting: Count,
    given: AtomicUsize,
    taken: AtomicUsize,
}

impl Tokens {
    pub(crate) fn boxed() -> Box<dyn Work> {
        Box::<Tokens>::default()
    }
}

impl Work for Tokens {
    fn act(&self, hand: &mut Hand<'_>) {
        let guard = self.tokens.lock();
        let mut tokens = guard.unwrap_or_else(PoisonError::into_inner);
        if hand.chance.one_in(2) {
            *tokens += 1;
            self.given.fetch_add(1, SeqCst);
            self.changed.notify_one();
            hand.keep();
            return;
        }
        let _waiting = self.waiting.enter();
        let end = hand.limit.map(|limit| Instant::now() + limit);
        while *tokens == 0 {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                hand.outcome = Outcome::TimedOut;
                return;
            }
            tokens = match left {
                None => self.changed.wait(tokens).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let result = self.changed.wait_timeout(tokens, left);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *tokens -= 1;
        self.taken.fetch_add(1, SeqCst);
        hand.keep();
    }

    fn is_stuck(&self) -> bool {
        self.waiting.get() > 0 && self.given.load(SeqCst) > self.taken.load(SeqCst)
    }

    fn check(&self) {
        self.tokens.clear_poison();
        let left = *self.tokens.try_lock().expect("a free mutex");
        assert_eq!(self.given.load(SeqCst), self.taken.load(SeqCst) + left);
    }
}

/// A worker that is parked until somebody gives it its turn.
#[derive(Clone)]
struct Parked {
    thread: thread::Thread,
    has_turn: Arc<AtomicBool>,
}

/// Turns that are handed from one to the next with `park` and `unpark`.
#[derive(Default)]
pub(crate) struct Turns {
    parked: StdMutex<VecDeque<Parked>>,
    given: AtomicUsize,
    taken: AtomicUsize,
}

impl Turns {
    pub(crate) fn boxed() -> Box<dyn Work> {
        Box::<Turns>::default()
    }

    fn give(&self) {
        let first = {
            let mut parked = lock(&self.parked);
            let first = parked.pop_front();
            // Under the lock, so that whoever leaves knows.
            first.inspect(|first| {
                self.given.fetch_add(1, SeqCst);
                first.has_turn.store(true, SeqCst);
            })
        };
        if let Some(first) = first {
            first.thread.unpark();
        }
    }
}

impl Work for Turns {
    fn act(&self, hand: &mut Hand<'_>) {
        if hand.chance.one_in(2) {
            self.give();
            return sleep(0);
        }
        let me = Parked { thread: thread::current(), has_turn: Arc::default() };
        lock(&self.parked).push_back(me.clone());
        // Whoever leaves without a turn is given none; a turn that came meanwhile was theirs.
        let _leave = on_drop(|| {
            let mut parked = lock(&self.parked);
            parked.retain(|other| !Arc::ptr_eq(&other.has_turn, &me.has_turn));
            self.taken.fetch_add(usize::from(me.has_turn.load(SeqCst)), SeqCst);
        });
        let end = hand.limit.map(|limit| Instant::now() + limit);
        while !me.has_turn.load(SeqCst) {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match left {
                Some(left) if left.is_zero() => break,
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
        if hand.in_time(me.has_turn.load(SeqCst)) {
            hand.keep();
        }
    }

    fn is_stuck(&self) -> bool {
        self.given.load(SeqCst) > self.taken.load(SeqCst)
    }

    fn check(&self) {
        assert_eq!(self.given.load(SeqCst), self.taken.load(SeqCst));
    }
}

/// An event that is set and cleared.
#[derive(Default)]
pub(crate) struct Gate(Event);

impl Gate {
    pub(crate) fn boxed() -> Box<dyn Work> {
        Box::<Gate>::default()
    }
}

impl Work for Gate {
    fn act(&self, hand: &mut Hand<'_>) {
        if hand.chance.one_in(3) {
            self.0.set();
            sleep(0);
            self.0.clear();
            return;
        }
        let is_set = match hand.limit {
            Some(limit) => self.0.wait_timeout(limit),
            None => self.0.wait(),
        };
        if hand.in_time(is_set) {
            hand.keep();
        }
    }

    fn is_stuck(&self) -> bool {
        self.0.is_set() && self.0.linkcount() > 0
    }

    fn check(&self) {
        assert_eq!(self.0.linkcount(), 0);
    }
}

/// Children that end or are killed, and those who join them.
#[derive(Default)]
pub(crate) struct Children {
    alive: StdMutex<Vec<Greenlet<()>>>,
    account: Arc<Account>,
}

impl Children {
    pub(crate) fn boxed() -> Box<dyn Work> {
        Box::<Children>::default()
    }

    fn bear(&self, turns: u64) {
        let item = self.account.item();
        let child = spawn(move || {
            let _item = item;
            (0..turns).for_each(|_| sleep(0));
        });
        lock(&self.alive).push(child);
    }
}

impl Work for Children {
    fn act(&self, hand: &mut Hand<'_>) {
        if hand.has_hub && hand.chance.one_in(2) {
            self.bear(hand.chance.below(20));
            return sleep(0);
        }
        let child = {
            let mut alive = lock(&self.alive);
            alive.retain(|child| !child.dead());
            alive.get(hand.chance.below(8) as usize).cloned()
        };
        let Some(child) = child else { return sleep(0) };
        let is_dead = match (hand.chance.below(3), hand.limit) {
            (0, Some(limit)) => child.kill_timeout(limit),
            (0, None) => {
                child.kill();
                true
            }
            (_, Some(limit)) => child.join_timeout(limit),
            (_, None) => {
                child.join();
                true
            }
        };
        if hand.in_time(is_dead) {
            assert!(child.dead());
            hand.keep();
        }
    }

    fn check(&self) {
        assert!(lock(&self.alive).iter().all(Greenlet::dead));
        self.account.check();
    }
}
