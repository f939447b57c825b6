//! Addresses: none, paths, abstract names, and what is none of these.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::path::Path;

use socket2::{SockAddr, Type};

use super::hosted;
use super::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use super::support::{Place, kind};

/// An abstract name that nobody else has.
fn name() -> SocketAddr {
    let name = Place::new();
    SocketAddr::from_abstract_name(name.as_ref().as_os_str().as_encoded_bytes()).unwrap()
}

fn unnamed() -> SocketAddr {
    SocketAddr::from_pathname("").unwrap()
}

/// `SocketAddr` cannot be compared; it prints all that it is.
#[track_caller]
fn assert_same(one: &SocketAddr, other: &SocketAddr) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn a_listener_is_found_by_its_path() {
    hosted(|| {
        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(place.as_ref()));
        let client = UnixStream::connect(&place).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert!(peer.is_unnamed() && client.local_addr().unwrap().is_unnamed());
        assert!(server.peer_addr().unwrap().is_unnamed());
        assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(place.as_ref()));
        assert_eq!(server.local_addr().unwrap().as_pathname(), Some(place.as_ref()));
    });
}

#[test]
fn a_listener_is_found_by_its_abstract_name() {
    hosted(|| {
        let name = name();
        let listener = UnixListener::bind_addr(&name).unwrap();
        assert_same(&listener.local_addr().unwrap(), &name);
        let client = UnixStream::connect_addr(&name).unwrap();
        assert_same(&client.peer_addr().unwrap(), &name);
        assert!(listener.accept().unwrap().1.is_unnamed());
        assert_eq!(kind(UnixListener::bind_addr(&name)), ErrorKind::AddrInUse);
    });
}

#[test]
fn datagrams_tell_whom_they_are_from() {
    hosted(|| {
        let (place, name) = (Place::new(), name());
        let path = UnixDatagram::bind(&place).unwrap();
        let named = UnixDatagram::bind_addr(&name).unwrap();
        let nobody = UnixDatagram::unbound().unwrap();
        assert_eq!(named.send_to(b"named", &place).unwrap(), 5);
        assert_eq!(nobody.send_to(b"nobody", &place).unwrap(), 6);
        assert_eq!(path.send_to_addr(b"path", &name).unwrap(), 4);
        let mut buf = [0; 8];
        let (length, from) = path.recv_from(&mut buf).unwrap();
        assert_eq!(&buf[..length], b"named");
        assert_same(&from, &name);
        let (length, from) = path.recv_from(&mut buf).unwrap();
        assert_eq!(&buf[..length], b"nobody");
        assert!(from.is_unnamed());
        let (length, from) = named.recv_from(&mut buf).unwrap();
        assert_eq!(&buf[..length], b"path");
        assert_eq!(from.as_pathname(), Some(place.as_ref()));
    });
}

