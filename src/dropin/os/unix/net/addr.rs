//! Addresses on their way from std to the kernel and back.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;

use socket2::SockAddr;

/// The address as the kernel takes it.
///
/// # Errors
///
/// `InvalidInput` for a path that is too long, which std makes no address of.
pub(super) fn to_kernel(address: &SocketAddr) -> io::Result<SockAddr> {
    match (address.as_pathname(), address.as_abstract_name()) {
        (Some(path), _) => SockAddr::unix(path),
        (None, Some(name)) => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat())),
        (None, None) => SockAddr::unix(""),
    }
}

/// The address that std has for that of the kernel. The sender of a datagram has none at all if it
/// is unnamed.
///
/// # Errors
///
/// `InvalidInput` for one of another family.
pub(super) fn from_kernel(address: &SockAddr) -> io::Result<SocketAddr> {
    if address.len() > 0 && !address.is_unix() {
        let text = "file descriptor did not correspond to a Unix socket";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    if let Some(name) = address.as_abstract_namespace() {
        return SocketAddr::from_abstract_name(name);
    }
    match address.as_pathname() {
        Some(path) => SocketAddr::from_pathname(path).or_else(|_| unnamed()),
        None => unnamed(),
    }
}

/// The address of those who have none.
pub(super) fn unnamed() -> io::Result<SocketAddr> {
    SocketAddr::from_pathname("")
}
