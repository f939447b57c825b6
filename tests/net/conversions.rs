//! The ways to and from std's types, socket2's and bare descriptors.
#![allow(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::thread;
use socket2::{SockRef, Socket};

use crate::support::{hosted, kind, settle, std_pair};

const SECOND: Duration = Duration::from_secs(1);

fn is_nonblocking(socket: &impl AsFd) -> bool {
    SockRef::from(socket).nonblocking().unwrap()
}

/// Reads one byte that is sent only once this greenlet waits for it.
fn read_parked(stream: TcpStream, peer: &mut impl Write) -> TcpStream {
    let reader = thread::spawn(move || {
        let mut buf = [0; 1];
        (&stream).read_exact(&mut buf).unwrap();
        stream
    });
    settle();
    peer.write_all(b"x").unwrap();
    reader.join().unwrap()
}

#[test]
fn a_stream_of_std_parks_once_it_is_converted() {
    hosted(10, || {
        let (client, mut peer) = std_pair();
        let number = client.as_raw_fd();
        client.set_nodelay(true).unwrap();
        let client = TcpStream::from(client);
        assert_eq!(client.as_raw_fd(), number);
        assert!(client.nodelay().unwrap());
        let client = read_parked(client, &mut peer);
        drop(client);
        assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    });
}

#[test]
fn a_stream_goes_back_to_std_and_blocks_again() {
    hosted(10, || {
        let (client, mut peer) = std_pair();
        let client = read_parked(client.into(), &mut peer);
        let number = client.as_raw_fd();
        let mut client = std::net::TcpStream::from(client);
        assert_eq!(client.as_raw_fd(), number);
        assert!(!is_nonblocking(&client));
        client.set_read_timeout(Some(SECOND / 50)).unwrap();
        assert_eq!(kind(client.read(&mut [0; 1])), ErrorKind::WouldBlock);
        // And forth again, though its descriptor was known to the hub before.
        client.set_read_timeout(None).unwrap();
        read_parked(client.into(), &mut peer);
    });
}

#[test]
fn the_mode_travels_with_a_stream() {
    hosted(10, || {
        let (client, _peer) = std_pair();
        client.set_nonblocking(true).unwrap();
        let mut client = TcpStream::from(client);
        assert_eq!(kind(client.read(&mut [0; 1])), ErrorKind::WouldBlock);
        let client = std::net::TcpStream::from(client);
        assert!(is_nonblocking(&client));
        let client = TcpStream::from(client);
        client.set_nonblocking(false).unwrap();
        assert!(!is_nonblocking(&std::net::TcpStream::from(client)));
    });
}

#[test]
fn time_outs_travel_with_a_stream() {
    hosted(10, || {
        let (client, _peer) = std_pair();
        client.set_read_timeout(Some(SECOND)).unwrap();
        client.set_write_timeout(Some(2 * SECOND)).unwrap();
        let client = TcpStream::from(client);
        assert_eq!(client.read_timeout().unwrap(), Some(SECOND));
        assert_eq!(client.write_timeout().unwrap(), Some(2 * SECOND));
        client.set_read_timeout(Some(3 * SECOND)).unwrap();
        let client = std::net::TcpStream::from(client);
        assert_eq!(client.read_timeout().unwrap(), Some(3 * SECOND));
        assert_eq!(client.write_timeout().unwrap(), Some(2 * SECOND));
    });
}