#[test]
fn accept_tells_the_address_of_a_client_that_has_one() {
    hosted(|| {
        let (place, other) = (Place::new(), Place::new());
        let listener = UnixListener::bind(&place).unwrap();
        let client = socket2::Socket::new(socket2::Domain::UNIX, Type::STREAM, None).unwrap();
        client.bind(&SockAddr::unix(&other).unwrap()).unwrap();
        client.connect(&SockAddr::unix(&place).unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!(peer.as_pathname(), Some(other.as_ref()));
        assert_same(&server.peer_addr().unwrap(), &peer);
    });
}

#[test]
fn the_kernel_finds_a_name_for_one_who_has_none() {
    hosted(|| {
        let listener = UnixListener::bind("").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(address.as_abstract_name().is_some());
        UnixStream::connect_addr(&address).unwrap();
        let socket = UnixDatagram::bind_addr(&unnamed()).unwrap();
        assert!(socket.local_addr().unwrap().as_abstract_name().is_some());
        // Nobody else has none.
        assert_eq!(kind(UnixStream::connect("")), ErrorKind::InvalidInput);
        assert_eq!(kind(socket.connect_addr(&unnamed())), ErrorKind::InvalidInput);
        assert_eq!(kind(socket.send_to(b"x", "")), ErrorKind::InvalidInput);
    });
}

#[test]
fn the_longest_names_work() {
    hosted(|| {
        let mut name = name().as_abstract_name().unwrap().to_vec();
        // Zeros are bytes like others there.
        name.resize(107, 0);
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _listener = UnixListener::bind_addr(&address).unwrap();
        let peer = UnixStream::connect_addr(&address).unwrap().peer_addr().unwrap();
        assert_eq!(peer.as_abstract_name(), Some(&name[..]));

        // The folder as it is, and as long as a path may be.
        let folder = std::env::temp_dir().into_os_string().into_string().unwrap();
        let file = format!("bt-{}-{:?}", std::process::id(), std::thread::current().id());
        let path = format!("{}/{file:x>1$}", folder, 107 - folder.len() - 1);
        assert_eq!(path.len(), 107);
        let listener = UnixListener::bind(&path).unwrap();
        let client = UnixStream::connect(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(Path::new(&path)));
        assert_eq!(client.unwrap().peer_addr().unwrap().as_pathname(), Some(Path::new(&path)));
    });
}

/// Checks that std says the same.
#[track_caller]
fn refused<T: Debug>(result: io::Result<T>, path: &str) {
    let (ours, theirs) = (result.unwrap_err(), SocketAddr::from_pathname(path).unwrap_err());
    assert_eq!(ours.kind(), ErrorKind::InvalidInput);
    assert_eq!(ours.to_string(), theirs.to_string());
}

#[test]
fn what_is_no_path_of_a_socket_is_refused() {
    hosted(|| {
        let socket = UnixDatagram::unbound().unwrap();
        for path in ["zero\0byte", "\0zero", &"long".repeat(27)] {
            refused(UnixListener::bind(path), path);
            refused(UnixStream::connect(path), path);
            refused(UnixDatagram::bind(path), path);
            refused(socket.connect(path), path);
            refused(socket.send_to(b"x", path), path);
        }
    });
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    hosted(|| {
        let place = Place::new();
        let socket = UnixDatagram::unbound().unwrap();
        assert_eq!(kind(UnixStream::connect(&place)), ErrorKind::NotFound);
        assert_eq!(kind(socket.connect(&place)), ErrorKind::NotFound);
        assert_eq!(kind(socket.send_to(b"x", &place)), ErrorKind::NotFound);
        let below = place.as_ref().join("below");
        assert_eq!(kind(UnixListener::bind(&below)), ErrorKind::NotFound);
        assert_eq!(kind(UnixDatagram::bind(&below)), ErrorKind::NotFound);

        // The file stays behind, with nobody there.
        drop(UnixListener::bind(&place).unwrap());
        assert_eq!(kind(UnixStream::connect(&place)), ErrorKind::ConnectionRefused);
        assert_eq!(kind(UnixListener::bind(&place)), ErrorKind::AddrInUse);
        assert_eq!(kind(UnixDatagram::bind(&place)), ErrorKind::AddrInUse);
        assert_eq!(kind(socket.connect(&place)), ErrorKind::ConnectionRefused);
        assert_eq!(kind(socket.send_to(b"x", &place)), ErrorKind::ConnectionRefused);
        place.clear();
        UnixListener::bind(&place).unwrap();
    });
}

#[test]
fn streams_and_datagrams_do_not_meet() {
    hosted(|| {
        let (streams, datagrams) = (Place::new(), Place::new());
        let _listener = UnixListener::bind(&streams).unwrap();
        let socket = UnixDatagram::bind(&datagrams).unwrap();
        let wrong = Some(libc::EPROTOTYPE);
        let error = |result: io::Result<()>| result.unwrap_err().raw_os_error();
        assert_eq!(error(socket.connect(&streams)), wrong);
        assert_eq!(error(socket.send_to(b"x", &streams).map(drop)), wrong);
        assert_eq!(error(UnixStream::connect(&datagrams).map(drop)), wrong);
    });
}

#[test]
fn a_descriptor_of_another_family_has_no_address() {
    hosted(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = UnixListener::from(OwnedFd::from(listener));
        let text = "file descriptor did not correspond to a Unix socket";
        let _client = std::net::TcpStream::connect(address).unwrap();
        let errors = [listener.local_addr().unwrap_err(), listener.accept().unwrap_err()];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), text);
        }
    });
}
