//! A call that waits is interrupted, and did not happen.

use std::cell::{Cell, RefCell};
use std::io::{IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream, UdpSocket};
use betterthreads::{GreenletExit, getcurrent, spawn, with_timeout};

use crate::support::{
    alone, full_listener, local_pair, meanwhile, open_fds, pattern, settle, shrink, std_pair,
};

/// The ways to interrupt a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum How {
    Kill,
    KillFromElsewhere,
    Throw,
    TimeOut,
}

const ALL: [How; 4] = [How::Kill, How::KillFromElsewhere, How::Throw, How::TimeOut];

/// Lets a greenlet come to wait in `call` and interrupts it there. All of it is gone on return.
#[track_caller]
pub(crate) fn interrupt(how: How, call: impl FnOnce() + 'static) {
    let returned = Rc::new(Cell::new(false));
    let body = {
        let returned = returned.clone();
        move || {
            call();
            returned.set(true);
        }
    };
    let greenlet = spawn(move || match how {
        How::TimeOut => assert!(with_timeout(0.1, body).is_err()),
        _ => body(),
    });
    settle();
    assert!(!greenlet.dead() && !returned.get(), "{how:?}: it waits");
    match how {
        How::Kill => greenlet.kill(),
        How::KillFromElsewhere => meanwhile(|| greenlet.kill_nowait()),
        How::Throw => greenlet.throw("stop"),
        How::TimeOut => {}
    }
    let result = greenlet.get();
    assert!(!returned.get(), "{how:?}");
    match how {
        How::Kill | How::KillFromElsewhere => assert!(result.unwrap_err().is_killed()),
        How::Throw => assert!(result.unwrap_err().is_thrown()),
        How::TimeOut => result.unwrap(),
    }
}

/// Does `test` once for each way, and checks that it leaves no descriptor open.
#[track_caller]
pub(crate) fn each_way(test: impl Fn(How) + Send + 'static) {
    alone(20, move || {
        for how in ALL {
            let before = open_fds();
            test(how);
            assert_eq!(open_fds(), before, "{how:?}");
        }
    });
}

