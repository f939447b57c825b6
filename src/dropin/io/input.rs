//! The buffer of standard input: what was read and not yet taken.
//!
//! What a call returns is taken out when all of it is there. A call that is interrupted has taken
//! nothing, however often it had to read.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

use crate::wait::stdio;

/// How much is read at once, as in std.
pub(super) const PORTION: usize = 1 << 13;

/// See the module's documentation.
pub(super) struct Input {
    bytes: Vec<u8>,
    /// How many of them were taken.
    taken: usize,
}

impl Input {
    pub(super) const fn new() -> Input {
        Input { bytes: Vec::new(), taken: 0 }
    }

    /// What is there.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Takes what is there, at most so many.
    pub(super) fn take(&mut self, count: usize) {
        self.taken = self.bytes.len().min(self.taken + count);
    }

    /// Reads more; nothing at the end. A yield point.
    pub(super) fn more(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let mut portion = [0; PORTION];
        let count = stdio::read(fd, &mut portion)?;
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(&portion[..count]);
        Ok(count)
    }

    /// Reads until `length` finds in what is there how much of it is wanted, or until the end, up
    /// to which all is. Only what is new is shown to it, and how much came before.
    pub(super) fn gather(
        &mut self,
        fd: BorrowedFd<'_>,
        length: impl Fn(usize, &[u8]) -> Option<usize>,
    ) -> io::Result<usize> {
        let mut seen = 0;
        loop {
            if let Some(length) = length(seen, &self.rest()[seen..]) {
                return Ok(length);
            }
            seen = self.rest().len();
            match self.more(fd) {
                Ok(0) => return Ok(seen),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How much comes up to the next `byte`, that included, or up to the end.
    pub(super) fn until(&mut self, fd: BorrowedFd<'_>, byte: u8) -> io::Result<usize> {
        self.gather(fd, |seen, new| {
            new.iter().position(|other| *other == byte).map(|place| seen + place + 1)
        })
    }
}
