//! Operations on open files: what is in memory is read at once, everything else is done by an
//! offload thread.
//!
//! A thread cannot be lent the buffer of somebody who may be killed meanwhile, so bytes go through
//! one of its own. Whoever uses the position of a file has its *turn*, and work that was begun
//! takes the turn along: if it is abandoned, whatever comes after it finds it finished. A read that
//! nobody takes the result of is undone; a write cannot be, and is carried out.
//!
//! A *stream*, which is a pipe, a terminal or another device, is read and written when it is ready,
//! so neither a thread nor the turn waits for what its other end does.

use std::fs::{File, FileType};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::sync::Arc;

use super::select::{Interest, select};
use super::semaphore::Permits;
use super::{offload, park};
use crate::base::lock::Lock;
use crate::driver::{file, sys};

/// The most bytes of one call, which are copied.
const MOST: usize = 1 << 20;

/// What all descriptors of one open file share.
struct Cursor {
    turn: Permits,
    is_stream: bool,
    /// Read from a stream by one who was interrupted; the next gets it.
    left: Lock<Vec<u8>>,
}

/// The right to use a file's position.
struct Turn(Arc<Cursor>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.turn.release();
    }
}

impl Turn {
    fn read_left(&self, buf: &mut [u8]) -> Option<usize> {
        let mut left = self.0.left.lock();
        let count = left.len().min(buf.len());
        buf[..count].copy_from_slice(&left[..count]);
        left.drain(..count);
        (count > 0).then_some(count)
    }
}

/// Bytes that were read for somebody. Unless they are claimed, they are put back.
struct Unclaimed {
    bytes: Vec<u8>,
    file: Arc<File>,
    /// Dropped last.
    turn: Turn,
}

impl Unclaimed {
    fn read(turn: Turn, file: Arc<File>, room: usize) -> io::Result<Unclaimed> {
        let mut bytes = vec![0; room];
        let count = (&*file).read(&mut bytes)?;
        bytes.truncate(count);
        Ok(Unclaimed { bytes, file, turn })
    }

    fn claim(mut self, buf: &mut [u8]) -> usize {
        let bytes = std::mem::take(&mut self.bytes);
        buf[..bytes.len()].copy_from_slice(&bytes);
        bytes.len()
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        let back = SeekFrom::Current(-(self.bytes.len() as i64));
        // Some that look like files are streams all the same, as /proc/kmsg is.
        let is_undone =
            self.bytes.is_empty() || !self.turn.0.is_stream && (&*self.file).seek(back).is_ok();
        if !is_undone {
            self.turn.0.left.lock().append(&mut self.bytes);
        }
    }
}

/// An open file. A thread that works for one who was killed may keep it open for a while.
pub(crate) struct Handle {
    file: Arc<File>,
    cursor: Arc<Cursor>,
}

impl Handle {
    pub(crate) fn new(file: File) -> Handle {
        let is_stream = !file.metadata().is_ok_and(|data| has_position(data.file_type()));
        let (turn, left) = (Permits::new(1), Lock::new(Vec::new()));
        Handle { file: Arc::new(file), cursor: Arc::new(Cursor { turn, is_stream, left }) }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The file, when whoever uses its position is done; in a descriptor of another number if a
    /// thread still works with this one. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2), when there is no other descriptor.
    pub(crate) fn into_file(self) -> io::Result<File> {
        self.let_others_finish();
        Arc::try_unwrap(self.file).or_else(|file| duplicate(&file))
    }

    /// Another descriptor of the same open file.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2).
    pub(crate) fn try_clone(&self) -> io::Result<Handle> {
        Ok(Handle { file: Arc::new(duplicate(&self.file)?), cursor: self.cursor.clone() })
    }

    /// Waits for what was begun before, which may have been abandoned. A yield point.
    fn let_others_finish(&self) {
        drop(self.take_turn());
    }

    /// Waits until whoever uses the file's position is done. A yield point.
    fn take_turn(&self) -> Turn {
        self.cursor.turn.acquire(None);
        Turn(self.cursor.clone())
    }

    /// The same, and until the file is ready, if it is one that may not be.
    fn take_turn_when_ready(&self, interest: Interest) -> io::Result<Turn> {
        loop {
            let turn = self.take_turn();
            let is_read = interest == Interest::Read;
            if !self.cursor.is_stream
                || is_read && !self.cursor.left.lock().is_empty()
                || file::would_not_wait(self.as_fd(), is_read)?
            {
                return Ok(turn);
            }
            drop(turn);
            select(&[(self.as_fd(), interest)], None)?;
        }
    }

    /// Reads from the file's position on. A yield point; a read that is interrupted did not happen.
    ///
    /// # Errors
    ///
    /// Those of read(2).
    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            park::checkpoint();
            return Ok(0);
        }
        // Whatever may raise comes before the bytes, which would be lost.
        park::spend_budget();
        let turn = self.take_turn_when_ready(Interest::Read)?;
        if let Some(count) = turn.read_left(buf).or_else(|| self.read_now(buf, None)) {
            return Ok(count);
        }
        let (file, room) = (self.file.clone(), buf.len().min(MOST));
        let read = offload::run(move || Unclaimed::read(turn, file, room))??;
        Ok(read.claim(buf))
    }

    /// Reads from `offset` on, after what others have begun. A yield point.
    ///
    /// # Errors
    ///
    /// Those of pread(2).
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        park::spend_budget();
        self.let_others_finish();
        if let Some(count) = self.read_now(buf, Some(offset)) {
            return Ok(count);
        }
        let (file, room) = (self.file.clone(), buf.len().min(MOST));
        let bytes = offload::run(move || {
            let mut bytes = vec![0; room];
            let count = file.read_at(&mut bytes, offset)?;
            bytes.truncate(count);
            io::Result::Ok(bytes)
        })??;
        buf[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    /// Reads what is in memory. Nothing may mean the end of the file as well: Linux 5.9 and 5.10
    /// mix these up.
    fn read_now(&self, buf: &mut [u8], offset: Option<u64>) -> Option<usize> {
        // The hub runs nobody meanwhile.
        let room = buf.len().min(MOST);
        sys::read_now(self.as_fd(), &mut buf[..room], offset).ok().filter(|count| *count > 0)
    }

    /// Writes at the file's position. A yield point; a write that is interrupted may be finished
    /// later, but before anything else that is done with the file's position.
    ///
    /// # Errors
    ///
    /// Those of write(2).
    pub(crate) fn write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let turn = match bufs.iter().all(|buf| buf.is_empty()) {
            true => self.take_turn(),
            false => self.take_turn_when_ready(Interest::Write)?,
        };
        // More than a pipe has room for would let the thread wait.
        let most = if self.cursor.is_stream { file::PIPE_BUF } else { MOST };
        let bytes = gather(bufs, most);
        self.run_in_turn(turn, move |mut file| file.write(&bytes))
    }

    /// Writes at `offset`, in turn as well.
    ///
    /// # Errors
    ///
    /// Those of pwrite(2).
    pub(crate) fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let bytes = gather(&[IoSlice::new(buf)], MOST);
        self.run_in_turn(self.take_turn(), move |file| file.write_at(&bytes, offset))
    }

    /// Moves the file's position. A yield point.
    ///
    /// # Errors
    ///
    /// Those of lseek(2).
    pub(crate) fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        let _turn = self.take_turn();
        (&*self.file).seek(to)
    }

    /// Does what changes the file, in turn. A yield point.
    ///
    /// # Errors
    ///
    /// Those of `work`; that of starting a thread.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.run_in_turn(self.take_turn(), work)
    }

    fn run_in_turn<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let file = self.file.clone();
        offload::run(move || {
            let result = work(&file);
            // Who has the turn next may want the file for itself.
            drop(file);
            drop(turn);
            result
        })?
    }

    /// Does what changes nothing, after what others have begun. A yield point.
    ///
    /// # Errors
    ///
    /// Those of `work`; that of starting a thread.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&File) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        self.let_others_finish();
        let file = self.file.clone();
        offload::run(move || work(&file))?
    }
}

