//! `File`.

use std::fmt;
use std::fs::{FileTimes, Metadata, Permissions, TryLockError};
use std::io::{self, IoSlice, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use super::options::OpenOptions;
use crate::wait::file::Handle;
use crate::wait::flock;

/// An open file, as [`std::fs::File`].
///
/// Reading, writing and seeking go through `&File` as well. Those who use the position of one file,
/// or of its clones, do so in turn. `read_at` and `write_at` are those of std's [`FileExt`].
///
/// See [the module](super) for what happens to a call whose caller is killed.
pub struct File {
    handle: Handle,
}

impl File {
    pub(super) fn from_handle(handle: Handle) -> File {
        File { handle }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(super) fn into_handle(self) -> Handle {
        self.handle
    }

    /// Opens a file for reading. A yield point.
    ///
    /// # Errors
    ///
    /// Those of open(2).
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file for writing, which is made or emptied. A yield point.
    ///
    /// # Errors
    ///
    /// Those of open(2).
    pub fn create<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file for reading and writing. A yield point.
    ///
    /// # Errors
    ///
    /// Those of open(2): `AlreadyExists` if there is something of that name.
    pub fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// The same as [`OpenOptions::new`].
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Waits until all that was written has reached the disk. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fsync(2).
    pub fn sync_all(&self) -> io::Result<()> {
        self.handle.run(std::fs::File::sync_all)
    }

    /// The same, but for what is not needed to read it again. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fdatasync(2).
    pub fn sync_data(&self) -> io::Result<()> {
        self.handle.run(std::fs::File::sync_data)
    }

    /// Waits for the exclusive lock of the file. A yield point.
    ///
    /// It is that of flock(2) and belongs to the open file, not to the greenlet: it is released by
    /// [`unlock`](File::unlock), or when the last clone is closed.
    ///
    /// # Errors
    ///
    /// Those of flock(2).
    pub fn lock(&self) -> io::Result<()> {
        type Std = std::fs::File;
        flock::lock(self.handle.file(), Std::try_lock, Std::lock)
    }

    /// Waits for a shared lock of the file. A yield point.
    ///
    /// # Errors
    ///
    /// Those of flock(2).
    pub fn lock_shared(&self) -> io::Result<()> {
        type Std = std::fs::File;
        flock::lock(self.handle.file(), Std::try_lock_shared, Std::lock_shared)
    }

    /// Takes the exclusive lock of the file if nobody has one.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody has; those of flock(2).
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.handle.file().try_lock()
    }

    /// Takes a shared lock of the file if nobody has the exclusive one.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody has; those of flock(2).
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.handle.file().try_lock_shared()
    }

    /// Releases the locks of this open file.
    ///
    /// # Errors
    ///
    /// Those of flock(2).
    pub fn unlock(&self) -> io::Result<()> {
        self.handle.file().unlock()
    }

    /// Makes the file longer, with zeroes, or shorter. The position stays. A yield point.
    ///
    /// # Errors
    ///
    /// Those of ftruncate(2): `InvalidInput` if it is not open for writing.
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        self.handle.change(move |file| file.set_len(size))
    }

    /// What the kernel knows about the file. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.handle.run(std::fs::File::metadata)
    }

    /// Another descriptor of the same open file, which shares its position and locks.
    ///
    /// # Errors
    ///
    /// Those of fcntl(2): `EMFILE` at the limit of open files.
    pub fn try_clone(&self) -> io::Result<File> {
        self.handle.try_clone().map(File::from_handle)
    }

    /// Changes the permissions of the file. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fchmod(2).
    pub fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.handle.change(move |file| file.set_permissions(perm))
    }

    /// Changes when the file was, as far as anybody can tell, changed and read. A yield point.
    ///
    /// # Errors
    ///
    /// Those of futimens(2).
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.handle.change(move |file| file.set_times(times))
    }

    /// The same for when it was changed. A yield point.
    ///
    /// # Errors
    ///
    /// Those of futimens(2).
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    /// Whether the file is a terminal: the method of [`std::io::IsTerminal`].
    pub fn is_terminal(&self) -> bool {
        self.handle.file().is_terminal()
    }
}

impl Read for &File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.handle.read(buf)
    }
}

impl Write for &File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.handle.write(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.handle.write(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.handle.seek(pos)
    }
}

impl Read for File {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for File {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        (&*self).seek(pos)
    }
}

impl FileExt for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.handle.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        self.handle.write_at(buf, offset)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.file().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::mpsc::channel;
    use std::{env, fs, process, thread};

    use super::*;

    type Call = fn(&File);

    const CALLS: [(&str, Call); 11] = [
        ("read", |mut file| drop(file.read(&mut [0]))),
        ("write", |mut file| drop(file.write(b"x"))),
        ("seek", |mut file| drop(file.rewind())),
        ("read_at", |file| drop(file.read_at(&mut [0], 0))),
        ("write_at", |file| drop(file.write_at(b"x", 0))),
        ("set_len", |file| drop(file.set_len(1))),
        ("metadata", |file| drop(file.metadata())),
        ("sync_all", |file| drop(file.sync_all())),
        ("sync_data", |file| drop(file.sync_data())),
        ("set_permissions", |file| drop(file.set_permissions(Permissions::from_mode(0o600)))),
        ("set_times", |file| drop(file.set_times(FileTimes::new()))),
    ];

    /// Whether `call` waits for what is being done with the file.
    fn waits(file: &File, call: Call) -> bool {
        let ((begin, begun), (end, ended)) = (channel(), channel());
        thread::scope(|scope| {
            scope.spawn(|| {
                file.handle.change(move |_| {
                    begin.send(()).unwrap();
                    ended.recv().unwrap();
                    Ok(())
                })
            });
            begun.recv().unwrap();
            let later = scope.spawn(|| call(file));
            // Enough for one that does not wait.
            (0..1000).for_each(|_| thread::yield_now());
            let waits = !later.is_finished();
            end.send(()).unwrap();
            waits
        })
    }

    #[test]
    fn what_comes_after_a_change_of_a_file_comes_after_its_end() {
        let path = env::temp_dir().join(format!("betterthreads-in-turn-{}", process::id()));
        let file = File::create_new(&path).unwrap();
        let hasty = CALLS.iter().filter(|(_, call)| !waits(&file, *call));
        let hasty: Vec<_> = hasty.map(|(name, _)| name).collect();
        fs::remove_file(path).unwrap();
        assert!(hasty.is_empty(), "{hasty:?}");
    }
}
