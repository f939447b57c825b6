//! The same for Unix sockets, and for calls that the kernel does not tell when to go on.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

use betterthreads::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use betterthreads::spawn;

use crate::interrupted::{assert_raises, each_way, interrupt};
use crate::support::{Place, alone, full_unix_listener, meanwhile, open_fds, pattern, settle};

#[test]
fn the_next_acceptor_gets_the_connection() {
    each_way(|how| {
        let place = Place::new();
        let listener = Rc::new(UnixListener::bind(&place).unwrap());
        let killed = listener.clone();
        interrupt(how, move || drop(killed.accept()));
        let mut client = std::os::unix::net::UnixStream::connect(&place).unwrap();
        client.write_all(b"hello").unwrap();
        drop(client);
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    });
}

#[test]
fn the_place_of_an_acceptor_can_be_taken_again() {
    each_way(|how| {
        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        let before = open_fds();
        interrupt(how, move || drop(listener.accept()));
        assert_eq!(open_fds(), before - 1);
        assert!(UnixStream::connect(&place).is_err());
        place.clear();
        UnixListener::bind(&place).unwrap();
    });
}

#[test]
fn a_connection_attempt_leaves_no_trace() {
    each_way(|how| {
        let place = Place::new();
        let (listener, _first) = full_unix_listener(&place);
        let (path, before) = (place.as_ref().to_owned(), open_fds());
        interrupt(how, move || drop(UnixStream::connect(path)));
        assert_eq!(open_fds(), before);
        listener.accept().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "the attempt came through");
        // There is room again, for the next in line.
        let _client = UnixStream::connect(&place).unwrap();
        listener.accept().unwrap();
    });
}

#[test]
fn a_connection_attempt_waits_without_keeping_others_from_their_work() {
    alone(20, || {
        let place = Place::new();
        let (listener, _first) = full_unix_listener(&place);
        let path = place.as_ref().to_owned();
        let client = spawn(move || drop(UnixStream::connect(path).unwrap()));
        for _ in 0..10 {
            betterthreads::sleep(0.001);
        }
        assert!(!client.dead());
        meanwhile(|| listener.accept().unwrap());
        client.get().unwrap();
    });
}

#[test]
fn the_next_reader_gets_every_byte() {
    each_way(|how| {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let stream = Rc::new(stream);
        let killed = stream.clone();
        interrupt(how, move || drop((&*killed).read(&mut [0; 64])));
        peer.write_all(b"everything").unwrap();
        let mut buf = [0; 64];
        assert_eq!((&*stream).read(&mut buf).unwrap(), 10);
        assert_eq!(&buf[..10], b"everything");
    });
}

#[test]
fn what_a_writer_was_told_is_sent_and_no_more() {
    each_way(|how| {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let before = open_fds();
        let sent = Rc::new(Cell::new(0));
        let count = sent.clone();
        interrupt(how, move || {
            loop {
                let block: Vec<u8> = (0..10_000).map(|at| pattern(count.get() + at)).collect();
                count.set(count.get() + (&stream).write(&block).unwrap());
            }
        });
        assert_eq!(open_fds(), before - 1, "it is closed");
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent.get());
        assert!((0..received.len()).all(|at| received[at] == pattern(at)));
    });
}

#[test]
fn the_next_receiver_gets_every_datagram() {
    each_way(|how| {
        let place = Place::new();
        let socket = Rc::new(UnixDatagram::bind(&place).unwrap());
        let killed = socket.clone();
        interrupt(how, move || drop(killed.recv_from(&mut [0; 8])));
        let killed = socket.clone();
        interrupt(how, move || drop(killed.recv(&mut [0; 8])));
        for text in [&b"one"[..], b"three"] {
            socket.send_to(text, &place).unwrap();
        }
        let mut buf = [0; 8];
        assert_eq!(socket.recv_from(&mut buf).unwrap().0, 3);
        assert_eq!(socket.recv(&mut buf).unwrap(), 5);
    });
}

/// Whom a sender names, and how it sends then.
type Send = fn(&UnixDatagram, &Place) -> std::io::Result<usize>;

#[test]
fn a_sender_of_datagrams_knows_what_it_has_sent() {
    const WAYS: [Send; 2] = [
        |socket, place| socket.send_to(b"sent", place),
        |socket, place| socket.connect(place).and_then(|()| socket.send(b"sent")),
    ];
    each_way(|how| {
        for send in WAYS {
            let place = Rc::new(Place::new());
            let receiver = UnixDatagram::bind(&*place).unwrap();
            let sent = Rc::new(Cell::new(0));
            let (count, to) = (sent.clone(), place.clone());
            interrupt(how, move || {
                let socket = UnixDatagram::unbound().unwrap();
                loop {
                    send(&socket, &to).unwrap();
                    count.set(count.get() + 1);
                }
            });
            receiver.set_nonblocking(true).unwrap();
            let received = (0..).take_while(|_| receiver.recv(&mut [0; 8]).is_ok()).count();
            assert_eq!(received, sent.get());
        }
    });
}

#[test]
fn a_call_that_need_not_wait_does_not_begin_once_the_kill_is_on() {
    alone(10, || {
        let before = open_fds();
        let place = Place::new();
        let listener = Rc::new(UnixListener::bind(&place).unwrap());
        let path = place.as_ref().to_owned();
        assert_raises(move || drop(UnixStream::connect(path)));
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody has connected");
        let client = UnixStream::connect(&place).unwrap();
        let killed = listener.clone();
        assert_raises(move || drop(killed.accept()));
        listener.accept().unwrap();

        let (one, other) = UnixDatagram::pair().unwrap();
        let (one, address) = (Rc::new(one), other.local_addr().unwrap());
        let killed = one.clone();
        assert_raises(move || drop(killed.send(b"unsent")));
        let killed = one.clone();
        assert_raises(move || drop(killed.send_to_addr(b"unsent", &address)));
        other.send(b"untouched").unwrap();
        let killed = one.clone();
        assert_raises(move || drop(killed.recv(&mut [0; 4])));
        let killed = one.clone();
        assert_raises(move || drop(killed.recv_from(&mut [0; 4])));
        assert_eq!(one.recv(&mut [0; 16]).unwrap(), 9);
        other.set_nonblocking(true).unwrap();
        assert!(other.recv(&mut [0; 16]).is_err(), "nothing was sent");
        drop((one, other, listener, client));
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_hundred_servers_in_a_row_use_the_same_place() {
    alone(60, || {
        let place = Place::new();
        let before = open_fds();
        for round in 0..100 {
            let listener = UnixListener::bind(&place).unwrap();
            let server = spawn(move || listener.incoming().for_each(drop));
            if round % 10 != 0 {
                settle();
            }
            server.kill();
            place.clear();
        }
        assert_eq!(open_fds(), before);
    });
}