#[test]
fn the_next_acceptor_gets_the_connection() {
    each_way(|how| {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let killed = listener.clone();
        interrupt(how, move || drop(killed.accept()));
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn a_connection_attempt_leaves_no_trace() {
    each_way(|how| {
        let full = full_listener();
        let (address, before) = (full.address, open_fds());
        interrupt(how, move || drop(TcpStream::connect(address)));
        assert_eq!(open_fds(), before);
        let minute = Duration::from_secs(60);
        interrupt(how, move || {
            drop(TcpStream::connect_timeout(&address, minute));
        });
        assert_eq!(open_fds(), before);

        let (_, peer) = full.socket.accept().unwrap();
        assert_eq!(peer.as_socket(), full.first.local_addr().ok());
        full.socket.set_nonblocking(true).unwrap();
        assert!(full.socket.accept().is_err(), "the attempt came through");
        // There is room again, for the next in line.
        let client = TcpStream::connect(address).unwrap();
        let (_, peer) = full.socket.accept().unwrap();
        assert_eq!(peer.as_socket(), client.local_addr().ok());
    });
}

#[test]
fn the_next_reader_gets_every_byte() {
    each_way(|how| {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let killed = stream.clone();
        interrupt(how, move || drop((&*killed).read(&mut [0; 64])));
        let killed = stream.clone();
        interrupt(how, move || drop(killed.peek(&mut [0; 64])));
        let killed = stream.clone();
        interrupt(how, move || {
            let (mut one, mut two) = ([0; 8], [0; 8]);
            let mut room = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
            drop((&*killed).read_vectored(&mut room));
        });
        peer.write_all(b"everything").unwrap();
        let mut buf = [0; 64];
        assert_eq!((&*stream).read(&mut buf).unwrap(), 10);
        assert_eq!(&buf[..10], b"everything");
    });
}

#[test]
fn the_next_receiver_gets_every_datagram() {
    each_way(|how| {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let (address, theirs) = (socket.local_addr().unwrap(), socket.clone());
        interrupt(how, move || {
            theirs.recv_from(&mut [0; 8]).unwrap();
        });
        for text in [&b"one"[..], b"two"] {
            socket.send_to(text, address).unwrap();
        }
        let mut buf = [0; 8];
        assert_eq!(socket.recv_from(&mut buf).unwrap(), (3, address));
        assert_eq!(socket.recv(&mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"two");
    });
}

#[test]
fn a_reader_behind_the_interrupted_one_is_served() {
    each_way(|how| {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let (first, second) = (stream.clone(), stream);
        let behind = Rc::new(RefCell::new(None));
        let place = behind.clone();
        interrupt(how, move || {
            *place.borrow_mut() = Some(spawn(move || {
                let mut buf = [0; 64];
                let count = (&*second).read(&mut buf).unwrap();
                buf[..count].to_vec()
            }));
            drop((&*first).read(&mut [0; 64]));
        });
        peer.write_all(b"for you").unwrap();
        let behind = behind.take().unwrap();
        assert_eq!(behind.get().unwrap(), b"for you");
    });
}

#[test]
fn what_a_writer_was_told_is_sent_and_no_more() {
    each_way(|how| {
        let (client, mut server) = std_pair();
        let client = TcpStream::from(client);
        shrink(&client);
        shrink(&server);
        let client = Rc::new(client);
        let (killed, sent) = (client.clone(), Rc::new(Cell::new(0)));
        let count = sent.clone();
        interrupt(how, move || {
            loop {
                let block: Vec<u8> = (0..10_000).map(|at| pattern(count.get() + at)).collect();
                count.set(count.get() + (&*killed).write(&block).unwrap());
            }
        });
        client.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent.get());
        assert!((0..received.len()).all(|at| received[at] == pattern(at)));
    });
}

#[test]
fn a_vectored_writer_is_no_different() {
    each_way(|how| {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let (killed, sent) = (stream.clone(), Rc::new(Cell::new(0)));
        let count = sent.clone();
        interrupt(how, move || {
            let parts = [std::io::IoSlice::new(&[1; 700]); 9];
            loop {
                count.set(count.get() + (&*killed).write_vectored(&parts).unwrap());
            }
        });
        drop(stream);
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), sent.get());
    });
}

#[test]
fn a_stream_that_its_greenlet_owned_is_closed() {
    each_way(|how| {
        let (mut stream, mut peer) = local_pair();
        let before = open_fds();
        interrupt(how, move || drop(stream.read(&mut [0; 64])));
        assert_eq!(open_fds(), before - 1);
        assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    });
}

#[test]
fn one_that_never_began_closes_what_it_captured() {
    alone(10, || {
        let before = open_fds();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let greenlet = spawn(move || drop(listener.accept()));
        greenlet.kill();
        assert_eq!(open_fds(), before);
        assert!(std::net::TcpStream::connect(address).is_err());
    });
}

/// Says goodbye to the peer and waits for the answer.
struct Polite(TcpStream);

impl Drop for Polite {
    fn drop(&mut self) {
        self.0.write_all(b"goodbye").unwrap();
        let mut answer = [0; 3];
        self.0.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"bye");
    }
}

#[test]
fn a_destructor_may_talk_to_the_peer() {
    alone(10, || {
        let (stream, peer) = local_pair();
        let mut peer = TcpStream::from(std::os::fd::OwnedFd::from(peer));
        let talker = spawn(move || {
            let polite = Polite(stream);
            drop((&polite.0).read(&mut [0; 64]));
        });
        settle();
        talker.kill_nowait();
        settle();
        assert!(!talker.dead(), "it waits for the answer");
        talker.kill_nowait();
        let mut buf = [0; 7];
        peer.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"goodbye");
        peer.write_all(b"bye").unwrap();
        talker.join();
        assert!(talker.get().unwrap_err().is_killed());
        assert_eq!(peer.read(&mut buf).unwrap(), 0);
    });
}

