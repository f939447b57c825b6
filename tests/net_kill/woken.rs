//! Woken but not yet run: the state in which a kill meets something that was granted already.
//!
//! Everything is caused while the hub stands still, so that it finds all of it in one turn.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::{Greenlet, sleep, spawn, with_timeout};

use crate::support::{alone, local_pair, meanwhile, open_fds, quiesce};

type Bytes = Rc<RefCell<Vec<u8>>>;

/// A greenlet that reads once, notes what it got, and waits for its end.
fn reader(stream: &Rc<TcpStream>, room: usize, got: &Bytes) -> Greenlet<()> {
    let (stream, got) = (stream.clone(), got.clone());
    let greenlet = spawn(move || {
        let mut buf = vec![0; room];
        let count = (&*stream).read(&mut buf).unwrap();
        got.borrow_mut().extend(&buf[..count]);
        sleep(3600);
    });
    quiesce();
    greenlet
}

/// Whether a greenlet dies in the next seconds.
#[track_caller]
fn assert_dies<T>(greenlet: &Greenlet<T>) {
    assert!(greenlet.join_timeout(5), "it cannot be killed");
}

#[test]
fn input_found_in_the_same_turn_beats_the_kill() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let (stream, got) = (Rc::new(stream), Bytes::default());
        let target = reader(&stream, 64, &got);
        meanwhile(|| {
            target.kill_nowait();
            peer.write_all(b"in time").unwrap();
        });
        assert_dies(&target);
        assert_eq!(*got.borrow(), b"in time");
    });
}

#[test]
fn input_found_in_the_same_turn_beats_the_time_limit() {
    alone(20, || {
        let (mut stream, mut peer) = local_pair();
        let limited = spawn(move || {
            let mut buf = [0; 64];
            with_timeout(0.05, || stream.read(&mut buf).unwrap())
        });
        quiesce();
        peer.write_all(b"in time").unwrap();
        std::thread::sleep(Duration::from_millis(60)); // real time: the limit passes meanwhile
        assert_eq!(limited.get().unwrap(), Ok(7));
    });
}

#[test]
fn input_found_in_the_same_turn_beats_the_time_out_of_the_stream() {
    alone(20, || {
        let (mut stream, mut peer) = local_pair();
        let limit = Duration::from_millis(50);
        stream.set_read_timeout(Some(limit)).unwrap();
        let limited = spawn(move || stream.read(&mut [0; 64]).unwrap());
        quiesce();
        peer.write_all(b"in time").unwrap();
        std::thread::sleep(2 * limit); // real time: the limit passes meanwhile
        assert_eq!(limited.get().unwrap(), 7);
    });
}

#[test]
fn a_reader_that_dies_leaves_the_rest_to_the_next() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let (stream, got) = (Rc::new(stream), Bytes::default());
        let (first, second) = (reader(&stream, 1, &got), reader(&stream, 64, &got));
        meanwhile(|| {
            peer.write_all(b"abc").unwrap();
            first.kill_nowait();
        });
        assert_dies(&first);
        quiesce();
        second.kill();
        assert_eq!(*got.borrow(), b"abc");
    });
}

#[test]
fn readers_that_all_die_take_nothing_with_them() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let (stream, got) = (Rc::new(stream), Bytes::default());
        let readers: Vec<_> = (0..4).map(|_| reader(&stream, 1, &got)).collect();
        meanwhile(|| {
            peer.write_all(b"abcdefgh").unwrap();
            readers.iter().for_each(Greenlet::kill_nowait);
        });
        readers.iter().for_each(assert_dies);
        drop(peer);
        let mut rest = Vec::new();
        (&*stream).read_to_end(&mut rest).unwrap();
        let mut all = got.take();
        all.extend(rest);
        assert_eq!(all, b"abcdefgh");
    });
}

