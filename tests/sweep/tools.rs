//! What scenarios share: items that are counted on their way, streams.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use betterthreads::net::TcpStream;
use socket2::Socket;

use crate::common::stream;
use crate::stage::{Guard, Guards, Stage};

/// Two streams that are connected with each other.
pub(crate) fn socket_pair() -> (TcpStream, TcpStream) {
    let (here, there) = stream();
    (here, TcpStream::from(Socket::from(OwnedFd::from(there))))
}

/// Something to be sent.
pub(crate) struct Item {
    number: u32,
    _guard: Guard,
}

/// Who sent what, and who received it. Clones share it.
#[derive(Clone)]
pub(crate) struct Account {
    guards: Guards,
    sent: Rc<RefCell<Vec<u32>>>,
    received: Rc<RefCell<Vec<u32>>>,
}

impl Account {
    pub(crate) fn new(stage: &Stage) -> Account {
        Account { guards: stage.guards(), sent: Rc::default(), received: Rc::default() }
    }

    /// Sends a new item by `put`, which tells whether it did.
    pub(crate) fn send(&self, number: u32, put: impl FnOnce(Item) -> bool) {
        if put(Item { number, _guard: self.guards.make() }) {
            self.sent.borrow_mut().push(number);
        }
    }

    pub(crate) fn receive(&self, item: Item) {
        self.received.borrow_mut().push(item.number);
        drop(item);
    }

    /// How many items were sent.
    pub(crate) fn sent(&self) -> usize {
        self.sent.borrow().len()
    }

    /// How many were received.
    pub(crate) fn received(&self) -> usize {
        self.received.borrow().len()
    }

    /// Checks that what was received is what was sent.
    pub(crate) fn settle(&self) {
        let (mut sent, mut received) = (self.sent.take(), self.received.take());
        sent.sort_unstable();
        received.sort_unstable();
        assert_eq!(received, sent, "not what was sent");
    }

    /// The same where one alone receives: what each sender has sent came in order, and the numbers
    /// of each are in a hundred of its own.
    pub(crate) fn settle_in_order(&self) {
        let received = self.received.borrow().clone();
        for sender in received.iter().map(|number| number / 100) {
            let its = received.iter().filter(|number| *number / 100 == sender);
            assert!(its.is_sorted(), "out of order: {received:?}");
        }
        self.settle();
    }
}
