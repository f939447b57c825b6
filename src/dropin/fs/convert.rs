//! The way to and from std's file, bare descriptors and the streams of child processes.
//!
//! To give a file away is a yield point: a read or a write that was abandoned comes to its end
//! first. If a thread does something else with the file, what is given away is another descriptor
//! of it.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::process::Stdio;

use super::file::File;
use crate::wait::file::Handle;

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle().as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl IntoRawFd for File {
    fn into_raw_fd(self) -> RawFd {
        std::fs::File::from(self).into_raw_fd()
    }
}

impl FromRawFd for File {
    /// # Safety
    ///
    /// The descriptor must be open and the caller's to give away.
    #[allow(unsafe_code)]
    unsafe fn from_raw_fd(fd: RawFd) -> File {
        // SAFETY: what the caller promises is what `OwnedFd` asks for.
        File::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> File {
        File::from_handle(Handle::new(file))
    }
}

impl From<File> for std::fs::File {
    /// # Panics
    ///
    /// At the limit of open files, if a thread still works with this one.
    fn from(file: File) -> std::fs::File {
        let file = file.into_handle().into_file();
        file.unwrap_or_else(|error| panic!("failed to duplicate a file that is in use: {error}"))
    }
}

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> File {
        std::fs::File::from(fd).into()
    }
}

impl From<File> for OwnedFd {
    fn from(file: File) -> OwnedFd {
        std::fs::File::from(file).into()
    }
}

impl From<File> for Stdio {
    fn from(file: File) -> Stdio {
        std::fs::File::from(file).into()
    }
}