#[test]
fn acceptors_that_all_die_leave_no_connection_open() {
    alone(20, || {
        let before = open_fds();
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Rc::new(Cell::new(0));
        let acceptors: Vec<_> = (0..4)
            .map(|_| {
                let (listener, accepted) = (listener.clone(), accepted.clone());
                spawn(move || {
                    let _kept = listener.accept().unwrap();
                    accepted.set(accepted.get() + 1);
                    sleep(3600);
                })
            })
            .collect();
        quiesce();
        let clients: Vec<_> = meanwhile(|| {
            let connect = |_| std::net::TcpStream::connect(address).unwrap();
            let clients = (0..8).map(connect).collect();
            acceptors.iter().for_each(Greenlet::kill_nowait);
            clients
        });
        acceptors.iter().for_each(assert_dies);
        // Those that nobody accepted are still there.
        for _ in accepted.get()..8 {
            listener.accept().unwrap();
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
        drop((clients, listener));
        assert_eq!(open_fds(), before);
    });
}

/// A greenlet that waits for a byte from its own stream, then does `rob`: it is woken before
/// whoever is woken by what is written afterwards.
fn thief(rob: impl FnOnce() + 'static) -> (Greenlet<()>, impl Write + Send) {
    let (mut signal, peer) = local_pair();
    let thief = spawn(move || {
        signal.read_exact(&mut [0; 1]).unwrap();
        rob();
    });
    quiesce();
    (thief, peer)
}

/// Takes what there is without waiting.
fn take(stream: &TcpStream) {
    let mut stream = stream;
    assert_eq!(stream.read(&mut [0; 64]).unwrap(), 1);
}

#[test]
fn a_reader_whose_input_is_gone_can_still_be_killed() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let target = reader(&stream, 64, &Bytes::default());
        let (thief, mut signal) = thief({
            let (stream, target) = (stream.clone(), target.clone());
            move || {
                take(&stream);
                target.kill_nowait();
            }
        });
        meanwhile(|| {
            signal.write_all(b"!").unwrap();
            peer.write_all(b"x").unwrap();
        });
        thief.join();
        assert_dies(&target);
    });
}

#[test]
fn a_reader_whose_input_is_gone_still_gets_an_exception() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let target = reader(&stream, 64, &Bytes::default());
        let (thief, mut signal) = thief({
            let (stream, target) = (stream.clone(), target.clone());
            move || {
                target.throw("stop");
                take(&stream);
            }
        });
        meanwhile(|| {
            signal.write_all(b"!").unwrap();
            peer.write_all(b"x").unwrap();
        });
        thief.join();
        assert_dies(&target);
        assert!(target.get().unwrap_err().is_thrown());
    });
}

#[test]
fn a_reader_whose_input_is_gone_still_has_its_time_limit() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let target = spawn({
            let stream = stream.clone();
            move || with_timeout(0.05, || (&*stream).read(&mut [0; 64])).is_err()
        });
        quiesce();
        let (thief, mut signal) = thief({
            let stream = stream.clone();
            move || take(&stream)
        });
        signal.write_all(b"!").unwrap();
        peer.write_all(b"x").unwrap();
        std::thread::sleep(Duration::from_millis(60)); // real time: the limit passes meanwhile
        thief.join();
        assert_dies(&target);
        assert!(target.get().unwrap());
    });
}

#[test]
fn an_acceptor_whose_connection_is_gone_can_still_be_killed() {
    alone(20, || {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let target = spawn({
            let listener = listener.clone();
            move || drop(listener.accept())
        });
        quiesce();
        let (thief, mut signal) = thief({
            let (listener, target) = (listener.clone(), target.clone());
            move || {
                drop(listener.accept());
                target.kill_nowait();
            }
        });
        meanwhile(|| {
            signal.write_all(b"!").unwrap();
            std::net::TcpStream::connect(address).unwrap()
        });
        thief.join();
        assert_dies(&target);
    });
}

#[test]
fn a_woken_reader_that_finds_nothing_waits_for_the_next_input() {
    alone(20, || {
        let (stream, mut peer) = local_pair();
        let (stream, got) = (Rc::new(stream), Bytes::default());
        let target = reader(&stream, 64, &got);
        let (thief, mut signal) = thief({
            let stream = stream.clone();
            move || take(&stream)
        });
        meanwhile(|| {
            signal.write_all(b"!").unwrap();
            peer.write_all(b"x").unwrap();
        });
        thief.join();
        quiesce();
        assert!(got.borrow().is_empty());
        peer.write_all(b"mine").unwrap();
        quiesce();
        target.kill();
        assert_eq!(*got.borrow(), b"mine");
    });
}
