//! Descriptor numbers are used again at once: no wake-up goes to the wrong socket or to none.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;

use betterthreads::net::TcpStream;
use betterthreads::{Greenlet, sleep, spawn, with_timeout};

use crate::support::{
    alone, alone_without_hub, eventually, local_pair, meanwhile, open_fds, settle,
};

const ROUNDS: usize = 3000;

/// Reads exactly one byte from `stream` and closes it.
fn read_byte(mut stream: TcpStream) -> u8 {
    let mut buf = [0; 2];
    assert_eq!(stream.read(&mut buf).unwrap(), 1);
    buf[0]
}

/// A greenlet that waits for one byte.
fn wait_for_byte(stream: TcpStream) -> Greenlet<u8> {
    let greenlet = spawn(|| read_byte(stream));
    settle();
    assert!(!greenlet.dead(), "it waits");
    greenlet
}

/// Sends `byte` to whoever waits on the other end and checks that it arrives there.
#[track_caller]
fn check(waiting: &Greenlet<u8>, mut peer: UnixStream, byte: u8) {
    assert!(!waiting.dead(), "it was woken by somebody else's input");
    peer.write_all(&[byte]).unwrap();
    assert_eq!(waiting.get().unwrap(), byte);
}

#[test]
fn a_number_that_is_used_again_has_its_own_wake_ups() {
    alone(60, || {
        let before = open_fds();
        let mut reused = 0;
        for round in 0..ROUNDS {
            let (old, mut old_peer) = local_pair();
            let number = old.as_raw_fd();
            let killed = wait_for_byte(old);
            // An event of the old socket is on its way when it is closed.
            old_peer.write_all(b"stale").unwrap();
            killed.kill();
            let (new, new_peer) = local_pair();
            reused += usize::from(new.as_raw_fd() == number);
            let waiting = wait_for_byte(new);
            drop(old_peer);
            settle();
            check(&waiting, new_peer, round as u8);
        }
        assert!(reused > ROUNDS / 2, "{reused}");
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_socket_closed_on_another_thread_leaves_nothing_behind() {
    alone(60, || {
        let before = open_fds();
        let (sender, receiver) = channel::<TcpStream>();
        let (done, dropped) = channel();
        let closer = std::thread::spawn(move || {
            for stream in receiver {
                drop(stream);
                done.send(()).unwrap();
            }
        });
        for round in 0..ROUNDS / 3 {
            let (old, mut old_peer) = local_pair();
            let old = Arc::new(old);
            let killed = spawn({
                let old = old.clone();
                move || drop((&*old).read(&mut [0; 8]))
            });
            settle();
            killed.kill();
            old_peer.write_all(b"stale").unwrap();
            sender.send(Arc::into_inner(old).unwrap()).unwrap();
            if round % 2 == 0 {
                dropped.recv().unwrap();
            }
            let (new, new_peer) = local_pair();
            let waiting = wait_for_byte(new);
            check(&waiting, new_peer, round as u8);
            if round % 2 != 0 {
                dropped.recv().unwrap();
            }
        }
        drop(sender);
        closer.join().unwrap();
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_socket_that_moves_between_hubs_takes_its_wake_ups_along() {
    alone(60, || {
        let before = open_fds();
        let (sender, receiver) = channel::<(TcpStream, u8)>();
        let (done, finished) = channel();
        let other = std::thread::spawn(move || {
            betterthreads::run(|| {
                // Between two rounds this hub stands still.
                for (stream, byte) in receiver {
                    assert_eq!(spawn(|| read_byte(stream)).get().unwrap(), byte);
                    done.send(()).unwrap();
                }
            });
        });
        for round in 0..ROUNDS / 6 {
            let (stream, mut peer) = local_pair();
            let stream = Arc::new(stream);
            let killed = spawn({
                let stream = stream.clone();
                move || drop((&*stream).read(&mut [0; 8]))
            });
            settle();
            killed.kill();
            let byte = round as u8;
            sender.send((Arc::into_inner(stream).unwrap(), byte)).unwrap();
            if round % 2 == 0 {
                std::thread::yield_now();
            }
            peer.write_all(&[byte]).unwrap();
            finished.recv().unwrap();
            assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0, "it is closed");
        }
        drop(sender);
        other.join().unwrap();
        eventually(|| open_fds() == before);
    });
}

#[test]
fn a_clone_that_is_closed_does_not_silence_the_other() {
    alone(60, || {
        let before = open_fds();
        let (stream, mut peer) = local_pair();
        let stream = Arc::new(stream);
        for round in 0..ROUNDS / 3 {
            // The same open file under the same number, again and again.
            let clone = stream.try_clone().unwrap();
            let killed = wait_for_byte(clone);
            let waiting = spawn({
                let stream = stream.clone();
                move || {
                    let mut buf = [0; 2];
                    assert_eq!((&*stream).read(&mut buf).unwrap(), 1);
                    buf[0]
                }
            });
            settle();
            killed.kill();
            peer.write_all(&[round as u8]).unwrap();
            assert_eq!(waiting.get().unwrap(), round as u8);
        }
        drop((stream, peer));
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_descriptor_given_away_and_taken_back_is_waited_for_again() {
    alone(60, || {
        let before = open_fds();
        let (mut stream, mut peer) = local_pair();
        for round in 0..ROUNDS / 3 {
            let byte = round as u8;
            let reader = betterthreads::thread::spawn(move || {
                let mut buf = [0; 1];
                stream.read_exact(&mut buf).unwrap();
                assert_eq!(buf, [byte]);
                stream
            });
            settle();
            peer.write_all(&[byte]).unwrap();
            let mut plain = UnixStream::from(OwnedFd::from(reader.join().unwrap()));
            peer.write_all(&[byte]).unwrap();
            plain.read_exact(&mut [0; 1]).unwrap();
            if round % 2 == 0 {
                peer.write_all(b"there already").unwrap();
                plain.read_exact(&mut [0; 13]).unwrap();
            }
            stream = OwnedFd::from(plain).into();
        }
        drop((stream, peer));
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn sockets_closed_in_the_turn_that_woke_them_do_no_harm() {
    alone(60, || {
        let before = open_fds();
        for _ in 0..ROUNDS / 30 {
            let mut peers = Vec::new();
            let readers: Vec<_> = (0..10)
                .map(|_| {
                    let (stream, peer) = local_pair();
                    peers.push(peer);
                    wait_for_byte(stream)
                })
                .collect();
            // All become readable at once; half of them are killed before they run.
            meanwhile(|| {
                for (index, peer) in peers.iter_mut().enumerate() {
                    peer.write_all(&[index as u8]).unwrap();
                }
                readers.iter().step_by(2).for_each(Greenlet::kill_nowait);
            });
            for (index, reader) in readers.iter().enumerate() {
                let result = reader.get();
                match index % 2 {
                    // It may have returned first: then it got its byte.
                    0 => assert!(result.map_or_else(|e| e.is_killed(), |b| b == index as u8)),
                    _ => assert_eq!(result.unwrap(), index as u8),
                }
            }
            drop(peers);
            assert_eq!(open_fds(), before);
        }
        sleep(0);
    });
}

#[test]
fn a_socket_keeps_nothing_open_of_hubs_that_are_gone() {
    alone_without_hub(60, || {
        let (stream, peer) = local_pair();
        let stream = Arc::new(stream);
        let before = open_fds();
        for _ in 0..20 {
            let stream = stream.clone();
            let host = std::thread::spawn(move || {
                betterthreads::run(|| {
                    let read = || (&*stream).read(&mut [0; 1]);
                    assert!(with_timeout(0.001, read).is_err());
                });
            });
            host.join().unwrap();
        }
        assert_eq!(open_fds(), before);
        drop((stream, peer));
    });
}
