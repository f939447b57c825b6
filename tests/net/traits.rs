//! What the types promise to the compiler: the same as std's.

use std::fmt::Debug;
use std::io::{Read, Write};
use std::iter::FusedIterator;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::panic::{RefUnwindSafe, UnwindSafe};

use betterthreads::net::{Incoming, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

const fn assert_auto<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

const fn assert_descriptor<T>()
where
    T: AsFd + AsRawFd + FromRawFd + IntoRawFd + From<OwnedFd> + Into<OwnedFd> + Debug,
{
}

const fn assert_stream<T: Read + Write>() {}

const fn assert_iterator<T: FusedIterator + Debug>() {}

const fn assert_address<T: ToSocketAddrs + ?Sized>() {}

const _: () = {
    assert_auto::<std::net::TcpListener>();
    assert_auto::<std::net::TcpStream>();
    assert_auto::<std::net::Incoming<'static>>();
    assert_auto::<TcpListener>();
    assert_auto::<TcpStream>();
    assert_auto::<UdpSocket>();
    assert_auto::<Incoming<'static>>();

    assert_descriptor::<std::net::TcpListener>();
    assert_descriptor::<std::net::TcpStream>();
    assert_descriptor::<TcpListener>();
    assert_descriptor::<TcpStream>();
    assert_descriptor::<UdpSocket>();

    assert_stream::<TcpStream>();
    assert_stream::<&TcpStream>();
    assert_iterator::<Incoming<'static>>();

    assert_address::<str>();
    assert_address::<String>();
    assert_address::<&str>();
    assert_address::<&[std::net::SocketAddr]>();
};
