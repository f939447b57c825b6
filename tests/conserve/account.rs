//! Items with a number each, and books about where they went.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of the items of one queue.
#[derive(Default)]
pub(crate) struct Account {
    made: AtomicU64,
    dropped: AtomicU64,
    sent: Numbers,
    received: Numbers,
}

#[derive(Default)]
struct Numbers(Mutex<Vec<u64>>);

impl Numbers {
    fn note(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(number);
    }

    fn sorted(&self) -> Vec<u64> {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        numbers.sort_unstable();
        numbers
    }
}

/// Has a number that no other item of its account has, and is counted when it is dropped.
pub(crate) struct Item {
    number: u64,
    account: Arc<Account>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.account.dropped.fetch_add(1, SeqCst);
    }
}

impl Account {
    pub(crate) fn item(self: &Arc<Account>) -> Item {
        Item { number: self.made.fetch_add(1, SeqCst), account: self.clone() }
    }

    /// Makes an item, has it sent by `send` and books it if that tells so.
    ///
    /// Between the end of `send` and the entry there is no yield point.
    pub(crate) fn send(self: &Arc<Account>, send: impl FnOnce(Item) -> bool) -> bool {
        let item = self.item();
        let number = item.number;
        let sent = send(item);
        if sent {
            self.sent.note(number);
        }
        sent
    }

    /// Books an item as received.
    pub(crate) fn receive(&self, item: Item) -> Item {
        self.received.note(item.number);
        item
    }

    /// Receives what is left somewhere; says how many there were.
    pub(crate) fn receive_all(&self, items: impl Iterator<Item = Item>) -> usize {
        items.fold(0, |count, item| {
            drop(self.receive(item));
            count + 1
        })
    }

    /// How many have been received.
    pub(crate) fn received(&self) -> usize {
        self.received.sorted().len()
    }

    /// Checks that what was sent was received once, and nothing else, and that nothing is left.
    pub(crate) fn check(&self) {
        assert_eq!(self.sent.sorted(), self.received.sorted(), "sent, and received");
        let (made, dropped) = (self.made.load(SeqCst), self.dropped.load(SeqCst));
        assert_eq!(made, dropped, "items made, and dropped");
    }
}
