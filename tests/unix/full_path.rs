//! A path that fills an address to its last byte, which std lets nobody bind to.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, OwnedFd};

use betterthreads::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::support::{Place, hosted};

/// A socket that is bound to such a path, and the path.
fn bound(kind: Type) -> (Socket, String) {
    let place = Place::new();
    let short = place.as_ref().to_str().unwrap();
    let path = format!("{short:x<108}");
    // SAFETY: all bytes zero are an address.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as u16;
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = from as libc::c_char;
    }
    let socket = Socket::new(Domain::UNIX, kind, None).unwrap();
    let length = size_of_val(&address) as u32;
    // SAFETY: the pointer and the length describe `address`, which outlives the call.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    (socket, path)
}

#[test]
fn whoever_is_bound_to_it_counts_as_unnamed() {
    hosted(10, || {
        let (listener, path) = bound(Type::STREAM);
        std::fs::remove_file(path).unwrap();
        listener.listen(1).unwrap();
        let listener = UnixListener::from(OwnedFd::from(listener));
        assert!(listener.local_addr().unwrap().is_unnamed());

        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        let (client, path) = bound(Type::STREAM);
        std::fs::remove_file(path).unwrap();
        client.connect(&SockAddr::unix(&place).unwrap()).unwrap();
        assert!(listener.accept().unwrap().1.is_unnamed());
        let client = UnixStream::from(OwnedFd::from(client));
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(place.as_ref()));
    });
}

#[test]
fn its_datagrams_arrive() {
    hosted(10, || {
        let place = Place::new();
        let receiver = UnixDatagram::bind(&place).unwrap();
        let (sender, path) = bound(Type::DGRAM);
        std::fs::remove_file(path).unwrap();
        let sender = UnixDatagram::from(OwnedFd::from(sender));
        sender.send_to(b"hello", &place).unwrap();
        let (length, from) = receiver.recv_from(&mut [0; 8]).unwrap();
        assert!(length == 5 && from.is_unnamed());
    });
}
