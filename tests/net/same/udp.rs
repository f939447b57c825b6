//! `UdpSocket`: datagrams to and fro, peers, peeks, time-outs, options.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::net::UdpSocket;
use super::support::kind;
use super::{EARLY, hosted, settle, thread};

const LOOPBACK: &str = "127.0.0.1:0";

fn bound() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(LOOPBACK).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Two sockets that are each other's peers.
fn peers() -> (UdpSocket, UdpSocket) {
    let ((one, one_address), (other, other_address)) = (bound(), bound());
    one.connect(other_address).unwrap();
    other.connect(one_address).unwrap();
    (one, other)
}

#[test]
fn a_datagram_arrives_as_it_was_sent_with_the_address_of_its_sender() {
    hosted(|| {
        let ((one, one_address), (other, other_address)) = (bound(), bound());
        assert_eq!(one.send_to(b"first", other_address).unwrap(), 5);
        assert_eq!(one.send_to(b"", other_address).unwrap(), 0);
        assert_eq!(one.send_to(b"third", &[other_address][..]).unwrap(), 5);
        let mut buf = [0; 16];
        assert_eq!(other.recv_from(&mut buf).unwrap(), (5, one_address));
        assert_eq!(&buf[..5], b"first");
        assert_eq!(other.recv_from(&mut buf).unwrap(), (0, one_address));
        // What does not fit is lost.
        assert_eq!(other.recv_from(&mut buf[..2]).unwrap(), (2, one_address));
        assert_eq!(&buf[..2], b"th");
        let none: &[SocketAddr] = &[];
        assert_eq!(kind(one.send_to(b"nowhere", none)), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_receive_waits_for_a_datagram_also_into_no_room_at_all() {
    hosted(|| {
        let ((one, address), (other, _)) = (bound(), bound());
        let receiver = thread::spawn(move || {
            let mut buf = [0; 4];
            let length = one.recv_from(&mut buf).unwrap().0;
            (length, one.recv_from(&mut []).unwrap().0, one.recv(&mut buf).unwrap())
        });
        settle();
        for text in [&b"a"[..], b"bc", b"def"] {
            other.send_to(text, address).unwrap();
            settle();
        }
        assert_eq!(receiver.join().unwrap(), (1, 0, 3));
    });
}

#[test]
fn a_peek_leaves_the_datagram_where_it_is() {
    hosted(|| {
        let (one, other) = peers();
        one.send(b"whole").unwrap();
        let mut buf = [0; 16];
        assert_eq!(other.peek(&mut buf[..3]).unwrap(), 3);
        let (length, from) = other.peek_from(&mut buf).unwrap();
        assert_eq!((length, from), (5, one.local_addr().unwrap()));
        assert_eq!(other.recv(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"whole");
    });
}

#[test]
fn a_connected_socket_hears_its_peer_alone() {
    hosted(|| {
        let (one, other) = peers();
        let (stranger, _) = bound();
        assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
        assert_eq!(kind(stranger.peer_addr()), ErrorKind::NotConnected);
        stranger.send_to(b"stranger", one.local_addr().unwrap()).unwrap();
        other.send(b"peer").unwrap();
        let mut buf = [0; 16];
        assert_eq!(one.recv(&mut buf).unwrap(), 4);
        assert_eq!(&buf[..4], b"peer");
        let unconnected = stranger.send(b"to whom?").unwrap_err();
        assert_eq!(unconnected.raw_os_error(), Some(libc::EDESTADDRREQ));
    });
}

#[test]
fn what_was_sent_to_nobody_is_refused_later() {
    hosted(|| {
        let ((one, _), (gone, address)) = (bound(), bound());
        drop(gone);
        one.connect(address).unwrap();
        one.send(b"anybody?").unwrap();
        assert_eq!(kind(one.recv(&mut [0; 4])), ErrorKind::ConnectionRefused);
        assert!(one.take_error().unwrap().is_none());
    });
}

#[test]
fn a_receive_that_takes_too_long_would_block() {
    hosted(|| {
        const LIMIT: Duration = Duration::from_millis(20);
        let (one, _) = bound();
        assert_eq!(one.read_timeout().unwrap(), None);
        one.set_read_timeout(Some(LIMIT)).unwrap();
        one.set_write_timeout(Some(LIMIT)).unwrap();
        assert_eq!(one.read_timeout().unwrap(), Some(LIMIT));
        assert_eq!(one.write_timeout().unwrap(), Some(LIMIT));
        let begin = Instant::now();
        assert_eq!(kind(one.recv_from(&mut [0; 4])), ErrorKind::WouldBlock);
        assert!(begin.elapsed() + EARLY >= LIMIT);
        assert_eq!(kind(one.set_read_timeout(Some(Duration::ZERO))), ErrorKind::InvalidInput);
        one.set_read_timeout(None).unwrap();
        one.set_nonblocking(true).unwrap();
        assert_eq!(kind(one.recv_from(&mut [0; 4])), ErrorKind::WouldBlock);
    });
}

#[test]
fn clones_are_the_same_socket() {
    hosted(|| {
        let (one, address) = bound();
        let clone = one.try_clone().unwrap();
        assert_eq!(clone.local_addr().unwrap(), address);
        let receiver = thread::spawn(move || clone.recv(&mut [0; 8]).unwrap());
        settle();
        one.send_to(b"itself", address).unwrap();
        assert_eq!(receiver.join().unwrap(), 6);
    });
}

#[test]
fn options_are_what_they_were_set_to() {
    hosted(|| {
        let (socket, _) = bound();
        assert!(!socket.broadcast().unwrap());
        socket.set_broadcast(true).unwrap();
        assert!(socket.broadcast().unwrap());
        socket.set_ttl(42).unwrap();
        assert_eq!(socket.ttl().unwrap(), 42);
        socket.set_multicast_ttl_v4(3).unwrap();
        assert_eq!(socket.multicast_ttl_v4().unwrap(), 3);
        socket.set_multicast_loop_v4(false).unwrap();
        assert!(!socket.multicast_loop_v4().unwrap());
        let unspecified = Ipv4Addr::UNSPECIFIED;
        assert_eq!(
            kind(socket.join_multicast_v4(&unspecified, &unspecified)),
            ErrorKind::InvalidInput
        );
        let (group, loopback) = (Ipv4Addr::new(239, 1, 2, 3), Ipv4Addr::LOCALHOST);
        assert_eq!(kind(socket.leave_multicast_v4(&group, &loopback)), ErrorKind::AddrNotAvailable);
        let text = format!("{socket:?}");
        assert!(text.starts_with("UdpSocket { addr: 127.0.0.1:"), "{text}");
    });
}

#[test]
fn a_socket_of_six_can_be_asked_about_multicast() {
    hosted(|| {
        let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
        socket.set_multicast_loop_v6(false).unwrap();
        assert!(!socket.multicast_loop_v6().unwrap());
        let group = "ff02::123".parse().unwrap();
        assert_eq!(kind(socket.leave_multicast_v6(&group, 0)), ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn binding_fails_with_the_error_of_the_last_address() {
    hosted(|| {
        let (_taken, address) = bound();
        assert_eq!(kind(UdpSocket::bind(address)), ErrorKind::AddrInUse);
        let foreign: SocketAddr = "192.0.2.1:0".parse().unwrap();
        assert_eq!(kind(UdpSocket::bind(&[address, foreign][..])), ErrorKind::AddrNotAvailable);
    });
}
