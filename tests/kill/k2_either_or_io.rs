//! K2 on sockets: no byte, connection or wake-up is lost to a kill, and ready input beats one that
//! is found in the same turn.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::TcpStream;
use betterthreads::select::select;
use betterthreads::{Greenlet, sleep, with_timeout};
use socket2::{Domain, Socket, Type};

use crate::common::{
    Journal, connect, hosted, hosted_alone, listener, meanwhile, parked, settle, stream,
};

/// Reads up to `room` bytes from a shared stream and keeps them.
fn read_some(stream: &Rc<TcpStream>, room: usize) -> impl FnOnce() -> Vec<u8> + 'static {
    let stream = stream.clone();
    move || {
        let mut bytes = vec![0; room];
        let count = (&*stream).read(&mut bytes).expect("a read");
        bytes.truncate(count);
        bytes
    }
}

/// Performs `operation`, notes that it returned, and waits for the kill.
fn then_die<T: 'static>(
    journal: &Journal,
    operation: impl FnOnce() -> T + 'static,
) -> Greenlet<()> {
    let journal = journal.clone();
    parked(move || {
        let result = operation();
        journal.note("returned");
        sleep(3600);
        drop(result);
    })
}

#[test]
fn data_found_in_the_same_turn_as_a_kill_is_returned() {
    hosted(|| {
        let journal = Journal::default();
        let (stream, mut peer) = stream();
        let target = then_die(&journal, read_some(&Rc::new(stream), 8));
        meanwhile(|| {
            target.kill_nowait();
            peer.write_all(b"hello").unwrap();
        });
        target.join();
        assert_eq!(journal.take(), ["returned"]);
    });
}

#[test]
fn a_reader_killed_between_its_wake_up_and_its_turn_gets_the_data() {
    hosted(|| {
        let journal = Journal::default();
        let (first, mut first_peer) = stream();
        let (second, mut second_peer) = stream();
        let target = then_die(&journal, read_some(&Rc::new(second), 8));
        let victim = target.clone();
        let wakes = read_some(&Rc::new(first), 8);
        let noted = journal.clone();
        parked(move || {
            wakes();
            noted.note("killing");
            victim.kill_nowait();
        });
        settle();
        // The events come in this order, and both before anybody runs.
        meanwhile(|| {
            first_peer.write_all(b"kill").unwrap();
            second_peer.write_all(b"hello").unwrap();
        });
        target.join();
        assert_eq!(journal.take(), ["killing", "returned"]);
    });
}

