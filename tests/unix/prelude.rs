//! The paths of `os` that only lead to std's own items.

use std::fs::File;

use betterthreads::os::fd::{AsFd as _, BorrowedFd};
use betterthreads::os::linux::net::SocketAddrExt as _;
use betterthreads::os::unix::net::{SocketAddr, UnixStream};
use betterthreads::os::unix::{ffi, fs};
use betterthreads::os::{raw, unix};

#[test]
fn the_prelude_has_the_traits_of_files_and_descriptors() {
    use unix::prelude::*;

    let file = File::open("/proc/self/exe").unwrap();
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).unwrap();
    assert_eq!(&magic, b"\x7fELF");
    assert!(file.metadata().unwrap().nlink() > 0);
    let (stream, _other) = UnixStream::pair().unwrap();
    let number: RawFd = stream.as_raw_fd();
    let owned: OwnedFd = stream.into();
    assert_eq!(owned.as_raw_fd(), number);
    assert_eq!(std::ffi::OsStr::from_bytes(b"name"), "name");
}

#[test]
fn the_same_items_stand_at_several_paths() {
    fn number(fd: BorrowedFd<'_>) -> raw::c_int {
        unix::io::AsRawFd::as_raw_fd(&fd)
    }
    let (stream, _other) = UnixStream::pair().unwrap();
    assert!(number(stream.as_fd()) >= 0);
    assert!(ffi::OsStrExt::as_bytes(std::ffi::OsStr::new("x")) == b"x");
    assert!(fs::symlink("x", "").is_err());
    let address = SocketAddr::from_abstract_name("name").unwrap();
    assert_eq!(address.as_abstract_name(), Some(&b"name"[..]));
}
