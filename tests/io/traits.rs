//! What the types promise to the compiler: the same as std's.

use std::fmt::Debug;
use std::io::{BufRead, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::process::Stdio;

use betterthreads::io::{
    PipeReader, PipeWriter, Stderr, StderrLock, Stdin, StdinLock, Stdout, StdoutLock,
};

const fn assert_auto<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + Debug>() {}

const fn assert_pipe<T>()
where
    T: AsFd + AsRawFd + FromRawFd + IntoRawFd + From<OwnedFd> + Into<OwnedFd> + Into<Stdio>,
{
}

const fn assert_lock<T: Unpin + UnwindSafe + RefUnwindSafe>() {}

const fn assert_stream<T: AsFd + AsRawFd + Debug>() {}

const fn assert_read<T: Read>() {}

const fn assert_buffer<T: BufRead>() {}

const fn assert_write<T: Write>() {}

const _: () = {
    assert_auto::<std::io::PipeReader>();
    assert_auto::<PipeReader>();
    assert_auto::<PipeWriter>();
    assert_pipe::<PipeReader>();
    assert_pipe::<PipeWriter>();
    assert_read::<PipeReader>();
    assert_read::<&PipeReader>();
    assert_write::<PipeWriter>();
    assert_write::<&PipeWriter>();

    assert_auto::<std::io::Stdin>();
    assert_auto::<Stdin>();
    assert_auto::<Stdout>();
    assert_auto::<Stderr>();
    assert_stream::<Stdin>();
    assert_stream::<StdinLock<'static>>();
    assert_stream::<Stdout>();
    assert_stream::<StdoutLock<'static>>();
    assert_stream::<Stderr>();
    assert_stream::<StderrLock<'static>>();

    assert_lock::<std::io::StdinLock<'static>>();
    assert_lock::<std::io::StdoutLock<'static>>();
    assert_lock::<StdinLock<'static>>();
    assert_lock::<StdoutLock<'static>>();
    assert_lock::<StderrLock<'static>>();

    assert_read::<Stdin>();
    assert_read::<&Stdin>();
    assert_buffer::<StdinLock<'static>>();
    assert_write::<Stdout>();
    assert_write::<&Stdout>();
    assert_write::<StdoutLock<'static>>();
    assert_write::<Stderr>();
    assert_write::<&Stderr>();
    assert_write::<StderrLock<'static>>();
};
