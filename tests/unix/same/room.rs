//! Calls that wait for room with somebody else: in the queue of a listener, of a receiver.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::net::{UnixDatagram, UnixListener, UnixStream};
use super::support::{Place, full_unix_listener, kind};
use super::{hosted, thread};

const SHORT: Duration = Duration::from_millis(20);

/// Lets those who were spawned find that there is no room.
fn let_them_wait() {
    thread::sleep(SHORT / 4); // real time: the kernel has nothing to say about it
}

#[test]
fn connections_wait_for_room_in_the_queue() {
    hosted(|| {
        let place = Place::new();
        let (listener, first) = full_unix_listener(&place);
        let listener = UnixListener::from(OwnedFd::from(listener));
        let path = place.as_ref().to_owned();
        let clients: Vec<_> = (1..4)
            .map(|number| {
                let path = path.clone();
                thread::spawn(move || {
                    UnixStream::connect(path).unwrap().write_all(&[number]).unwrap();
                })
            })
            .collect();
        let_them_wait();
        drop(first);
        let mut bytes = Vec::new();
        for _ in 0..4 {
            listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        }
        for client in clients {
            client.join().unwrap();
        }
        bytes.sort_unstable();
        assert_eq!(bytes, [1, 2, 3]);
        listener.set_nonblocking(true).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_connection_that_waits_is_refused_when_the_listener_goes() {
    hosted(|| {
        let place = Place::new();
        let (listener, first) = full_unix_listener(&place);
        let path = place.as_ref().to_owned();
        let client = thread::spawn(move || kind(UnixStream::connect(path)));
        let_them_wait();
        drop((listener, first));
        assert_eq!(client.join().unwrap(), ErrorKind::ConnectionRefused);
    });
}

/// A receiver that has no room, and how much it has.
fn full_receiver() -> (UnixDatagram, Place, usize) {
    let place = Place::new();
    let receiver = UnixDatagram::bind(&place).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    let count = (0..).take_while(|_| sender.send_to(b"fill", &place).is_ok()).count();
    assert_eq!(kind(sender.send_to(b"fill", &place)), ErrorKind::WouldBlock);
    assert_eq!(
        kind(sender.send_to_addr(b"x", &receiver.local_addr().unwrap())),
        ErrorKind::WouldBlock
    );
    (receiver, place, count)
}

/// Sends with `send` to a receiver that makes room when it is waited for.
fn assert_waits(send: fn(&UnixDatagram, &Place) -> usize) {
    hosted(move || {
        let (receiver, place, count) = full_receiver();
        let sender = thread::spawn(move || {
            let socket = UnixDatagram::unbound().unwrap();
            (0..3).map(|_| send(&socket, &place)).sum::<usize>()
        });
        let_them_wait();
        let mut buf = [0; 8];
        for _ in 0..count {
            assert_eq!(receiver.recv(&mut buf).unwrap(), 4);
        }
        for _ in 0..3 {
            assert_eq!(receiver.recv(&mut buf).unwrap(), 5);
        }
        assert_eq!(sender.join().unwrap(), 15);
    });
}

#[test]
fn a_datagram_to_a_path_waits_for_room() {
    assert_waits(|socket, place| socket.send_to(b"later", place).unwrap());
}

#[test]
fn a_datagram_to_the_peer_waits_for_room() {
    assert_waits(|socket, place| {
        socket.connect(place).unwrap();
        socket.send(b"later").unwrap()
    });
}

#[test]
fn a_datagram_to_somebody_else_than_the_peer_waits_for_room() {
    assert_waits(|socket, place| {
        let peer = Place::new();
        let _peer = UnixDatagram::bind(&peer).unwrap();
        socket.connect(&peer).unwrap();
        socket.send_to(b"later", place).unwrap()
    });
}

#[test]
fn a_slow_receiver_slows_the_sender_of_its_pair_down() {
    hosted(|| {
        const MANY: u32 = 3000;
        let (here, there) = UnixDatagram::pair().unwrap();
        let sender = thread::spawn(move || {
            for number in 0..MANY {
                there.send(&number.to_ne_bytes()).unwrap();
            }
        });
        let_them_wait();
        let mut buf = [0; 4];
        for number in 0..MANY {
            here.recv(&mut buf).unwrap();
            assert_eq!(u32::from_ne_bytes(buf), number);
        }
        sender.join().unwrap();
    });
}

#[test]
fn a_datagram_that_finds_no_room_in_time_would_block() {
    hosted(|| {
        let (receiver, place, count) = full_receiver();
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_write_timeout(Some(SHORT)).unwrap();
        assert_eq!(kind(sender.send_to(b"late", &place)), ErrorKind::WouldBlock);
        sender.connect(&place).unwrap();
        assert_eq!(kind(sender.send(b"late")), ErrorKind::WouldBlock);
        receiver.set_nonblocking(true).unwrap();
        let received = (0..).take_while(|_| receiver.recv(&mut [0; 8]).is_ok()).count();
        assert_eq!(received, count);
        assert_eq!(sender.send(b"again").unwrap(), 5);
    });
}

#[test]
fn another_peer_may_have_room() {
    hosted(|| {
        let (_receiver, place, _) = full_receiver();
        let sender = UnixDatagram::unbound().unwrap();
        sender.connect(&place).unwrap();
        sender.set_write_timeout(Some(SHORT)).unwrap();
        assert_eq!(kind(sender.send(b"late")), ErrorKind::WouldBlock);
        sender.set_write_timeout(None).unwrap();
        let other = Place::new();
        let receiver = UnixDatagram::bind(&other).unwrap();
        sender.connect(&other).unwrap();
        assert_eq!(sender.send(b"in time").unwrap(), 7);
        assert_eq!(receiver.recv(&mut [0; 8]).unwrap(), 7);
    });
}

#[test]
fn a_receiver_that_goes_refuses_those_who_wait() {
    hosted(|| {
        let (receiver, place, _) = full_receiver();
        let (connected, unconnected) =
            (UnixDatagram::unbound().unwrap(), UnixDatagram::unbound().unwrap());
        connected.connect(&place).unwrap();
        let senders = [
            thread::spawn(move || kind(connected.send(b"late"))),
            thread::spawn(move || kind(unconnected.send_to(b"late", &place))),
        ];
        let_them_wait();
        drop(receiver);
        for sender in senders {
            assert_eq!(sender.join().unwrap(), ErrorKind::ConnectionRefused);
        }
    });
}
