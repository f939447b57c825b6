//! What the types promise to the compiler: the same as std's.

use std::fmt::Debug;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, FileExt, OpenOptionsExt};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::process::Stdio;

use betterthreads::fs;

const fn assert_auto<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug>() {}

const fn assert_file<T>()
where
    T: Read + Write + Seek + FileExt,
    T: AsFd + AsRawFd + FromRawFd + IntoRawFd + From<OwnedFd> + Into<OwnedFd> + Into<Stdio>,
    for<'a> &'a T: Read + Write + Seek,
{
}

const fn assert_options<T: OpenOptionsExt + Clone>() {}

const fn assert_builder<T: DirBuilderExt>() {}

const fn assert_entry<T: DirEntryExt>() {}

const _: () = {
    assert_auto::<std::fs::File>();
    assert_auto::<std::fs::OpenOptions>();
    assert_auto::<std::fs::DirBuilder>();
    assert_auto::<std::fs::ReadDir>();
    assert_auto::<std::fs::DirEntry>();
    assert_auto::<fs::File>();
    assert_auto::<fs::OpenOptions>();
    assert_auto::<fs::DirBuilder>();
    assert_auto::<fs::ReadDir>();
    assert_auto::<fs::DirEntry>();

    assert_file::<std::fs::File>();
    assert_file::<fs::File>();
    assert_options::<std::fs::OpenOptions>();
    assert_options::<fs::OpenOptions>();
    assert_builder::<fs::DirBuilder>();
    assert_entry::<fs::DirEntry>();
};
