//! Standard input.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Lines, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::PoisonError;

use super::input::{Input, PORTION};
use crate::dropin::sync::{Mutex, MutexGuard};
use crate::wait::park;
use crate::wait::stdio;

static INPUT: Mutex<Input> = Mutex::new(Input::new());

/// Standard input, as [`std::io::Stdin`]: with one buffer for the process.
///
/// Every call is a yield point. One that a kill interrupts has taken no byte.
pub struct Stdin {
    std: std::io::Stdin,
}

/// Exclusive access to standard input, as [`std::io::StdinLock`].
///
/// It belongs to a greenlet, which may wait while it has it. Unlike that of output it cannot be
/// taken twice.
pub struct StdinLock<'a> {
    std: std::io::Stdin,
    input: MutexGuard<'a, Input>,
}

/// The standard input of this process.
#[must_use]
pub fn stdin() -> Stdin {
    Stdin { std: std::io::stdin() }
}

impl Stdin {
    /// Waits for the lock. A yield point.
    #[must_use]
    pub fn lock(&self) -> StdinLock<'static> {
        // One who is killed leaves nothing half-changed.
        let input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
        StdinLock { std: std::io::stdin(), input }
    }

    /// Appends a line with its end to `buf` and tells how long it is; nothing at the end. A yield
    /// point.
    ///
    /// # Errors
    ///
    /// Those of read(2); `InvalidData` for a line that is not UTF-8.
    pub fn read_line(&self, buf: &mut String) -> io::Result<usize> {
        self.lock().read_line(buf)
    }

    /// The lines, without their ends, one by one; each is waited for in a yield point.
    #[must_use = "`Stdin::lines` is lazy"]
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }

    /// Whether it is a terminal, as std's trait `IsTerminal` says, which only std may implement.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.std)
    }
}

impl StdinLock<'_> {
    /// As [`Stdin::is_terminal`].
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&self.std)
    }

    /// Takes as many as that, and appends them to `buf`.
    fn give(&mut self, count: usize, buf: &mut Vec<u8>) -> usize {
        buf.extend_from_slice(&self.input.rest()[..count]);
        self.input.take(count);
        count
    }

    /// The same for text.
    fn give_text(&mut self, count: usize, buf: &mut String) -> io::Result<usize> {
        let text = str::from_utf8(&self.input.rest()[..count]).map(|text| buf.push_str(text));
        self.input.take(count);
        let not_text =
            |_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8");
        text.map_err(not_text).map(|()| count)
    }
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        park::checkpoint();
        if self.input.rest().is_empty() {
            self.input.more(self.std.as_fd())?;
        }
        Ok(self.input.rest())
    }

    fn consume(&mut self, amount: usize) {
        self.input.take(amount);
    }

    fn read_until(&mut self, byte: u8, buf: &mut Vec<u8>) -> io::Result<usize> {
        park::checkpoint();
        let count = self.input.until(self.std.as_fd(), byte)?;
        Ok(self.give(count, buf))
    }

    fn skip_until(&mut self, byte: u8) -> io::Result<usize> {
        park::checkpoint();
        let count = self.input.until(self.std.as_fd(), byte)?;
        self.input.take(count);
        Ok(count)
    }

    fn read_line(&mut self, buf: &mut String) -> io::Result<usize> {
        park::checkpoint();
        let count = self.input.until(self.std.as_fd(), b'\n')?;
        self.give_text(count, buf)
    }
}

impl Read for StdinLock<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        park::checkpoint();
        if self.input.rest().is_empty() && buf.len() >= PORTION {
            return stdio::read(self.std.as_fd(), buf);
        }
        let there = self.fill_buf()?;
        let count = there.len().min(buf.len());
        buf[..count].copy_from_slice(&there[..count]);
        self.consume(count);
        Ok(count)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        park::checkpoint();
        let wanted = buf.len();
        let enough = |seen, new: &[u8]| (seen + new.len() >= wanted).then_some(wanted);
        let count = self.input.gather(self.std.as_fd(), enough)?;
        buf[..count].copy_from_slice(&self.input.rest()[..count]);
        self.input.take(count);
        match count < wanted {
            true => Err(io::Error::new(ErrorKind::UnexpectedEof, "failed to fill whole buffer")),
            false => Ok(()),
        }
    }

    fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
        park::checkpoint();
        let count = self.input.gather(self.std.as_fd(), |_, _| None)?;
        self.give(count, buf);
        // It may have been much.
        *self.input = Input::new();
        Ok(count)
    }

    fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
        park::checkpoint();
        let count = self.input.gather(self.std.as_fd(), |_, _| None)?;
        let result = self.give_text(count, buf);
        *self.input = Input::new();
        result
    }
}

macro_rules! reads_by_lock {
    ($type:ty) => {
        impl Read for $type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.lock().read(buf)
            }

            fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
                self.lock().read_exact(buf)
            }

            fn read_to_end(&mut self, buf: &mut Vec<u8>) -> io::Result<usize> {
                self.lock().read_to_end(buf)
            }

            fn read_to_string(&mut self, buf: &mut String) -> io::Result<usize> {
                self.lock().read_to_string(buf)
            }
        }
    };
}

reads_by_lock!(Stdin);
reads_by_lock!(&Stdin);

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl AsFd for StdinLock<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl AsRawFd for StdinLock<'_> {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}
