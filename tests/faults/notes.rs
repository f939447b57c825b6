//! What the greenlets of a scenario were told, and calls that are repeated until they go through.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use betterthreads::getcurrent;
use libc::ENOMEM;

/// How often a call is repeated; more often than any test lets it fail.
const ATTEMPTS: usize = 1000;

/// Tells who runs.
pub(crate) type Who = fn() -> u64;

/// The number of the running greenlet.
pub(crate) fn greenlet() -> u64 {
    getcurrent().id()
}

/// Nobody but the thread itself.
pub(crate) fn plain_thread() -> u64 {
    0
}

/// The errors that were met, each with the one who met it. Clones share them.
#[derive(Clone)]
pub(crate) struct Notes {
    who: Who,
    met: Rc<RefCell<Vec<(u64, i32)>>>,
}

impl Notes {
    pub(crate) fn new(who: Who) -> Notes {
        Notes { who, met: Rc::default() }
    }

    pub(crate) fn met(&self) -> Vec<(u64, i32)> {
        self.met.borrow().clone()
    }

    fn note(&self, error: &io::Error) {
        // That of a stack has a text of its own.
        let no_stack = || (error.kind() == ErrorKind::OutOfMemory).then_some(ENOMEM);
        let number = error.raw_os_error().or_else(no_stack);
        let number = number.unwrap_or_else(|| panic!("not the kernel's: {error}"));
        self.met.borrow_mut().push(((self.who)(), number));
    }

    /// Does `attempt` until it succeeds, and notes each of its errors.
    #[track_caller]
    pub(crate) fn insist<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> T {
        for _ in 0..ATTEMPTS {
            match attempt() {
                Ok(value) => return value,
                Err(error) => self.note(&error),
            }
        }
        panic!("it never succeeds: {:?}", self.met());
    }

    /// Does `attempt` until it fails with `expected`, and notes each of its other errors.
    #[track_caller]
    pub(crate) fn insist_on<T>(
        &self,
        expected: ErrorKind,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) {
        for _ in 0..ATTEMPTS {
            match attempt() {
                Ok(_) => panic!("it was to fail with {expected:?}"),
                Err(error) if error.kind() == expected => return,
                Err(error) => self.note(&error),
            }
        }
        panic!("it never fails with {expected:?}: {:?}", self.met());
    }

    /// Reads until `buf` is full or the stream ends, and tells how much was read.
    pub(crate) fn read(&self, mut stream: impl Read, buf: &mut [u8]) -> usize {
        let mut full = 0;
        while full < buf.len() {
            match self.insist(|| stream.read(&mut buf[full..])) {
                0 => break,
                count => full += count,
            }
        }
        full
    }

    /// Writes all of `bytes`.
    pub(crate) fn write(&self, mut stream: impl Write, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.insist(|| stream.write(bytes));
            bytes = &bytes[count..];
        }
    }
}
