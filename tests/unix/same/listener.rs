//! `UnixListener`: accept, incoming, clones, mode.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::net::{UnixListener, UnixStream};
use super::support::{Place, is_inherited, kind};
use super::{hosted, settle, thread};

fn listener() -> (UnixListener, Place) {
    let place = Place::new();
    (UnixListener::bind(&place).unwrap(), place)
}

#[test]
fn accept_waits_for_a_connection() {
    hosted(|| {
        let (listener, place) = listener();
        let acceptor = thread::spawn(move || {
            let mut text = String::new();
            listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
            text
        });
        settle();
        UnixStream::connect(&place).unwrap().write_all(b"hello").unwrap();
        assert_eq!(acceptor.join().unwrap(), "hello");
    });
}

#[test]
fn incoming_yields_one_connection_after_the_other() {
    hosted(|| {
        let (listener, place) = listener();
        let client = thread::spawn(move || {
            for number in 0..6 {
                UnixStream::connect(&place).unwrap().write_all(&[number]).unwrap();
            }
        });
        let read = |stream: std::io::Result<UnixStream>| {
            let mut bytes = Vec::new();
            stream.unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(listener.incoming().size_hint(), (usize::MAX, None));
        let mut bytes: Vec<_> = listener.incoming().take(3).map(read).collect();
        for stream in &listener {
            bytes.push(read(stream));
            if bytes.len() == 6 {
                break;
            }
        }
        assert_eq!(bytes, [[0], [1], [2], [3], [4], [5]]);
        client.join().unwrap();
    });
}

#[test]
fn incoming_goes_on_after_an_error() {
    hosted(|| {
        let (listener, place) = listener();
        listener.set_nonblocking(true).unwrap();
        let mut incoming = listener.incoming();
        for _ in 0..3 {
            assert_eq!(kind(incoming.next().unwrap()), ErrorKind::WouldBlock);
        }
        listener.set_nonblocking(false).unwrap();
        let _client = UnixStream::connect(&place).unwrap();
        incoming.next().unwrap().unwrap();
    });
}

#[test]
fn a_nonblocking_listener_answers_at_once() {
    hosted(|| {
        let (listener, place) = listener();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        let _client = UnixStream::connect(&place).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        // Its connections wait all the same.
        server.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(kind((&server).read(&mut [0])), ErrorKind::WouldBlock);

        listener.set_nonblocking(false).unwrap();
        let client = thread::spawn(move || UnixStream::connect(&place).map(drop));
        listener.accept().unwrap();
        client.join().unwrap().unwrap();
    });
}

#[test]
fn clones_share_the_queue_and_the_mode() {
    hosted(|| {
        let (listener, place) = listener();
        let clone = listener.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), listener.as_raw_fd());
        assert_eq!(clone.local_addr().unwrap().as_pathname(), Some(place.as_ref()));
        clone.set_nonblocking(true).unwrap();
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        listener.set_nonblocking(false).unwrap();

        let acceptor = thread::spawn(move || drop(clone.accept().unwrap()));
        settle();
        drop(listener);
        let _client = UnixStream::connect(&place).unwrap();
        acceptor.join().unwrap();
    });
}

#[test]
fn one_that_does_not_listen_cannot_accept() {
    hosted(|| {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let listener = UnixListener::from(OwnedFd::from(socket));
        assert_eq!(kind(listener.accept()), ErrorKind::InvalidInput);
        assert!(listener.take_error().unwrap().is_none());
    });
}

#[test]
fn a_listener_and_its_connections_are_inherited_by_no_child() {
    hosted(|| {
        let (listener, place) = listener();
        let client = UnixStream::connect(&place).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert!(!is_inherited(&listener) && !is_inherited(&listener.try_clone().unwrap()));
        for stream in [client, server] {
            assert!(!is_inherited(&stream) && !is_inherited(&stream.try_clone().unwrap()));
        }
    });
}
