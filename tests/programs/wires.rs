//! A pair of sockets, and the bytes that are on their way through it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::TcpStream;
use socket2::Socket;

use crate::actor::Actor;
use crate::life::Waiting;
use crate::world::{Mark, World};

/// What the kernel may hold: little, so that writers wait.
const BUFFER: usize = 4096;

/// Bytes for each unit of a step's length.
const UNIT: usize = 600;

/// The world holds events back, and it cuts transfers short again and again, but not for so long.
const LATENCY: Duration = Duration::from_millis(15);

#[derive(Default)]
pub(crate) struct Wires {
    /// Made when somebody needs it.
    ends: RefCell<Option<Rc<[TcpStream; 2]>>>,
    /// The bytes that each end has sent and the other has not received.
    under_way: [RefCell<VecDeque<u8>>; 2],
    /// When a call with these bytes went through last, without the time of computations.
    moved: [Cell<Duration>; 2],
    next: Cell<u8>,
}

fn stream(socket: UnixStream) -> TcpStream {
    let socket = Socket::from(OwnedFd::from(socket));
    socket.set_send_buffer_size(BUFFER).expect("a socket takes a size");
    TcpStream::from(socket)
}

impl Wires {
    fn ends(&self) -> Rc<[TcpStream; 2]> {
        let make = || {
            let (one, other) = UnixStream::pair().expect("a pair of sockets");
            Rc::new([stream(one), stream(other)])
        };
        self.ends.borrow_mut().get_or_insert_with(make).clone()
    }

    /// Closes both ends.
    pub(crate) fn close(&self) {
        self.ends.take();
    }

    /// Whether somebody may wait to read at `end`, or to write there, while nobody is ready.
    pub(crate) fn audit_wait(&self, waiting: &Waiting, since: &Mark, now: &Mark) -> bool {
        let (since, now) = (since.jumped, now.jumped);
        match *waiting {
            Waiting::Read(end) => {
                let from = 1 - end;
                let is_empty = self.under_way[from].borrow().is_empty();
                is_empty || now < since.max(self.moved[from].get()) + LATENCY
            }
            Waiting::Write(end) => {
                let is_empty = self.under_way[end].borrow().is_empty();
                !is_empty || now < since.max(self.moved[end].get()) + LATENCY
            }
            _ => true,
        }
    }

    /// Reads what is left.
    pub(crate) fn audit_end(&self, world: &World) {
        for end in 0..2 {
            while !self.under_way[1 - end].borrow().is_empty() {
                let mut buffer = [0; BUFFER];
                let read = betterthreads::with_timeout(1, || (&self.ends()[end]).read(&mut buffer));
                let Ok(Ok(count)) = read else {
                    world.fault(format!("bytes for end {end} were lost: {read:?}"));
                    break;
                };
                self.received(world, 1 - end, &buffer[..count]);
            }
        }
    }

    fn sent(&self, world: &World, from: usize, bytes: &[u8]) {
        self.moved[from].set(world.mark().jumped);
        self.under_way[from].borrow_mut().extend(bytes);
    }

    fn received(&self, world: &World, from: usize, bytes: &[u8]) {
        self.moved[from].set(world.mark().jumped);
        let mut under_way = self.under_way[from].borrow_mut();
        let length = bytes.len().min(under_way.len());
        let is_right = !bytes.is_empty() && under_way.drain(..length).eq(bytes.iter().copied());
        let text = || format!("{} bytes from end {from} are not those sent", bytes.len());
        world.expect(is_right, text);
    }
}

impl Actor {
    pub(crate) fn write(&self, end: usize, long: u8) {
        let wires = &self.world.wires;
        let first = wires.next.replace(wires.next.get().wrapping_add(101));
        let length = 1 + usize::from(long) * UNIT;
        let bytes: Vec<u8> = (0..length).map(|n| first.wrapping_add(n as u8)).collect();
        let ends = wires.ends();
        let mut stream = &ends[end];
        match self.unbounded(Waiting::Write(end), || stream.write(&bytes)) {
            Some(Ok(count)) => wires.sent(&self.world, end, &bytes[..count]),
            Some(Err(error)) => self.world.fault(format!("a write failed: {error}")),
            None => {}
        }
    }

    pub(crate) fn read(&self, end: usize, long: u8) {
        let wires = &self.world.wires;
        let mut bytes = vec![0; 1 + usize::from(long) * UNIT];
        let ends = wires.ends();
        let mut stream = &ends[end];
        match self.unbounded(Waiting::Read(end), || stream.read(&mut bytes)) {
            Some(Ok(count)) => wires.received(&self.world, 1 - end, &bytes[..count]),
            Some(Err(error)) => self.world.fault(format!("a read failed: {error}")),
            None => {}
        }
    }
}
