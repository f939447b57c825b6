//! Unix sockets: connections, datagrams, and calls that are made again because the kernel does not
//! tell when to go on.

use std::io::Write;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::time::Duration;

use betterthreads::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use betterthreads::testing::Call;
use betterthreads::{sleep, spawn};
use libc::EINPROGRESS;

use crate::notes::Notes;
use crate::support::{Place, full_unix_listener, patterned};
use crate::sweep::{Scenario, sweep};

/// Connections of this kind are there at once or not at all.
const EXCEPT: &[(Call, i32)] = &[(Call::Connect, EINPROGRESS)];

const LENGTH: usize = 2000;

/// The kernel chooses a name, each time another one.
fn any_name() -> SocketAddr {
    SocketAddr::from_pathname("").expect("the unnamed address")
}

pub(crate) fn echo(notes: &Notes) {
    let listener = notes.insist(|| UnixListener::bind_addr(&any_name()));
    let address = listener.local_addr().expect("its name");
    let server = spawn({
        let notes = notes.clone();
        move || {
            let (stream, _) = notes.insist(|| listener.accept());
            let clone = notes.insist(|| stream.try_clone());
            let mut received = vec![0; LENGTH];
            assert_eq!(notes.read(&stream, &mut received), LENGTH);
            notes.write(&clone, &received);
        }
    });
    let stream = notes.insist(|| UnixStream::connect_addr(&address));
    notes.write(&stream, &patterned(LENGTH));
    let mut received = vec![0; LENGTH];
    assert_eq!(notes.read(&stream, &mut received), LENGTH);
    assert!(received == patterned(LENGTH), "other bytes came back");
    assert_eq!(notes.read(&stream, &mut [0]), 0);
    server.get().expect("its part");
}

#[test]
fn a_server_and_its_client() {
    sweep(Scenario { except: EXCEPT, ..Scenario::new("unix echo", echo) });
}

/// Datagrams to an address, to a peer, and to one who has shut down.
pub(crate) fn exchange(notes: &Notes) {
    let receiver = notes.insist(|| UnixDatagram::bind_addr(&any_name()));
    let address = receiver.local_addr().expect("its name");
    let answer = spawn({
        let notes = notes.clone();
        move || {
            let mut buf = [0; 8];
            let (length, _) = notes.insist(|| receiver.recv_from(&mut buf));
            assert_eq!(notes.insist(|| receiver.recv(&mut buf)), length + 1);
        }
    });
    let sender = notes.insist(UnixDatagram::unbound);
    assert_eq!(notes.insist(|| sender.send_to_addr(b"one", &address)), 3);
    notes.insist(|| sender.connect_addr(&address));
    assert_eq!(notes.insist(|| sender.send(b"more")), 4);
    answer.get().expect("both");

    let (one, _other) = notes.insist(UnixDatagram::pair);
    let clone = notes.insist(|| one.try_clone());
    let ended = spawn({
        let notes = notes.clone();
        move || assert_eq!(notes.insist(|| clone.recv(&mut [0; 8])), 0)
    });
    sleep(1);
    one.shutdown(Shutdown::Read).expect("an open socket");
    ended.get().expect("the end");
}

#[test]
fn datagrams() {
    sweep(Scenario { except: EXCEPT, ..Scenario::new("unix datagrams", exchange) });
}

/// A listener and a receiver that have no room at first.
pub(crate) fn wait_for_room(notes: &Notes) {
    let (listener, receiver) = (Place::new(), Place::new());
    let (socket, first) = full_unix_listener(&listener);
    let theirs = std::os::unix::net::UnixDatagram::bind(&receiver).expect("a path");
    theirs.set_nonblocking(true).expect("a mode");
    let filler = std::os::unix::net::UnixDatagram::unbound().expect("a socket");
    filler.set_nonblocking(true).expect("a mode");
    while filler.send_to(b"fill", &receiver).is_ok() {}
    let (path, other) = (listener.as_ref().to_owned(), receiver.as_ref().to_owned());
    let connecting = spawn({
        let notes = notes.clone();
        move || drop(notes.insist(|| UnixStream::connect(&path)))
    });
    let sending = spawn({
        let notes = notes.clone();
        move || {
            let socket = notes.insist(UnixDatagram::unbound);
            socket.set_write_timeout(Some(Duration::from_secs(3600))).expect("a limit");
            assert_eq!(notes.insist(|| socket.send_to(b"late", &other)), 4);
        }
    });
    sleep(1);
    assert!(!connecting.dead() && !sending.dead(), "they wait");
    drop(first);
    socket.accept().expect("the first");
    while theirs.recv(&mut [0; 8]).is_ok() {}
    connecting.get().expect("room");
    sending.get().expect("room");
}

#[test]
fn calls_that_are_made_again() {
    sweep(Scenario { except: EXCEPT, ..Scenario::new("room", wait_for_room) });
}

/// Streams that come from std's.
fn adopt(notes: &Notes) {
    let (one, mut other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let stream = UnixStream::from(OwnedFd::from(one));
    let reader = spawn({
        let notes = notes.clone();
        move || assert_eq!(notes.read(&stream, &mut [0; 3]), 3)
    });
    sleep(1);
    other.write_all(b"abc").expect("room");
    reader.get().expect("three bytes");
    let (one, other) = notes.insist(UnixStream::pair);
    notes.write(&one, b"x");
    assert_eq!(notes.read(&other, &mut [0]), 1);
}

#[test]
fn pairs_of_streams() {
    sweep(Scenario::new("unix pairs", adopt));
}
