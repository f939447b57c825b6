//! Items: one that is sent is received once, one that is not sent is dropped once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::account::{Account, Item};
use crate::chance::by_chance;
use crate::contest::contests;
use crate::prize::{Hold, Maker, Prize, Share, hold};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `Queue` and `Channel` have in common.
pub(crate) trait Items: Send + Sync {
    fn put(&self, item: Item);
    fn put_timeout(&self, item: Item, limit: Duration) -> bool;
    fn get(&self) -> Item;
    fn get_timeout(&self, limit: Duration) -> Option<Item>;
    fn get_nowait(&self) -> Option<Item>;
}

macro_rules! items {
    ($queue:ident) => {
        impl Items for $queue<Item> {
            fn put(&self, item: Item) {
                $queue::put(self, item);
            }

            fn put_timeout(&self, item: Item, limit: Duration) -> bool {
                $queue::put_timeout(self, item, limit).is_ok()
            }

            fn get(&self) -> Item {
                $queue::get(self)
            }

            fn get_timeout(&self, limit: Duration) -> Option<Item> {
                $queue::get_timeout(self, limit).ok()
            }

            fn get_nowait(&self) -> Option<Item> {
                $queue::get_nowait(self).ok()
            }
        }
    };
}

items!(Queue);
items!(Channel);

/// Receives whatever is left, then checks the account.
fn close(items: &impl Items, account: &Account, left: usize) {
    let found = account.receive_all(std::iter::from_fn(|| items.get_nowait()));
    assert_eq!(found, left, "items that nobody received");
    account.check();
}

/// Waits for an item.
struct Getting<Q> {
    items: Q,
    account: Arc<Account>,
}

impl<Q: Items> Getting<Q> {
    fn boxed(items: Q) -> Box<dyn Prize>
    where
        Q: 'static,
    {
        Box::new(Getting { items, account: Arc::default() })
    }
}

impl<Q: Items> Prize for Getting<Q> {
    fn share(&self) -> Share {
        Share::One
    }

    fn grant(&self) {
        self.account.send(|item| {
            self.items.put(item);
            true
        });
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let item = match limit {
            None => self.items.get(),
            Some(limit) => self.items.get_timeout(limit)?,
        };
        hold(self.account.receive(item))
    }

    fn check(&self, taken: usize, _: usize) {
        close(&self.items, &self.account, 1 - taken);
    }
}

/// Waits for room, or for a receiver.
struct Putting<Q> {
    items: Q,
    filled: bool,
    account: Arc<Account>,
}

impl<Q: Items> Putting<Q> {
    fn boxed(items: Q, filled: bool) -> Box<dyn Prize>
    where
        Q: 'static,
    {
        let account: Arc<Account> = Arc::default();
        if filled {
            account.send(|item| items.put_timeout(item, Duration::ZERO));
        }
        Box::new(Putting { items, filled, account })
    }
}

impl<Q: Items> Prize for Putting<Q> {
    fn share(&self) -> Share {
        Share::One
    }

    fn grant(&self) {
        drop(self.account.receive(self.items.get()));
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let put = |item| match limit {
            None => {
                self.items.put(item);
                true
            }
            Some(limit) => self.items.put_timeout(item, limit),
        };
        if self.account.send(put) { hold(()) } else { None }
    }

    fn check(&self, taken: usize, _: usize) {
        assert_eq!((self.account.received(), taken), (1, 1), "received, and put");
        close(&self.items, &self.account, usize::from(self.filled));
    }
}

/// Either kind of sender.
enum Sending {
    Unbounded(Sender<Item>),
    Bounded(SyncSender<Item>),
}

impl Sending {
    fn send(&self, item: Item) -> bool {
        match self {
            Sending::Unbounded(sender) => sender.send(item).is_ok(),
            Sending::Bounded(sender) => sender.send(item).is_ok(),
        }
    }
}

/// Waits as std's receiver, which is one alone.
struct Receiving {
    receiver: Mutex<Receiver<Item>>,
    sender: Mutex<Sending>,
    account: Arc<Account>,
}

impl Receiving {
    fn boxed(sender: Sending, receiver: Receiver<Item>) -> Box<dyn Prize> {
        let (receiver, sender) = (Mutex::new(receiver), Mutex::new(sender));
        Box::new(Receiving { receiver, sender, account: Arc::default() })
    }
}

impl Prize for Receiving {
    fn share(&self) -> Share {
        Share::Again
    }

    fn grant(&self) {
        self.account.send(|item| lock(&self.sender).send(item));
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let receiver = lock(&self.receiver);
        let item = match limit {
            None => receiver.recv().ok()?,
            Some(limit) => receiver.recv_timeout(limit).ok()?,
        };
        hold(self.account.receive(item))
    }

    fn check(&self, taken: usize, _: usize) {
        assert_eq!(taken, 1);
        assert!(lock(&self.receiver).try_recv().is_err());
        self.account.check();
    }
}

/// Waits as std's bounded sender.
struct Handing {
    bound: usize,
    sender: SyncSender<Item>,
    receiver: Mutex<Receiver<Item>>,
    account: Arc<Account>,
}

impl Handing {
    fn boxed(bound: usize) -> Box<dyn Prize> {
        let (sender, receiver) = sync_channel(bound);
        let account: Arc<Account> = Arc::default();
        for _ in 0..bound {
            account.send(|item| sender.send(item).is_ok());
        }
        Box::new(Handing { bound, sender, receiver: Mutex::new(receiver), account })
    }
}

impl Prize for Handing {
    fn share(&self) -> Share {
        Share::One
    }

    fn has_limit(&self) -> bool {
        false
    }

    fn grant(&self) {
        let item = lock(&self.receiver).recv().expect("a sender is left");
        drop(self.account.receive(item));
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        if self.account.send(|item| self.sender.send(item).is_ok()) { hold(()) } else { None }
    }

    fn check(&self, taken: usize, _: usize) {
        assert_eq!((self.account.received(), taken), (1, 1), "received, and sent");
        let receiver = lock(&self.receiver);
        let left = self.account.receive_all(receiver.try_iter());
        assert_eq!(left, self.bound, "items that nobody received");
        self.account.check();
    }
}

pub(crate) const RECEIVED: &[(&str, Maker)] = &[
    ("Queue::get", |_| Getting::boxed(Queue::new())),
    ("Queue::get, bounded", |_| Getting::boxed(Queue::bounded(1))),
    ("Channel::get", |_| Getting::boxed(Channel::new())),
    ("channel recv", |_| {
        let (sender, receiver) = channel();
        Receiving::boxed(Sending::Unbounded(sender), receiver)
    }),
    ("sync_channel(1) recv", |_| {
        let (sender, receiver) = sync_channel(1);
        Receiving::boxed(Sending::Bounded(sender), receiver)
    }),
    ("sync_channel(0) recv", |_| {
        let (sender, receiver) = sync_channel(0);
        Receiving::boxed(Sending::Bounded(sender), receiver)
    }),
];

pub(crate) const SENT: &[(&str, Maker)] = &[
    ("Queue::put", |_| Putting::boxed(Queue::bounded(1), true)),
    ("Channel::put", |_| Putting::boxed(Channel::new(), false)),
    ("sync_channel(1) send", |_| Handing::boxed(1)),
    ("sync_channel(0) send", |_| Handing::boxed(0)),
];

#[test]
fn an_item_outlives_whoever_waited_to_receive_it() {
    by_chance(180, |chance| contests(chance, RECEIVED));
}

#[test]
fn an_item_is_sent_or_stays_with_whoever_waited_to_send_it() {
    by_chance(180, |chance| contests(chance, SENT));
}
