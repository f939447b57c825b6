//! K9: what returns because a greenlet is dead returns when every trace of it is gone.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use betterthreads::event::Event;
use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::select::select;
use betterthreads::{Greenlet, killall, sleep, thread, with_timeout};
use socket2::{Domain, Socket, Type};

use crate::common::{
    connect, hosted, hosted_alone, identity, is_open, listener, on_drop, parked, stream,
};

/// Ways of learning that a greenlet is dead after it was asked to die.
const ENDS: [fn(&Greenlet<()>); 6] = [
    Greenlet::kill,
    |target| assert!(target.kill_timeout(60)),
    |target| killall([target]),
    |target| {
        target.kill_nowait();
        target.join();
    },
    |target| {
        target.kill_nowait();
        assert!(target.get().is_err());
    },
    |target| {
        target.kill_nowait();
        while !target.dead() {
            sleep(0);
        }
    },
];

#[test]
fn every_destructor_has_run() {
    for end in ENDS {
        hosted(move || {
            let drops = Rc::new(Cell::new(0));
            let counts = drops.clone();
            let target = parked(move || {
                let count = |waits: fn()| {
                    let counts = counts.clone();
                    on_drop(move || {
                        waits();
                        counts.set(counts.get() + 1);
                    })
                };
                let _first = count(|| ());
                let _second = Box::new(count(|| sleep(0.001)));
                let nested = || {
                    let _third = count(|| sleep(0));
                    sleep(3600);
                };
                nested();
            });
            end(&target);
            assert_eq!(drops.get(), 3);
            assert_eq!(Rc::strong_count(&drops), 1, "what it captured is gone too");
        });
    }
}

#[test]
fn another_thread_finds_every_destructor_run() {
    hosted(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let counts = drops.clone();
        let target = parked(move || {
            let _count = on_drop(|| {
                sleep(0.001);
                counts.fetch_add(1, Ordering::Relaxed);
            });
            sleep(3600);
        });
        let killer = std::thread::spawn({
            let target = target.clone();
            move || {
                target.kill();
                (drops.load(Ordering::Relaxed), Arc::strong_count(&drops))
            }
        });
        target.join();
        assert_eq!(killer.join().unwrap(), (1, 1));
    });
}

/// A greenlet that accepts at a port which nobody else uses, and its address.
fn acceptor() -> (Greenlet<()>, SocketAddr) {
    let listener = TcpListener::bind("127.9.9.9:0").unwrap();
    let address = listener.local_addr().unwrap();
    (parked(move || drop(listener.accept())), address)
}

/// A socket, not bound yet, that shares its port with nobody.
fn unshared() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    assert!(!socket.reuse_address().unwrap());
    socket
}

#[test]
fn its_port_is_free_on_the_next_line() {
    hosted_alone(|| {
        for end in ENDS {
            let (target, address) = acceptor();
            let again = unshared();
            assert!(again.bind(&address.into()).is_err(), "it is taken");
            end(&target);
            again.bind(&address.into()).unwrap();
        }
    });
}

#[test]
fn its_port_is_free_on_the_next_line_of_another_thread() {
    hosted_alone(|| {
        let (target, address) = acceptor();
        let killer = std::thread::spawn({
            let target = target.clone();
            move || {
                let again = unshared();
                target.kill();
                again.bind(&address.into())
            }
        });
        target.join();
        killer.join().unwrap().unwrap();
    });
}

#[test]
fn its_sockets_are_closed() {
    for end in ENDS {
        hosted(move || {
            let (stream, mut peer) = stream();
            let listener = listener();
            let files = [identity(&stream), identity(&listener)];
            let reader = parked(move || drop((&stream).read(&mut [0])));
            let acceptor = parked(move || drop(listener.accept()));
            assert!(files.iter().all(|file| is_open(file)));
            end(&reader);
            end(&acceptor);
            assert!(!files.iter().any(|file| is_open(file)));
            assert_eq!(peer.read(&mut [0]).unwrap(), 0, "its peer sees the end");
        });
    }
}

#[test]
fn a_connection_that_it_served_is_closed() {
    hosted(|| {
        let listener = listener();
        let mut client = connect(&listener);
        let server = parked(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"hello").unwrap();
            drop(stream.read(&mut [0]));
        });
        server.kill();
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    });
}

#[test]
fn its_descriptors_numbers_are_free_of_its_past() {
    hosted(|| {
        for _ in 0..50 {
            let (old, _peer) = stream();
            let reader = parked(move || drop((&old).read(&mut [0])));
            reader.kill();
            // The new stream has the number of the old one, unless another test was faster.
            let (mut new, mut peer) = stream();
            let reader = parked(move || {
                let mut text = String::new();
                new.read_to_string(&mut text).map(|_| text).unwrap()
            });
            peer.write_all(b"hello").unwrap();
            drop(peer);
            assert_eq!(reader.get().unwrap(), "hello");
        }
    });
}

#[test]
fn its_stack_is_used_again() {
    hosted(|| {
        let places = Rc::new(Cell::new([0; 2]));
        for index in 0..2 {
            let notes = places.clone();
            let target = parked(move || {
                let local = 0_u8;
                let mut both = notes.get();
                both[index] = (&raw const local).addr();
                notes.set(both);
                sleep(3600);
            });
            target.kill();
        }
        let [first, second] = places.get();
        assert_ne!(first, 0);
        assert_eq!(first, second);
    });
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// One greenlet for each thing that may be waited for, each with its own descriptors.
fn waiters(address: SocketAddr) -> Vec<Greenlet<()>> {
    let (read, peer) = stream();
    let accept = TcpListener::bind("127.0.0.1:0").unwrap();
    let (pipe, pipe_writer) = std::io::pipe().unwrap();
    let (one, two) = stream();
    let event = Event::new();
    vec![
        parked(move || drop(((&read).read(&mut [0]), peer))),
        parked(move || drop(accept.accept())),
        parked(move || drop((select(&[pipe.as_fd()], &[], &[], 3600), pipe_writer))),
        parked(move || drop((with_timeout(3600, || (&one).read(&mut [0])), two))),
        parked(move || {
            event.wait_timeout(3600);
        }),
        parked(move || {
            let stream = TcpStream::connect(address).unwrap();
            drop((&stream).read(&mut [0]));
        }),
        parked(thread::park),
    ]
}

#[test]
fn no_descriptor_is_left_open() {
    hosted_alone(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        killall(&waiters(address)); // What is made once is made.
        let before = open_descriptors();
        for _ in 0..20 {
            let waiting = waiters(address);
            let in_use = open_descriptors();
            assert!(in_use >= before + 7, "{in_use} of {before}");
            killall(&waiting);
            assert_eq!(open_descriptors(), before);
        }
    });
}

#[test]
fn no_mapping_is_left_behind() {
    hosted_alone(|| {
        let mappings = || std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        let round = || {
            let sleepers: Vec<Greenlet<()>> = (0..100).map(|_| parked(|| sleep(3600))).collect();
            killall(&sleepers);
        };
        round();
        let before = mappings();
        (0..20).for_each(|_| round());
        assert!(mappings() <= before + 4, "{} after {before}", mappings());
    });
}
