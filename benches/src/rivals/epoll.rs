//! A bare epoll loop, the least a server can do on one thread: edge-triggered, registered once,
//! and a short read means that the socket is drained.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::readiness::Readiness;

const LISTENER: u64 = u64::MAX;

pub const RIVAL: Rival = Rival {
    name: "epoll",
    notes: &["a bare loop with no tasks: a limit rather than a peer, the 1.00 of the echo ratios"],
    means: Means::Functions(&[(Work::Echo, echo)]),
    most_tasks: usize::MAX,
    slowness: 1,
};

/// A connection's place in the vector is its token.
struct Server {
    listener: TcpListener,
    connections: Vec<Option<TcpStream>>,
    buffer: [u8; BUFFER_BYTES],
}

fn echo(amount: Amount) {
    let announcement = Announcement::pinned(amount);
    let listener = TcpListener::bind(ADDRESS).expect("a loopback port");
    announcement.listening_at(listener.local_addr().expect("a bound address"));
    let server = Server { listener, connections: Vec::new(), buffer: [0; BUFFER_BYTES] };
    server.serve().expect("epoll works");
}

impl Server {
    fn serve(mut self) -> io::Result<()> {
        self.listener.set_nonblocking(true)?;
        let mut readiness = Readiness::new()?;
        readiness.add(&self.listener, LISTENER)?;
        loop {
            let mut is_accepting = false;
            for token in readiness.wait(-1)? {
                match token {
                    LISTENER => is_accepting = true,
                    token => self.answer(token as usize),
                }
            }
            if is_accepting {
                self.accept_all(&readiness)?;
            }
        }
    }

    fn accept_all(&mut self, readiness: &Readiness) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    readiness.add(&stream, self.connections.len() as u64)?;
                    self.connections.push(Some(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Echoes what is there. The connection is closed at its end and on any error.
    fn answer(&mut self, token: usize) {
        let Some(stream) = &mut self.connections[token] else {
            return;
        };
        loop {
            match stream.read(&mut self.buffer) {
                Ok(count @ 1..) if stream.write_all(&self.buffer[..count]).is_ok() => {
                    if count < BUFFER_BYTES {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                _ => break,
            }
        }
        self.connections[token] = None;
    }
}
