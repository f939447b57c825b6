//! The ways to and from std's types, socket2's and bare descriptors.
#![allow(unsafe_code)]

use std::fmt::Debug;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net as std_net;
use std::time::Duration;

use betterthreads::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use betterthreads::thread;
use socket2::{SockRef, Socket};

use crate::support::{Place, hosted, kind, settle};

const SECOND: Duration = Duration::from_secs(1);

fn is_nonblocking(socket: &impl AsFd) -> bool {
    SockRef::from(socket).nonblocking().unwrap()
}

/// Reads one byte that is sent only once this greenlet waits for it.
fn read_parked(stream: UnixStream, peer: &mut impl Write) -> UnixStream {
    let reader = thread::spawn(move || {
        (&stream).read_exact(&mut [0; 1]).unwrap();
        stream
    });
    settle();
    peer.write_all(b"x").unwrap();
    reader.join().unwrap()
}

#[test]
fn a_stream_goes_from_std_and_back() {
    hosted(10, || {
        let (stream, mut peer) = std_net::UnixStream::pair().unwrap();
        let number = stream.as_raw_fd();
        let stream = read_parked(stream.into(), &mut peer);
        assert_eq!(stream.as_raw_fd(), number);
        let mut stream = std_net::UnixStream::from(stream);
        assert_eq!(stream.as_raw_fd(), number);
        assert!(!is_nonblocking(&stream));
        stream.set_read_timeout(Some(SECOND / 50)).unwrap();
        assert_eq!(kind(stream.read(&mut [0; 1])), ErrorKind::WouldBlock);
        // And forth again, with its time-out.
        let mut stream = UnixStream::from(stream);
        assert_eq!(kind(stream.read(&mut [0; 1])), ErrorKind::WouldBlock);
        stream.set_read_timeout(Some(SECOND)).unwrap();
        let stream = std_net::UnixStream::from(read_parked(stream, &mut peer));
        assert_eq!(stream.read_timeout().unwrap(), Some(SECOND));
    });
}

#[test]
fn descriptors_keep_their_numbers_on_the_way() {
    hosted(10, || {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let number = stream.as_raw_fd();
        assert_eq!(stream.as_fd().as_raw_fd(), number);
        let stream = UnixStream::from(OwnedFd::from(stream));
        let stream = UnixStream::from(Socket::from(read_parked(stream, &mut peer)));
        let raw = read_parked(stream, &mut peer).into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: the descriptor was given up just now and belongs to nobody else.
        let stream = unsafe { UnixStream::from_raw_fd(raw) };
        read_parked(stream, &mut peer);
    });
}

#[test]
fn a_listener_goes_from_std_and_back() {
    hosted(10, || {
        let place = Place::new();
        let listener = std_net::UnixListener::bind(&place).unwrap();
        let number = listener.as_raw_fd();
        let listener = UnixListener::from(listener);
        let acceptor = thread::spawn(move || {
            listener.accept().unwrap();
            listener
        });
        settle();
        let _client = std_net::UnixStream::connect(&place).unwrap();
        let listener = std_net::UnixListener::from(acceptor.join().unwrap());
        assert_eq!(listener.as_raw_fd(), number);
        assert!(!is_nonblocking(&listener));
        listener.set_nonblocking(true).unwrap();
        let listener = UnixListener::from(Socket::from(listener));
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        assert!(is_nonblocking(&OwnedFd::from(listener)));
    });
}

#[test]
fn connected_and_accepted_streams_go_to_std_in_blocking_mode() {
    hosted(10, || {
        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        let client = UnixStream::connect(&place).unwrap();
        let server = listener.accept().unwrap().0;
        for stream in [client, server] {
            assert!(!is_nonblocking(&std_net::UnixStream::from(stream)));
        }
        assert!(!is_nonblocking(&std_net::UnixListener::from(listener)));
    });
}

#[test]
fn a_datagram_socket_goes_from_std_and_back() {
    hosted(10, || {
        let (socket, peer) = std_net::UnixDatagram::pair().unwrap();
        socket.set_read_timeout(Some(SECOND)).unwrap();
        let socket = UnixDatagram::from(socket);
        assert_eq!(socket.read_timeout().unwrap(), Some(SECOND));
        socket.set_read_timeout(None).unwrap();
        let receiver = thread::spawn(move || {
            assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 5);
            socket
        });
        settle();
        peer.send(b"hello").unwrap();
        let socket = std_net::UnixDatagram::from(receiver.join().unwrap());
        assert!(!is_nonblocking(&socket));
        assert_eq!(socket.read_timeout().unwrap(), None);
        let socket = UnixDatagram::from(Socket::from(UnixDatagram::from(socket)));
        peer.send(b"again").unwrap();
        assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 5);
    });
}

#[test]
fn a_clone_that_std_kept_cannot_make_a_socket_block_the_hub() {
    hosted(10, || {
        let place = Place::new();
        let kept = std_net::UnixListener::bind(&place).unwrap();
        let listener = UnixListener::from(kept.try_clone().unwrap());
        kept.set_nonblocking(false).unwrap();
        let accepted = betterthreads::with_timeout(0.01, || listener.accept().map(drop));
        assert!(accepted.is_err(), "it waited, and the limit was raised");

        let (kept, _peer) = std_net::UnixDatagram::pair().unwrap();
        let socket = UnixDatagram::from(kept.try_clone().unwrap());
        kept.set_nonblocking(false).unwrap();
        let received = betterthreads::with_timeout(0.01, || socket.recv(&mut [0; 8]).map(drop));
        assert!(received.is_err(), "it waited, and the limit was raised");
        let sent = betterthreads::with_timeout(0.01, || while socket.send(b"fill").is_ok() {});
        assert!(sent.is_err(), "it waited, and the limit was raised");
    });
}

/// Checks that a socket prints as what it becomes, which keeps its number.
#[track_caller]
fn assert_prints<O: Debug, S: Debug + From<O>>(socket: O) {
    let ours = [format!("{socket:?}"), format!("{socket:#?}")];
    let theirs = S::from(socket);
    assert_eq!(ours, [format!("{theirs:?}"), format!("{theirs:#?}")]);
}

#[test]
fn sockets_print_as_in_std() {
    hosted(10, || {
        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        let client = UnixStream::connect(&place).unwrap();
        let incoming = format!("{:?}", listener.incoming());
        assert_eq!(incoming, format!("Incoming {{ listener: {listener:?} }}"));
        assert_prints::<_, std_net::UnixListener>(listener);
        assert_prints::<_, std_net::UnixStream>(client);
        assert_prints::<_, std_net::UnixStream>(UnixStream::pair().unwrap().0);
        assert_prints::<_, std_net::UnixDatagram>(UnixDatagram::bind("").unwrap());
        assert_prints::<_, std_net::UnixDatagram>(UnixDatagram::pair().unwrap().0);
    });
}
