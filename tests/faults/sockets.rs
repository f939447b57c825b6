//! Sockets: connections over loopback, streams with and without time-outs, clones, addresses where
//! nobody answers.

use std::cell::RefCell;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::testing::Call;
use betterthreads::{joinall, sleep, spawn};
use libc::{ECONNREFUSED, ETIMEDOUT};

use crate::common::{on_drop, settle, stream};
use crate::notes::Notes;
use crate::support::{deserted, full_listener, patterned, shrink};
use crate::sweep::{Scenario, sweep};

const HOUR: Duration = Duration::from_secs(3600);

/// How much each connection carries.
const LENGTH: usize = 2000;

/// Lets the kernel send at once: the clock of a simulated world does not wait for its timers.
fn hurry(stream: &TcpStream) {
    stream.set_nodelay(true).expect("a connection");
}

/// Returns what comes until nothing comes any more.
fn echo_back(notes: &Notes, stream: &TcpStream) {
    let mut buf = [0; 700];
    loop {
        match notes.insist(|| (&*stream).read(&mut buf)) {
            0 => return,
            count => notes.write(stream, &buf[..count]),
        }
    }
}

/// Sends, receives and compares.
fn converse(notes: &Notes, stream: &TcpStream) {
    let sent = patterned(LENGTH);
    notes.write(stream, &sent);
    let mut received = vec![0; LENGTH];
    assert_eq!(notes.read(stream, &mut received), LENGTH);
    assert!(received == sent, "other bytes came back");
}

/// The same with several buffers at once and a look ahead.
fn converse_vectored(notes: &Notes, mut stream: &TcpStream) {
    let parts = [IoSlice::new(b"one"), IoSlice::new(b"two")];
    let count = notes.insist(|| stream.write_vectored(&parts));
    notes.write(stream, &b"onetwo"[count..]);
    assert_eq!(notes.insist(|| stream.peek(&mut [0])), 1);
    let (mut first, mut second) = ([0; 2], [0; 4]);
    let parts = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    let count = notes.insist(|| stream.read_vectored(parts));
    let mut received = [first.as_slice(), &second].concat();
    assert_eq!(notes.read(stream, &mut received[count..]), 6 - count);
    assert_eq!(received, b"onetwo");
}

pub(crate) fn echo(notes: &Notes) {
    let listener = notes.insist(|| TcpListener::bind("127.0.0.1:0"));
    let address = listener.local_addr().expect("its address");
    let handlers = Rc::new(RefCell::new(Vec::new()));
    let server = spawn({
        let (notes, handlers) = (notes.clone(), handlers.clone());
        move || {
            loop {
                let (stream, _) = notes.insist(|| listener.accept());
                hurry(&stream);
                let notes = notes.clone();
                handlers.borrow_mut().push(spawn(move || echo_back(&notes, &stream)));
            }
        }
    });
    let clients: Vec<_> = [converse, converse_vectored]
        .into_iter()
        .map(|converse| {
            let notes = notes.clone();
            spawn(move || {
                let stream = notes.insist(|| TcpStream::connect(address));
                hurry(&stream);
                converse(&notes, &stream);
                stream.shutdown(Shutdown::Write).expect("a connection");
                assert_eq!(notes.read(&stream, &mut [0]), 0);
            })
        })
        .collect();
    for client in clients {
        client.get().expect("its talk");
    }
    server.kill();
    let handlers = handlers.take();
    joinall(&handlers);
    assert!(handlers.iter().all(|handler| handler.exception().is_none()));
}

#[test]
fn a_server_and_its_clients() {
    sweep(Scenario::new("echo", echo));
}

/// Two greenlets that wait for the same listener.
pub(crate) fn accept_together(notes: &Notes) {
    let listener = Rc::new(notes.insist(|| TcpListener::bind("127.0.0.1:0")));
    let address = listener.local_addr().expect("its address");
    let acceptors: Vec<_> = (0..2)
        .map(|_| {
            let (listener, notes) = (listener.clone(), notes.clone());
            spawn(move || notes.insist(|| listener.accept()).1)
        })
        .collect();
    settle();
    let clients: Vec<_> =
        (0..2).map(|_| std::net::TcpStream::connect(address).expect("a listener")).collect();
    let mut accepted: Vec<_> =
        acceptors.into_iter().map(|acceptor| acceptor.get().expect("a client")).collect();
    let mut expected: Vec<_> =
        clients.iter().map(|client| client.local_addr().expect("its address")).collect();
    accepted.sort();
    expected.sort();
    assert_eq!(accepted, expected);
}

#[test]
fn two_acceptors_of_one_listener() {
    sweep(Scenario::new("two acceptors", accept_together));
}

/// A listener that came from elsewhere, whose mode may be changed behind its back.
pub(crate) fn accept_adopted(notes: &Notes) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listener = TcpListener::from(listener);
    let address = listener.local_addr().expect("its address");
    let acceptor = spawn({
        let notes = notes.clone();
        move || drop(notes.insist(|| listener.accept()))
    });
    settle();
    let _client = std::net::TcpStream::connect(address).expect("a listener");
    acceptor.get().expect("a client");
}

