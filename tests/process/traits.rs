//! What the types promise to the compiler: the same as std's.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};

use betterthreads::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

const fn assert_auto<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug>() {}

/// std's has closures in it, so it promises less.
const fn assert_command<T: Send + Sync + Unpin + Debug>() {}

const fn assert_pipe<T>()
where
    T: AsFd + AsRawFd + IntoRawFd + From<OwnedFd> + Into<OwnedFd> + Into<Stdio>,
{
}

const fn assert_read<T: Read>() {}

const fn assert_write<T: Write>() {}

const _: () = {
    assert_auto::<std::process::Child>();
    assert_auto::<Child>();
    assert_command::<std::process::Command>();
    assert_command::<Command>();

    assert_auto::<ChildStdin>();
    assert_auto::<ChildStdout>();
    assert_auto::<ChildStderr>();
    assert_pipe::<ChildStdin>();
    assert_pipe::<ChildStdout>();
    assert_pipe::<ChildStderr>();

    assert_write::<ChildStdin>();
    assert_write::<&ChildStdin>();
    assert_read::<ChildStdout>();
    assert_read::<ChildStderr>();
};
