//! How the sockets print: as std's do, down to the types inside of those.

use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::net::SocketAddr;

#[derive(Debug)]
#[expect(dead_code, reason = "they are only printed")]
struct FileDesc(OwnedFd);

#[derive(Debug)]
#[expect(dead_code, reason = "they are only printed")]
struct OwnedFd {
    fd: RawFd,
}

/// Prints a socket with the addresses that it has.
pub(super) fn print(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    fd: RawFd,
    addresses: impl IntoIterator<Item = (&'static str, io::Result<SocketAddr>)>,
) -> fmt::Result {
    let mut debug = f.debug_struct(name);
    debug.field("fd", &FileDesc(OwnedFd { fd }));
    for (field, address) in addresses {
        if let Ok(address) = address {
            debug.field(field, &address);
        }
    }
    debug.finish()
}
