//! What the types promise to the compiler: the same as std's.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};

use betterthreads::os::unix::net::{Incoming, UnixDatagram, UnixListener, UnixStream};

const fn assert_auto<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

const fn assert_descriptor<T>()
where
    T: AsFd + AsRawFd + FromRawFd + IntoRawFd + From<OwnedFd> + Into<OwnedFd> + Debug,
{
}

const fn assert_stream<T: Read + Write>() {}

const fn assert_iterator<T: Iterator + Debug>() {}

const fn assert_iterable<T: IntoIterator>() {}

const _: () = {
    assert_auto::<std::os::unix::net::UnixListener>();
    assert_auto::<std::os::unix::net::UnixStream>();
    assert_auto::<std::os::unix::net::UnixDatagram>();
    assert_auto::<std::os::unix::net::Incoming<'static>>();
    assert_auto::<UnixListener>();
    assert_auto::<UnixStream>();
    assert_auto::<UnixDatagram>();
    assert_auto::<Incoming<'static>>();

    assert_descriptor::<UnixListener>();
    assert_descriptor::<UnixStream>();
    assert_descriptor::<UnixDatagram>();

    assert_stream::<UnixStream>();
    assert_stream::<&UnixStream>();
    assert_iterator::<Incoming<'static>>();
    assert_iterable::<&'static UnixListener>();
};
