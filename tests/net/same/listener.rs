//! `TcpListener`: bind, accept, incoming, clones, options.

use std::io::{ErrorKind, Read, Write};
use std::iter::FusedIterator;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use super::net::{TcpListener, TcpStream};
use super::support::kind;
use super::{EARLY, hosted, settle, thread};

fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn port_zero_asks_for_a_free_port() {
    hosted(|| {
        let (one, other) = (any_port(), any_port());
        let (one, other) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        assert_eq!(one.ip(), Ipv4Addr::LOCALHOST);
        assert_ne!(one.port(), 0);
        assert_ne!(one.port(), other.port());
    });
}

#[test]
fn bind_takes_the_first_address_that_it_can() {
    hosted(|| {
        let taken = any_port();
        let addresses = [taken.local_addr().unwrap(), SocketAddr::from(([127, 0, 0, 1], 0))];
        let listener = TcpListener::bind(&addresses[..]).unwrap();
        assert_ne!(listener.local_addr().unwrap(), addresses[0]);
    });
}

#[test]
fn bind_fails_with_the_error_of_the_last_address() {
    hosted(|| {
        let keep = any_port();
        let taken = keep.local_addr().unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 0));
        let addresses = [elsewhere, taken];
        assert_eq!(kind(TcpListener::bind(&addresses[..])), ErrorKind::AddrInUse);
        let addresses = [taken, elsewhere];
        assert_eq!(kind(TcpListener::bind(&addresses[..])), ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn no_address_is_invalid_input() {
    hosted(|| {
        let none: &[SocketAddr] = &[];
        let error = TcpListener::bind(none).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let std_error = std::net::TcpListener::bind(none).unwrap_err();
        assert_eq!(error.to_string(), std_error.to_string());
    });
}

#[test]
fn a_port_can_be_bound_again_after_its_connections_are_closed() {
    hosted(|| {
        // On an address of its own, so that no other test is given the port.
        let listener = TcpListener::bind("127.0.0.3:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        // Closed on this side first, so that TIME_WAIT is this side's.
        drop(listener.accept().unwrap());
        drop((listener, client));
        TcpListener::bind(address).unwrap();
    });
}

#[test]
fn accept_tells_the_address_of_the_peer() {
    hosted(|| {
        let listener = any_port();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || TcpStream::connect(address).unwrap());
        let (server, peer) = listener.accept().unwrap();
        let client = client.join().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(server.peer_addr().unwrap(), peer);
        assert_eq!(server.local_addr().unwrap(), address);
        assert_eq!(client.peer_addr().unwrap(), address);
    });
}

#[test]
fn ipv6_works_where_the_system_has_it() {
    hosted(|| {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            return;
        };
        let address = listener.local_addr().unwrap();
        assert!(address.is_ipv6());
        let client = TcpStream::connect(address).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn incoming_yields_one_connection_after_the_other() {
    hosted(|| {
        let listener = any_port();
        let address = listener.local_addr().unwrap();
        let client = thread::spawn(move || {
            for number in 0..5 {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(&[number]).unwrap();
            }
        });
        let mut incoming = listener.incoming();
        for number in 0..5 {
            let mut bytes = Vec::new();
            let mut stream = incoming.next().unwrap().unwrap();
            stream.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, [number]);
        }
        client.join().unwrap();
    });
}

#[test]
fn incoming_never_ends_and_can_be_printed() {
    fn assert_fused(_: &impl FusedIterator) {}
    hosted(|| {
        let listener = any_port();
        let incoming = listener.incoming();
        assert_fused(&incoming);
        assert_eq!(format!("{incoming:?}"), format!("Incoming {{ listener: {listener:?} }}"));
    });
}

#[test]
fn incoming_goes_on_after_an_error() {
    hosted(|| {
        let listener = any_port();
        listener.set_nonblocking(true).unwrap();
        let mut incoming = listener.incoming();
        for _ in 0..3 {
            let error = incoming.next().unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
        listener.set_nonblocking(false).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = incoming.next().unwrap().unwrap();
        assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    });
}

#[test]
fn a_nonblocking_listener_answers_at_once() {
    hosted(|| {
        let listener = any_port();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        let client = TcpStream::connect(address).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);

        listener.set_nonblocking(false).unwrap();
        let client = thread::spawn(move || TcpStream::connect(address).unwrap());
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.join().unwrap().local_addr().unwrap());
    });
}

#[test]
fn a_connection_does_not_inherit_the_mode_of_the_listener() {
    hosted(|| {
        let listener = any_port();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let limit = Duration::from_millis(40);
        server.set_read_timeout(Some(limit)).unwrap();
        let start = Instant::now();
        assert_eq!(kind(server.read(&mut [0])), ErrorKind::WouldBlock);
        assert!(start.elapsed() + EARLY >= limit);
    });
}

#[test]
fn clones_share_the_queue_and_the_mode() {
    hosted(|| {
        let listener = any_port();
        let address = listener.local_addr().unwrap();
        let clone = listener.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), listener.as_raw_fd());
        assert_eq!(clone.local_addr().unwrap(), address);
        clone.set_nonblocking(true).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        listener.set_nonblocking(false).unwrap();

        let acceptor = thread::spawn(move || clone.accept().unwrap().1);
        settle();
        drop(listener);
        let client = TcpStream::connect(address).unwrap();
        assert_eq!(acceptor.join().unwrap(), client.local_addr().unwrap());
    });
}

#[test]
fn its_options_can_be_set_and_read() {
    hosted(|| {
        let listener = any_port();
        listener.set_ttl(42).unwrap();
        assert_eq!(listener.ttl().unwrap(), 42);
        assert!(listener.take_error().unwrap().is_none());
    });
}

#[test]
fn it_prints_as_in_std() {
    hosted(|| {
        let listener = any_port();
        let (address, fd) = (listener.local_addr().unwrap(), listener.as_raw_fd());
        assert_eq!(format!("{listener:?}"), format!("TcpListener {{ addr: {address}, fd: {fd} }}"));
    });
}
