//! Pipes: one end each, by themselves or as those of a child process.
//!
//! An end that nobody else has is non-blocking inside, as a socket is. Unlike a socket's, its calls
//! have no flag that keeps one of them from blocking. So an end that came from elsewhere keeps its
//! mode, which others may count on, and is asked before each call, as is one whose clone was given
//! away; and no more is written to such a one at once than a pipe with some room takes.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use super::io::{Direction, Done, Source};
use super::park;
use crate::driver::file::{self, PIPE_BUF};
use crate::driver::sys::{self, MAX_IO_SLICES};

/// See the module's documentation.
pub(crate) struct End(Source<OwnedFd>);

impl End {
    /// The reading and the writing end of a new pipe.
    ///
    /// # Errors
    ///
    /// Those of pipe2(2).
    pub(crate) fn pair() -> io::Result<(End, End)> {
        let (reader, writer) = file::pipe()?;
        Ok((End::own(reader), End::own(writer)))
    }

    /// An end that nobody else has.
    pub(crate) fn own(fd: OwnedFd) -> End {
        match file::set_nonblocking(fd.as_fd(), true) {
            Ok(()) => End(Source::new(fd)),
            Err(error) => {
                log::error!("a pipe could not be made non-blocking: {error}");
                End::adopt(fd)
            }
        }
    }

    /// One that others may have too, and that need not be a pipe.
    pub(crate) fn adopt(fd: OwnedFd) -> End {
        let nonblocking = file::is_nonblocking(fd.as_fd()).unwrap_or(false);
        let source = Source::of_kind(fd, false);
        let options = source.options();
        options.nonblocking.store(nonblocking, Ordering::Relaxed);
        options.given_away.store(true, Ordering::Relaxed);
        options.has_its_mode.get_or_init(|| ());
        End(source)
    }

    /// The descriptor, in the mode that its user saw. Only the first of several clones brings that
    /// about: whoever gets it may choose another.
    pub(crate) fn release(self) -> OwnedFd {
        let options = self.0.options().clone();
        let fd = self.0.into_file();
        // Whoever comes second waits until it is done.
        options.has_its_mode.get_or_init(|| {
            options.given_away.store(true, Ordering::Relaxed);
            if let Err(error) = file::set_nonblocking(fd.as_fd(), false) {
                log::error!("the mode of a pipe could not be restored: {error}");
            }
        });
        fd
    }

    /// Another descriptor of the same end.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2).
    pub(crate) fn try_clone(&self) -> io::Result<End> {
        self.0.try_clone().map(End)
    }

    pub(super) fn source(&self) -> &Source<OwnedFd> {
        &self.0
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.file().as_fd()
    }

    /// Fails if a call on an end whose mode may be blocking would not return at once.
    fn ask(&self, fd: BorrowedFd<'_>, read: bool) -> io::Result<()> {
        if self.0.is_given_away() && !file::would_not_wait(fd, read)? {
            return Err(sys::would_block());
        }
        Ok(())
    }

    /// Reads into `buf`. A yield point.
    ///
    /// # Errors
    ///
    /// Those of read(2) and epoll_ctl(2).
    #[inline]
    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let room = buf.len();
        self.read_by(room, |fd| file::read(fd, buf))
    }

    /// Reads into several. A yield point.
    ///
    /// # Errors
    ///
    /// Those of readv(2) and epoll_ctl(2).
    pub(crate) fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let room = bufs.iter().take(MAX_IO_SLICES).map(|buf| buf.len()).sum();
        self.read_by(room, |fd| file::read_vectored(fd, bufs))
    }

    /// What can be read without waiting; none if nothing can.
    ///
    /// # Errors
    ///
    /// Those of read(2).
    pub(super) fn try_read(&self, buf: &mut [u8]) -> Option<io::Result<usize>> {
        let room = buf.len();
        let result = self.0.attempt(Direction::Read, &mut |fd| {
            self.ask(fd.as_fd(), true)?;
            Ok(Done::read(file::read(fd.as_fd(), buf)?, room))
        });
        // The answer of an end that its user has made non-blocking.
        result.filter(|result| !is_would_block(result))
    }

    #[inline(always)]
    fn read_by(
        &self,
        room: usize,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if room == 0 {
            park::checkpoint();
            return Ok(0);
        }
        self.0.operate(Direction::Read, |fd| {
            self.ask(fd.as_fd(), true)?;
            Ok(Done::read(read(fd.as_fd())?, room))
        })
    }

    /// Writes from `buf`. A yield point.
    ///
    /// # Errors
    ///
    /// Those of write(2) and epoll_ctl(2).
    #[inline]
    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.write_by(buf.len(), |fd| self.write_now(fd, buf))
    }

    /// Writes from several. A yield point.
    ///
    /// # Errors
    ///
    /// Those of writev(2) and epoll_ctl(2).
    pub(crate) fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let length = bufs.iter().take(MAX_IO_SLICES).map(|buf| buf.len()).sum();
        self.write_by(length, |fd| {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            match first.filter(|_| self.0.is_given_away()) {
                Some(first) => self.write_now(fd, first),
                None => Ok(Done::written(file::write_vectored(fd, bufs)?, length)),
            }
        })
    }

    /// One attempt. A clone may have been given away while this one waited: how much is tried is
    /// not known before.
    fn write_now(&self, fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<Done<usize>> {
        let most = if self.0.is_given_away() { PIPE_BUF } else { buf.len() };
        let buf = &buf[..buf.len().min(most)];
        Ok(Done::written(file::write(fd, buf)?, buf.len()))
    }

    #[inline(always)]
    fn write_by(
        &self,
        length: usize,
        write: impl Fn(BorrowedFd<'_>) -> io::Result<Done<usize>>,
    ) -> io::Result<usize> {
        if length == 0 {
            park::checkpoint();
            return Ok(0);
        }
        self.0.operate(Direction::Write, |fd| {
            self.ask(fd.as_fd(), false)?;
            write(fd.as_fd())
        })
    }
}

fn is_would_block<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}