impl AsFd for Handle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn has_position(kind: FileType) -> bool {
    kind.is_file() || kind.is_dir() || kind.is_block_device()
}

fn duplicate(file: &File) -> io::Result<File> {
    sys::duplicate(file.as_fd()).map(File::from)
}

/// A copy of the first bytes.
fn gather(bufs: &[IoSlice<'_>], most: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bufs.iter().map(|buf| buf.len()).sum::<usize>().min(most));
    for buf in bufs {
        let room = most - bytes.len();
        bytes.extend_from_slice(&buf[..room.min(buf.len())]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, OwnedFd};

    use super::*;

    /// A read that was begun for somebody who is not there any more.
    fn abandoned(handle: &Handle, room: usize) -> Unclaimed {
        Unclaimed::read(handle.take_turn(), handle.file.clone(), room).unwrap()
    }

    #[test]
    fn a_read_that_nobody_claims_is_undone() {
        let handle = Handle::new(File::open("/proc/self/stat").unwrap());
        let (mut first, mut second) = ([0; 4], [0; 4]);
        handle.read(&mut first).unwrap();
        let unclaimed = abandoned(&handle, 100);
        assert!(!handle.cursor.turn.try_acquire());
        drop(unclaimed);
        assert_eq!(handle.seek(SeekFrom::Current(0)).unwrap(), 4);
        abandoned(&handle, 4).claim(&mut second);
        assert_eq!(handle.seek(SeekFrom::Current(0)).unwrap(), 8);
    }

    #[test]
    fn work_that_changes_a_file_has_the_turn_to_its_end() {
        let handle = Handle::new(File::options().write(true).open("/dev/null").unwrap());
        let cursor = handle.cursor.clone();
        assert!(!handle.change(move |_| Ok(cursor.turn.try_acquire())).unwrap());
        assert!(handle.cursor.turn.try_acquire());
    }

    #[test]
    fn what_was_read_from_a_stream_for_nobody_is_for_the_next() {
        let (reader, mut writer) = io::pipe().unwrap();
        let handle = Handle::new(OwnedFd::from(reader).into());
        for text in [b"123", b"456"] {
            writer.write_all(text).unwrap();
            drop(abandoned(&handle, 8));
        }
        let clone = handle.try_clone().unwrap();
        let mut buf = [0; 4];
        // Though there is nothing in the pipe.
        assert_eq!((clone.read(&mut buf).unwrap(), &buf), (4, b"1234"));
        assert_eq!((handle.read(&mut buf).unwrap(), &buf[..2]), (2, &b"56"[..]));
        drop(writer);
        assert_eq!(handle.read(&mut buf).unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_in_use_is_given_away_in_another_descriptor() {
        for in_use in [false, true] {
            let handle = Handle::new(File::open("/dev/null").unwrap());
            let number = handle.file().as_raw_fd();
            let user = in_use.then(|| handle.file.clone());
            assert_eq!(handle.into_file().unwrap().as_raw_fd() == number, !in_use);
            drop(user);
        }
    }

    #[test]
    fn of_several_buffers_as_much_is_taken_as_one_call_takes() {
        let bufs = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        for most in 0..7 {
            assert_eq!(gather(&bufs, most), b"abcde"[..most.min(5)]);
        }
    }
}