#[test]
fn an_adopted_listener() {
    sweep(Scenario::new("adopted listener", accept_adopted));
}

fn be_refused(notes: &Notes) {
    let (_bound, address) = deserted();
    let attempts: Vec<_> = (0..2)
        .map(|_| {
            let notes = notes.clone();
            spawn(move || {
                notes.insist_on(ErrorKind::ConnectionRefused, || TcpStream::connect(address));
            })
        })
        .collect();
    attempts.into_iter().for_each(|attempt| attempt.get().expect("an answer"));
}

#[test]
fn a_port_where_nobody_listens() {
    // Not to be told from what happens anyway.
    let except = &[(Call::Connect, ECONNREFUSED), (Call::Outcome, ECONNREFUSED)];
    sweep(Scenario { except, ..Scenario::new("refused", be_refused) });
}

fn connect_in_time(notes: &Notes) {
    let full = full_listener();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let late = spawn({
        let notes = notes.clone();
        move || {
            let connect = || TcpStream::connect_timeout(&full.address, Duration::from_secs(1));
            notes.insist_on(ErrorKind::TimedOut, connect);
        }
    });
    let in_time = spawn({
        let notes = notes.clone();
        move || drop(notes.insist(|| TcpStream::connect_timeout(&address, HOUR)))
    });
    late.get().expect("no answer");
    in_time.get().expect("an answer");
}

#[test]
fn connections_with_a_limit() {
    // As above.
    let except = &[(Call::Connect, ETIMEDOUT), (Call::Outcome, ETIMEDOUT)];
    sweep(Scenario { except, ..Scenario::new("connect in time", connect_in_time) });
}

/// A read and a write that run out of time, and ones that do not.
pub(crate) fn run_out_of_time(notes: &Notes) {
    let (reader, mut to_reader) = stream();
    let (writer, mut from_writer) = stream();
    shrink(&writer);
    let reading = spawn({
        let notes = notes.clone();
        move || {
            reader.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
            notes.insist_on(ErrorKind::WouldBlock, || (&reader).read(&mut [0]));
            reader.set_read_timeout(Some(HOUR)).expect("a limit");
            assert_eq!(notes.insist(|| (&reader).read(&mut [0])), 1);
        }
    });
    let writing = spawn({
        let notes = notes.clone();
        move || {
            writer.set_write_timeout(Some(Duration::from_secs(1))).expect("a limit");
            let mut full = false;
            while !full {
                let written = notes.insist(|| match (&writer).write(&[7; 1 << 16]) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                    result => result.map(Some),
                });
                full = written.is_none();
            }
            writer.set_write_timeout(Some(HOUR)).expect("a limit");
            assert!(notes.insist(|| (&writer).write(&[7])) == 1);
        }
    });
    sleep(2);
    to_reader.write_all(b"!").expect("a peer");
    from_writer.set_nonblocking(true).expect("its mode");
    let mut buf = vec![0; 1 << 20];
    while from_writer.read(&mut buf).is_ok_and(|count| count > 0) {}
    reading.get().expect("a byte");
    writing.get().expect("room");
}

#[test]
fn reads_and_writes_with_time_outs() {
    sweep(Scenario::new("time-outs", run_out_of_time));
}

/// A destructor that writes and reads while its greenlet is killed.
pub(crate) fn say_goodbye(notes: &Notes) {
    let (here, mut there) = stream();
    there.write_all(b"you may go").expect("room");
    let target = spawn({
        let notes = notes.clone();
        move || {
            let _goodbye = on_drop(|| {
                notes.write(&here, b"goodbye");
                let mut answer = [0; 10];
                assert_eq!(notes.read(&here, &mut answer), 10);
                assert_eq!(&answer, b"you may go");
            });
            sleep(HOUR);
        }
    });
    sleep(1);
    target.kill();
    assert!(target.get().is_err_and(|failure| failure.is_killed()));
    let mut text = String::new();
    there.read_to_string(&mut text).expect("its words");
    assert_eq!(text, "goodbye");
}

#[test]
fn clean_up_of_one_that_is_killed() {
    sweep(Scenario::new("goodbye", say_goodbye));
}

/// One greenlet reads from a connection and another writes to it.
pub(crate) fn share(notes: &Notes) {
    let (here, there) = stream();
    let there = TcpStream::from(socket2::Socket::from(std::os::fd::OwnedFd::from(there)));
    let clone = notes.insist(|| here.try_clone());
    let tasks = [
        spawn({
            let notes = notes.clone();
            move || {
                notes.write(&here, &patterned(LENGTH));
                here.shutdown(Shutdown::Write).expect("a connection");
            }
        }),
        spawn({
            let notes = notes.clone();
            move || {
                let mut received = vec![0; LENGTH];
                assert_eq!(notes.read(&clone, &mut received), LENGTH);
                assert!(received == patterned(LENGTH), "other bytes came back");
            }
        }),
        spawn({
            let notes = notes.clone();
            move || echo_back(&notes, &there)
        }),
    ];
    tasks.into_iter().for_each(|task| task.get().expect("its part"));
}

#[test]
fn clones_of_one_stream() {
    sweep(Scenario::new("clones", share));
}
