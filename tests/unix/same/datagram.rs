//! `UnixDatagram`: datagrams to and fro, peers, time-outs, mode. Where they go is in `addresses`.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::net::UnixDatagram;
use super::support::{Place, is_inherited, kind};
use super::{hosted, settle, thread};

const SHORT: Duration = Duration::from_millis(20);

fn pair() -> (UnixDatagram, UnixDatagram) {
    UnixDatagram::pair().unwrap()
}

fn bound() -> (UnixDatagram, Place) {
    let place = Place::new();
    (UnixDatagram::bind(&place).unwrap(), place)
}

#[test]
fn a_datagram_arrives_as_it_was_sent() {
    hosted(|| {
        let (one, other) = pair();
        assert_eq!(one.send(b"first").unwrap(), 5);
        assert_eq!(one.send(b"").unwrap(), 0);
        assert_eq!(one.send(b"third").unwrap(), 5);
        let mut buf = [0; 16];
        assert_eq!(other.recv(&mut buf).unwrap(), 5);
        assert_eq!(&buf[..5], b"first");
        assert_eq!(other.recv(&mut buf).unwrap(), 0);
        // What does not fit is lost.
        let (length, from) = other.recv_from(&mut buf[..2]).unwrap();
        assert!(length == 2 && from.is_unnamed());
        assert_eq!(&buf[..2], b"th");
        other.set_nonblocking(true).unwrap();
        assert_eq!(kind(other.recv(&mut buf)), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_receive_waits_for_a_datagram_also_into_no_room_at_all() {
    hosted(|| {
        let (one, other) = pair();
        let receiver = thread::spawn(move || {
            let mut buf = [0; 4];
            let first = one.recv_from(&mut buf).unwrap().0;
            let second = one.recv_from(&mut []).unwrap().0;
            (first, second, one.recv(&mut []).unwrap(), one.recv(&mut buf).unwrap())
        });
        settle();
        for text in [&b"a"[..], b"bc", b"def", b"ghij"] {
            other.send(text).unwrap();
            settle();
        }
        assert_eq!(receiver.join().unwrap(), (1, 0, 0, 4));
    });
}

#[test]
fn a_connected_socket_hears_its_peer_alone() {
    hosted(|| {
        let ((one, one_place), (other, other_place)) = (bound(), bound());
        let stranger = UnixDatagram::unbound().unwrap();
        assert_eq!(kind(one.peer_addr()), ErrorKind::NotConnected);
        assert_eq!(kind(one.send(b"to whom?")), ErrorKind::NotConnected);
        one.connect(&other_place).unwrap();
        other.connect_addr(&one.local_addr().unwrap()).unwrap();
        assert_eq!(one.peer_addr().unwrap().as_pathname(), Some(other_place.as_ref()));
        let refused = stranger.send_to(b"stranger", &one_place);
        assert_eq!(kind(refused), ErrorKind::PermissionDenied);
        assert_eq!(kind(stranger.connect(&one_place)), ErrorKind::PermissionDenied);
        other.send(b"peer").unwrap();
        let mut buf = [0; 16];
        assert_eq!(one.recv(&mut buf).unwrap(), 4);
        // Another peer instead.
        let (third, third_place) = bound();
        one.connect(&third_place).unwrap();
        one.send(b"third").unwrap();
        assert_eq!(third.recv(&mut buf).unwrap(), 5);
        assert_eq!(kind(other.send(b"peer")), ErrorKind::PermissionDenied);
    });
}

#[test]
fn a_peer_that_is_gone_refuses() {
    hosted(|| {
        let (one, other) = pair();
        drop(other);
        assert_eq!(kind(one.send(b"anybody?")), ErrorKind::ConnectionRefused);
        assert!(one.take_error().unwrap().is_none());
    });
}

#[test]
fn shutting_down_ends_what_waits_and_what_comes() {
    hosted(|| {
        let (one, other) = pair();
        let clone = one.try_clone().unwrap();
        let receiver = thread::spawn(move || clone.recv(&mut [0; 4]).unwrap());
        settle();
        one.shutdown(Shutdown::Both).unwrap();
        assert_eq!(receiver.join().unwrap(), 0);
        assert_eq!(one.recv_from(&mut [0; 4]).unwrap().0, 0);
        assert_eq!(kind(one.send(b"x")), ErrorKind::BrokenPipe);
        assert_eq!(kind(other.send(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn one_that_takes_too_long_would_block() {
    hosted(|| {
        let (one, other) = pair();
        assert_eq!(one.read_timeout().unwrap(), None);
        one.set_read_timeout(Some(SHORT)).unwrap();
        one.set_write_timeout(Some(2 * SHORT)).unwrap();
        assert_eq!(one.read_timeout().unwrap(), Some(SHORT));
        assert_eq!(one.write_timeout().unwrap(), Some(2 * SHORT));
        let zero = Some(Duration::ZERO);
        assert_eq!(kind(one.set_read_timeout(zero)), ErrorKind::InvalidInput);
        assert_eq!(kind(one.set_write_timeout(zero)), ErrorKind::InvalidInput);
        assert_eq!(kind(one.recv(&mut [0; 4])), ErrorKind::WouldBlock);
        assert_eq!(kind(one.recv_from(&mut [0; 4])), ErrorKind::WouldBlock);
        while one.send(b"x").is_ok() {}
        assert_eq!(kind(one.send(b"x")), ErrorKind::WouldBlock);
        other.send(b"late").unwrap();
        assert_eq!(one.recv(&mut [0; 4]).unwrap(), 4);
    });
}

#[test]
fn a_nonblocking_socket_answers_at_once() {
    hosted(|| {
        let (one, _other) = pair();
        one.set_nonblocking(true).unwrap();
        assert_eq!(kind(one.recv(&mut [0; 4])), ErrorKind::WouldBlock);
        assert_eq!(kind(one.recv_from(&mut [0; 4])), ErrorKind::WouldBlock);
        while one.send(b"x").is_ok() {}
        assert_eq!(kind(one.send(b"x")), ErrorKind::WouldBlock);
    });
}

#[test]
fn clones_are_the_same_socket() {
    hosted(|| {
        let (one, place) = bound();
        let clone = one.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), one.as_raw_fd());
        assert!(!is_inherited(&one) && !is_inherited(&clone));
        let receiver = thread::spawn(move || clone.recv(&mut [0; 8]).unwrap());
        settle();
        one.send_to(b"itself", &place).unwrap();
        assert_eq!(receiver.join().unwrap(), 6);
    });
}
