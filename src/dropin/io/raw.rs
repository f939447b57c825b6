//! `FromRawFd` for the ends of pipes.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::pipe::{PipeReader, PipeWriter};

macro_rules! from_raw_fd {
    ($($type:ident),*) => {$(
        impl FromRawFd for $type {
            /// # Safety
            ///
            /// The descriptor must be open and the caller's to give away.
            unsafe fn from_raw_fd(fd: RawFd) -> $type {
                // SAFETY: what the caller promises is what `OwnedFd` asks for.
                $type::from(unsafe { OwnedFd::from_raw_fd(fd) })
            }
        }
    )*};
}

from_raw_fd!(PipeReader, PipeWriter);