#[test]
fn a_connection_found_in_the_same_turn_as_a_kill_is_returned() {
    hosted(|| {
        let journal = Journal::default();
        let listener = Rc::new(listener());
        let accepts = listener.clone();
        let target = then_die(&journal, move || accepts.accept().unwrap());
        meanwhile(|| target.kill_nowait());
        let mut client = connect(&listener);
        target.join();
        assert_eq!(journal.take(), ["returned"]);
        // It was the target's, so it was closed with it.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn an_interrupted_read_takes_no_byte() {
    hosted(|| {
        let (stream, mut peer) = stream();
        let stream = Rc::new(stream);
        let target = parked(read_some(&stream, 8));
        // The data is there before the kill, but the hub has not seen it yet.
        peer.write_all(b"hello").unwrap();
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(read_some(&stream, 8)(), b"hello");
    });
}

#[test]
fn an_interrupted_read_leaves_later_data_to_the_next_reader() {
    hosted(|| {
        let (stream, mut peer) = stream();
        let stream = Rc::new(stream);
        let (target, next) = (parked(read_some(&stream, 8)), parked(read_some(&stream, 8)));
        target.kill();
        peer.write_all(b"hello").unwrap();
        assert_eq!(next.get().unwrap(), b"hello");
    });
}

#[test]
fn an_interrupted_accept_loses_no_connection() {
    hosted(|| {
        let listener = Rc::new(listener());
        let accept = || {
            let accepts = listener.clone();
            parked(move || accepts.accept().unwrap().1)
        };
        let (target, next) = (accept(), accept());
        // The connection is there before the kill, but the hub has not seen it yet.
        let client = connect(&listener);
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(next.get().unwrap(), client.local_addr().unwrap());
    });
}

/// A listener whose queue is full: a call to it gets no answer. The guests keep their places.
fn busy_listener() -> (Socket, Vec<std::net::TcpStream>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = ([127, 8, 8, 8], 0).into();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let patience = Duration::from_millis(100);
    let calls = std::iter::repeat_with(|| std::net::TcpStream::connect_timeout(&address, patience));
    let guests = calls.map_while(Result::ok).collect();
    (listener, guests)
}

/// The local addresses of the sockets that wait for `address` to answer.
fn unanswered(address: SocketAddrV4) -> BTreeSet<String> {
    let host = u32::from_ne_bytes(address.ip().octets());
    let (remote, sent) = (format!("{host:08X}:{:04X}", address.port()), "02");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let calls = rows.filter(|fields| fields[2] == remote && fields[3] == sent);
    // The kernel may list one twice while others come and go.
    calls.map(|fields| String::from(fields[1])).collect()
}

#[test]
fn an_interrupted_connect_closes_its_socket() {
    hosted_alone(|| {
        let (listener, _guests) = busy_listener();
        let address = listener.local_addr().unwrap().as_socket_ipv4().unwrap();
        let target = parked(move || TcpStream::connect(SocketAddr::V4(address)).is_ok());
        assert_eq!(unanswered(address).len(), 1);
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(unanswered(address), BTreeSet::new());
    });
}

#[test]
fn a_wake_up_shared_by_two_readers_reaches_the_second_when_the_first_is_killed() {
    hosted(|| {
        let journal = Journal::default();
        let (stream, mut peer) = stream();
        let stream = Rc::new(stream);
        let first = then_die(&journal, read_some(&stream, 1));
        let second = parked(read_some(&stream, 8));
        meanwhile(|| {
            first.kill_nowait();
            peer.write_all(b"xy").unwrap();
        });
        assert_eq!(second.get().unwrap(), b"y");
        first.join();
        assert_eq!(journal.take(), ["returned"]);
    });
}

#[test]
fn a_wake_up_shared_by_two_acceptors_reaches_the_second_when_the_first_is_killed() {
    hosted(|| {
        let journal = Journal::default();
        let listener = Rc::new(listener());
        let (first, second) = (listener.clone(), listener.clone());
        let first = then_die(&journal, move || first.accept().unwrap());
        let second = parked(move || second.accept().unwrap().1);
        meanwhile(|| first.kill_nowait());
        let clients = [connect(&listener), connect(&listener)];
        assert_eq!(second.get().unwrap(), clients[1].local_addr().unwrap());
        first.join();
        assert_eq!(journal.take(), ["returned"]);
    });
}

#[test]
fn data_found_in_the_same_turn_as_a_time_out_is_returned() {
    hosted(|| {
        let (stream, mut peer) = stream();
        let read = read_some(&Rc::new(stream), 8);
        let target = parked(move || with_timeout(0.001, read));
        meanwhile(|| {
            std::thread::sleep(Duration::from_millis(5)); // real time: the deadline passes
            peer.write_all(b"hello").unwrap();
        });
        assert_eq!(target.get().unwrap().unwrap(), b"hello");
    });
}

#[test]
fn a_reader_whose_data_was_taken_by_another_is_killed_all_the_same() {
    hosted(|| {
        let (stream, mut peer) = stream();
        let stream = Rc::new(stream);
        let target = parked(read_some(&stream, 8));
        let (waker, mut waker_peer) = self::stream();
        let (wakes, takes) = (read_some(&Rc::new(waker), 8), read_some(&stream, 8));
        let victim = target.clone();
        // Runs between the target's wake-up and its turn.
        let thief = parked(move || {
            wakes();
            victim.kill_nowait();
            takes()
        });
        settle();
        meanwhile(|| {
            waker_peer.write_all(b"go").unwrap();
            peer.write_all(b"hello").unwrap();
        });
        assert_eq!(thief.get().unwrap(), b"hello");
        let died = target.join_timeout(5);
        // Should it sleep for ever with its kill pending, this wakes it, so that the test can end.
        peer.write_all(b"more").unwrap();
        assert!(died, "the kill came when its wait had been granted, and it waited again");
    });
}

#[test]
fn a_select_whose_data_was_taken_by_another_is_killed_all_the_same() {
    hosted(|| {
        let (stream, mut peer) = stream();
        let stream = Rc::new(stream);
        let selects = stream.clone();
        let target = parked(move || select(&[selects.as_fd()], &[], &[], 3600).is_ok());
        let (waker, mut waker_peer) = self::stream();
        let (wakes, takes) = (read_some(&Rc::new(waker), 8), read_some(&stream, 8));
        let victim = target.clone();
        let thief = parked(move || {
            wakes();
            victim.kill_nowait();
            takes()
        });
        settle();
        meanwhile(|| {
            waker_peer.write_all(b"go").unwrap();
            peer.write_all(b"hello").unwrap();
        });
        assert_eq!(thief.get().unwrap(), b"hello");
        let died = target.join_timeout(5);
        // As above.
        peer.write_all(b"more").unwrap();
        assert!(died, "the kill came when its wait had been granted, and it waited again");
    });
}
