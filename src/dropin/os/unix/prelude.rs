//! [`std::os::unix::prelude`], without `JoinHandleExt`, which is for pthreads.

pub use super::ffi::{OsStrExt, OsStringExt};
pub use super::fs::{
    DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt,
};
pub use super::io::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
pub use super::process::{CommandExt, ExitStatusExt};
