//! What scenarios share: items that are counted on their way, streams.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
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

/// An address for listeners, with any port, that no other process uses: somebody else might take a
/// port that has just become free.
pub(crate) fn address() -> SocketAddr {
    const LOOPBACK: u32 = 0x7f00_0000;
    let host = LOOPBACK | std::process::id() & 0x00ff_ffff;
    SocketAddr::from((Ipv4Addr::from(host), 0))
}

/// Bytes on their way through a stream, which tell their place. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Transfer {
    written: Rc<Cell<usize>>,
    read: Rc<RefCell<Vec<u8>>>,
}

impl Transfer {
    /// The bytes from `first` on.
    fn bytes(first: usize, count: usize) -> Vec<u8> {
        (first..first + count).map(|place| (place % 251) as u8).collect()
    }

    /// Writes the next bytes, at most `most`, by `write`, which tells how many it wrote.
    pub(crate) fn write_by<E>(
        &self,
        most: usize,
        write: impl FnOnce(&[u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let written = write(&Transfer::bytes(self.written.get(), most))?;
        self.written.set(self.written.get() + written);
        Ok(written)
    }

    pub(crate) fn write(&self, mut stream: impl Write, most: usize) -> io::Result<usize> {
        self.write_by(most, |bytes| stream.write(bytes))
    }

    /// Writes the next `count` bytes, however many calls that takes.
    pub(crate) fn write_all(&self, mut stream: impl Write, count: usize) {
        let end = self.written.get() + count;
        while self.written.get() < end {
            self.write(&mut stream, end - self.written.get()).expect("a reader");
        }
    }

    pub(crate) fn read(&self, mut stream: impl Read, most: usize) -> io::Result<usize> {
        let mut bytes = vec![0; most];
        let count = stream.read(&mut bytes)?;
        self.note_read(&bytes[..count]);
        Ok(count)
    }

    /// Reads until the end of the stream, slowly.
    pub(crate) fn read_to_end(&self, mut stream: impl Read, most: usize, pause: impl Fn()) {
        while self.read(&mut stream, most).expect("bytes, or the end") > 0 {
            pause();
        }
    }

    pub(crate) fn note_read(&self, bytes: &[u8]) {
        self.read.borrow_mut().extend_from_slice(bytes);
    }

    /// Checks that what was read is what was written.
    pub(crate) fn settle(&self) {
        let (read, written) = (self.read.borrow(), self.written.get());
        assert_eq!(read.len(), written, "not as many bytes as were written");
        assert!(*read == Transfer::bytes(0, written), "other bytes than were written");
    }
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
        assert_eq!(self.guards.alive(), 0, "an item that nobody has received is left");
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
