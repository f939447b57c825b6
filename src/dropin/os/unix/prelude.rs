//! [`std::os::unix::prelude`], without the traits for types that have no counterpart here:
//! `CommandExt` and `ExitStatusExt` for processes, `JoinHandleExt` for pthreads.

pub use super::ffi::{OsStrExt, OsStringExt};
pub use super::fs::{
    DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};
pub use super::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