#[test]
fn a_shielded_read_is_finished() {
    alone(10, || {
        let (mut stream, mut peer) = local_pair();
        let received = Rc::new(Cell::new(0));
        let count = received.clone();
        let reader = spawn(move || {
            count.set(betterthreads::shield(|| stream.read(&mut [0; 64]).unwrap()));
            drop(stream.read(&mut [0; 64]));
        });
        settle();
        reader.kill_nowait();
        settle();
        assert!(!reader.dead());
        peer.write_all(b"whole").unwrap();
        reader.join();
        assert_eq!(received.get(), 5);
        assert!(reader.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_caught_exception_leaves_the_stream_usable() {
    alone(10, || {
        let (stream, mut peer) = local_pair();
        let reader = spawn(move || {
            let call = || (&stream).read(&mut [0; 64]);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
            assert!(caught.unwrap_err().is::<&str>());
            let mut buf = [0; 64];
            let count = (&stream).read(&mut buf).unwrap();
            buf[..count].to_vec()
        });
        settle();
        reader.throw("look up");
        settle();
        peer.write_all(b"later").unwrap();
        assert_eq!(reader.get().unwrap(), b"later");
    });
}

#[test]
fn a_swallowed_kill_is_raised_at_every_call_and_nothing_is_taken() {
    alone(10, || {
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let raised = Rc::new(Cell::new(0));
        let (killed, count) = (stream.clone(), raised.clone());
        let reader = spawn(move || {
            for _ in 0..5 {
                let call = || (&*killed).read(&mut [0; 1]);
                let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
                if caught.is_err_and(|payload| payload.is::<GreenletExit>()) {
                    count.set(count.get() + 1);
                }
                // From here on there is enough to read.
                peer.write_all(b"x").unwrap();
            }
        });
        settle();
        reader.kill();
        reader.get().unwrap();
        assert_eq!(raised.get(), 5);
        assert_eq!((&*stream).read(&mut [0; 64]).unwrap(), 5);
    });
}

/// Makes `call` the next yield point of a greenlet that is to die; it would not have to wait.
#[track_caller]
pub(crate) fn assert_raises(call: impl FnOnce() + 'static) {
    let returned = Rc::new(Cell::new(false));
    let flag = returned.clone();
    let greenlet = spawn(move || {
        getcurrent().kill_nowait();
        call();
        flag.set(true);
    });
    assert!(greenlet.get().unwrap_err().is_killed());
    assert!(!returned.get());
}

#[test]
fn a_call_that_need_not_wait_does_not_begin_once_the_kill_is_on() {
    alone(10, || {
        let before = open_fds();
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        peer.write_all(b"untouched").unwrap();
        let killed = stream.clone();
        assert_raises(move || drop((&*killed).read(&mut [0; 4])));
        let killed = stream.clone();
        assert_raises(move || {
            let mut buf = [0; 4];
            drop((&*killed).read_vectored(&mut [IoSliceMut::new(&mut buf)]));
        });
        let killed = stream.clone();
        assert_raises(move || drop(killed.peek(&mut [0; 4])));
        let killed = stream.clone();
        assert_raises(move || drop((&*killed).write(b"unsent")));
        assert_eq!((&*stream).read(&mut [0; 64]).unwrap(), 9);
        drop(stream);
        assert_eq!(peer.read(&mut [0; 8]).unwrap(), 0);

        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(address).unwrap();
        let killed = listener.clone();
        assert_raises(move || drop(killed.accept()));
        assert_raises(move || drop(TcpStream::connect(address)));
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody else has connected");
        drop((listener, client, peer));
        assert_eq!(open_fds(), before);
    });
}
