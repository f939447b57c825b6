//! Anonymous pipes.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::process::Stdio;

use crate::wait::pipe::End;

/// Makes a pipe, as [`std::io::pipe`].
///
/// # Errors
///
/// Those of pipe2(2).
///
/// ```
/// use betterthreads::{io, thread};
/// use std::io::{Read, Write};
///
/// let (mut reader, mut writer) = io::pipe()?;
/// let reading = thread::spawn(move || {
///     let mut text = String::new();
///     reader.read_to_string(&mut text).map(|_| text)
/// });
/// writer.write_all(b"hello")?;
/// drop(writer);
/// assert_eq!(reading.join().unwrap()?, "hello");
/// # Ok::<(), io::Error>(())
/// ```
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = End::pair()?;
    Ok((PipeReader { end: reader }, PipeWriter { end: writer }))
}

/// The end of a pipe that is read from, as [`std::io::PipeReader`].
///
/// A read is a yield point. One that a kill interrupts has taken no byte.
pub struct PipeReader {
    end: End,
}

/// The end of a pipe that is written to, as [`std::io::PipeWriter`].
///
/// A write is a yield point. One that a kill interrupts has written no byte.
pub struct PipeWriter {
    end: End,
}

reads!(PipeReader, and by reference);
writes!(PipeWriter);
conversions_of_end!(PipeReader, std::io::PipeReader);
conversions_of_end!(PipeWriter, std::io::PipeWriter);

impl PipeReader {
    /// Another handle to the same end.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<PipeReader> {
        Ok(PipeReader { end: self.end.try_clone()? })
    }
}

impl PipeWriter {
    /// Another handle to the same end. Readers see the end of the stream when all are gone.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<PipeWriter> {
        Ok(PipeWriter { end: self.end.try_clone()? })
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeReader").field(&self.end.fd()).finish()
    }
}

impl fmt::Debug for PipeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeWriter").field(&self.end.fd()).finish()
    }
}