#[test]
fn a_time_out_of_std_is_obeyed() {
    hosted(10, || {
        let (client, _peer) = std_pair();
        client.set_read_timeout(Some(SECOND / 50)).unwrap();
        let mut client = TcpStream::from(client);
        assert_eq!(kind(client.read(&mut [0; 1])), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_time_out_that_was_removed_does_not_come_back() {
    hosted(10, || {
        let (client, _peer) = std_pair();
        client.set_read_timeout(Some(SECOND)).unwrap();
        client.set_write_timeout(Some(SECOND)).unwrap();
        let client = TcpStream::from(client);
        client.set_read_timeout(None).unwrap();
        client.set_write_timeout(None).unwrap();
        let client = std::net::TcpStream::from(client);
        assert_eq!(client.read_timeout().unwrap(), None);
        assert_eq!(client.write_timeout().unwrap(), None);
    });
}

#[test]
fn the_shortest_time_out_is_still_one_in_std() {
    hosted(10, || {
        let (client, _peer) = std_pair();
        let client = TcpStream::from(client);
        client.set_read_timeout(Some(Duration::from_nanos(1))).unwrap();
        let client = std::net::TcpStream::from(client);
        assert!(client.read_timeout().unwrap().is_some());
    });
}

#[test]
fn descriptors_keep_their_numbers_on_the_way() {
    hosted(10, || {
        let (client, mut peer) = std_pair();
        let number = client.as_raw_fd();
        let client = TcpStream::from(OwnedFd::from(client));
        assert_eq!(client.as_fd().as_raw_fd(), number);
        let client = TcpStream::from(Socket::from(read_parked(client, &mut peer)));
        let client = TcpStream::from(OwnedFd::from(read_parked(client, &mut peer)));
        let raw = read_parked(client, &mut peer).into_raw_fd();
        assert_eq!(raw, number);
        // SAFETY: the descriptor was given up just now and belongs to nobody else.
        let client = unsafe { TcpStream::from_raw_fd(raw) };
        read_parked(client, &mut peer);
    });
}

#[test]
fn a_listener_of_std_parks_once_it_is_converted() {
    hosted(10, || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (number, address) = (listener.as_raw_fd(), listener.local_addr().unwrap());
        let listener = TcpListener::from(listener);
        assert_eq!(listener.as_raw_fd(), number);
        let acceptor = thread::spawn(move || {
            let peer = listener.accept().unwrap().1;
            (listener, peer)
        });
        settle();
        let client = std::net::TcpStream::connect(address).unwrap();
        let (listener, peer) = acceptor.join().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());

        let listener = std::net::TcpListener::from(listener);
        assert_eq!(listener.as_raw_fd(), number);
        assert!(!is_nonblocking(&listener));
        let client = std::net::TcpStream::connect(address).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(!is_nonblocking(&server));
    });
}

#[test]
fn the_mode_travels_with_a_listener() {
    hosted(10, || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from(Socket::from(listener));
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
        let listener = OwnedFd::from(listener);
        assert!(is_nonblocking(&listener));
        let raw = TcpListener::from(listener).into_raw_fd();
        // SAFETY: the descriptor was given up just now and belongs to nobody else.
        let listener = unsafe { TcpListener::from_raw_fd(raw) };
        assert_eq!(kind(listener.accept()), ErrorKind::WouldBlock);
    });
}

#[test]
fn accepted_and_connected_streams_go_to_std_in_blocking_mode() {
    hosted(10, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        for stream in [client, server] {
            let stream = std::net::TcpStream::from(stream);
            assert!(!is_nonblocking(&stream));
            assert_eq!(stream.read_timeout().unwrap(), None);
        }
        assert!(!is_nonblocking(&std::net::TcpListener::from(listener)));
    });
}

/// Checks that a greenlet that reads from `client` does not block its OS thread.
#[track_caller]
fn assert_read_parks(client: TcpStream, peer: std::net::TcpStream) {
    let reader = thread::spawn(move || (&client).read(&mut [0; 8]).unwrap());
    // If the reader blocks this OS thread, it is that thread that lets it go on.
    let (told, tell) = std::sync::mpsc::channel();
    let rescue = std::thread::spawn(move || {
        let in_time = tell.recv_timeout(2 * SECOND).is_ok();
        peer.shutdown(Shutdown::Write).unwrap();
        in_time
    });
    settle();
    told.send(()).ok();
    assert!(rescue.join().unwrap(), "the read blocked the hub");
    assert_eq!(reader.join().unwrap(), 0);
}

#[test]
fn giving_a_clone_to_std_does_not_let_the_other_one_block_the_hub() {
    hosted(10, || {
        let (client, peer) = std_pair();
        let client = TcpStream::from(client);
        let _clone = std::net::TcpStream::from(client.try_clone().unwrap());
        assert_read_parks(client, peer);
    });
}

#[test]
fn a_clone_that_stays_with_std_may_block_without_blocking_the_hub() {
    hosted(10, || {
        let (client, peer) = std_pair();
        let clone = client.try_clone().unwrap();
        let client = TcpStream::from(client);
        clone.set_nonblocking(false).unwrap();
        assert_read_parks(client, peer);
    });
}

#[test]
fn giving_a_clone_of_a_listener_to_std_does_not_let_the_other_one_block_the_hub() {
    hosted(10, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _clone = std::net::TcpListener::from(listener.try_clone().unwrap());
        let acceptor = thread::spawn(move || listener.accept().unwrap().1);
        let (told, tell) = std::sync::mpsc::channel();
        let rescue = std::thread::spawn(move || {
            let in_time = tell.recv_timeout(2 * SECOND).is_ok();
            let client = std::net::TcpStream::connect(address).unwrap();
            (in_time, client)
        });
        settle();
        told.send(()).ok();
        let (in_time, client) = rescue.join().unwrap();
        assert!(in_time, "the accept blocked the hub");
        assert_eq!(acceptor.join().unwrap(), client.local_addr().unwrap());
    });
}

#[test]
fn a_clone_that_std_kept_cannot_make_a_listener_block_the_hub() {
    hosted(10, || {
        let kept = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = TcpListener::from(kept.try_clone().unwrap());
        kept.set_nonblocking(false).unwrap();
        let accepted = betterthreads::with_timeout(0.01, || listener.accept().map(drop));
        assert!(accepted.is_err(), "it waited, and the limit was raised");
    });
}
