//! The sockets of `kill-sockets`: each task reads the near end of a TCP connection whose far end
//! stays here, silent, and sees whether the near end was closed.

use std::io::Read;
use std::net::{TcpListener, TcpStream};

use crate::echo::ADDRESS;
use crate::measure::Stopwatch;
use crate::scenario::Witness;

pub struct FarEnds(Vec<TcpStream>);

/// From the moment when all tasks read to the moment when all are dead.
pub struct Killing {
    far_ends: FarEnds,
    clock: Stopwatch,
}

/// The near ends are blocking, as std makes them.
pub fn connect(count: usize) -> (FarEnds, Vec<TcpStream>) {
    let listener = TcpListener::bind(ADDRESS).expect("a loopback port");
    let address = listener.local_addr().expect("a bound address");
    let pair = |_| {
        let far = TcpStream::connect(address).expect("a connection");
        far.set_nonblocking(true).expect("a socket");
        (far, listener.accept().expect("a connection").0)
    };
    let (far_ends, near_ends) = (0..count).map(pair).unzip();
    (FarEnds(far_ends), near_ends)
}

impl FarEnds {
    pub fn all_are_read(self) -> Killing {
        assert_eq!(Witness::alive(), self.0.len(), "every task owns its witness");
        Killing { far_ends: self, clock: Stopwatch::start() }
    }
}

impl Killing {
    pub fn all_are_dead(self) {
        let far_ends = self.far_ends.0;
        self.clock.report("time", far_ends.len());
        assert_eq!(Witness::alive(), 0, "every destructor ran");
        for mut far in far_ends {
            let end = far.read(&mut [0]).expect("an end, which only a close brings");
            assert_eq!(end, 0, "nobody writes");
        }
    }
}
