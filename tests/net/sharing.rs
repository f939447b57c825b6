//! One socket in several greenlets, hubs and OS threads.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::{sleep, spawn};

use crate::support::{hosted, pattern, patterned, settle, std_pair, within};

/// A pair of streams that no hub knows yet.
fn pair() -> (TcpStream, TcpStream) {
    let (client, server) = std_pair();
    (client.into(), server.into())
}

#[test]
fn a_waiting_reader_lets_the_others_run() {
    hosted(10, || {
        let (mut client, mut server) = pair();
        let turns = Rc::new(Cell::new(0));
        let other = spawn({
            let turns = turns.clone();
            move || {
                for _ in 0..10 {
                    sleep(0.001);
                    turns.set(turns.get() + 1);
                }
                server.write_all(b"done").unwrap();
            }
        });
        client.read_exact(&mut [0; 4]).unwrap();
        assert_eq!(turns.get(), 10);
        other.get().unwrap();
    });
}

#[test]
fn waiting_readers_are_served_in_the_order_they_came() {
    hosted(10, || {
        let (client, mut server) = pair();
        let client = Rc::new(client);
        let order = Rc::new(Cell::new(Vec::new()));
        let readers: Vec<_> = (0..4)
            .map(|number| {
                let (client, order) = (client.clone(), order.clone());
                spawn(move || {
                    let mut buf = [0; 1];
                    (&*client).read_exact(&mut buf).unwrap();
                    let mut served = order.take();
                    served.push((number, buf[0]));
                    order.set(served);
                })
            })
            .collect();
        settle();
        server.write_all(b"abcd").unwrap();
        betterthreads::joinall(&readers);
        assert_eq!(order.take(), [(0, b'a'), (1, b'b'), (2, b'c'), (3, b'd')]);
    });
}

#[test]
fn two_hubs_may_wait_for_the_same_stream() {
    within(10, || {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let waiting = Arc::new(AtomicUsize::new(0));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (client, waiting) = (client.clone(), waiting.clone());
                std::thread::spawn(move || {
                    betterthreads::run(|| {
                        let reader = spawn(move || {
                            let mut count = 0;
                            let mut buf = [0; 7];
                            loop {
                                match (&*client).read(&mut buf).unwrap() {
                                    0 => return count,
                                    more => count += more,
                                }
                            }
                        });
                        settle();
                        waiting.fetch_add(1, Ordering::SeqCst);
                        reader.get().unwrap()
                    })
                })
            })
            .collect();
        while waiting.load(Ordering::SeqCst) < 2 {
            std::thread::yield_now();
        }
        for _ in 0..500 {
            server.write_all(&[1; 100]).unwrap();
        }
        drop(server);
        let counts: Vec<usize> = readers.into_iter().map(|r| r.join().unwrap()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 50_000);
    });
}

#[test]
fn one_hub_reads_while_another_writes() {
    within(10, || {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let length = 300_000;
        let writer = std::thread::spawn({
            let client = client.clone();
            move || {
                betterthreads::run(|| {
                    let body = move || {
                        (&*client).write_all(&patterned(length)).unwrap();
                        client.shutdown(Shutdown::Write).unwrap();
                    };
                    spawn(body).get().unwrap();
                });
            }
        });
        let reader = std::thread::spawn(move || {
            betterthreads::run(|| {
                let body = move || {
                    let mut bytes = Vec::new();
                    (&*client).read_to_end(&mut bytes).unwrap();
                    bytes
                };
                spawn(body).get().unwrap()
            })
        });
        // The echo is a plain OS thread.
        let mut buf = [0; 5000];
        loop {
            match server.read(&mut buf).unwrap() {
                0 => break,
                count => server.write_all(&buf[..count]).unwrap(),
            }
        }
        drop(server);
        writer.join().unwrap();
        assert!(reader.join().unwrap() == patterned(length));
    });
}

#[test]
fn two_hubs_may_accept_from_the_same_listener() {
    within(10, || {
        const CONNECTIONS: usize = 60;
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let acceptors: Vec<_> = (0..2)
            .map(|_| {
                let (listener, accepted) = (listener.clone(), accepted.clone());
                std::thread::spawn(move || {
                    betterthreads::run(|| {
                        for _ in 0..3 {
                            let (listener, accepted) = (listener.clone(), accepted.clone());
                            spawn(move || {
                                for stream in listener.incoming() {
                                    stream.unwrap().write_all(b"x").unwrap();
                                    accepted.fetch_add(1, Ordering::SeqCst);
                                }
                            });
                        }
                        while accepted.load(Ordering::SeqCst) < CONNECTIONS {
                            sleep(0.001);
                        }
                    });
                })
            })
            .collect();
        for _ in 0..CONNECTIONS {
            let mut client = std::net::TcpStream::connect(address).unwrap();
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            assert_eq!(text, "x");
        }
        for acceptor in acceptors {
            acceptor.join().unwrap();
        }
    });
}

#[test]
fn a_thread_without_a_hub_and_a_greenlet_share_a_stream() {
    hosted(10, || {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let read_one = |client: &TcpStream| {
            let mut buf = [0; 1];
            let mut client = client;
            client.read_exact(&mut buf).unwrap();
            buf[0]
        };
        let greenlet = spawn({
            let client = client.clone();
            move || read_one(&client)
        });
        settle();
        let thread = std::thread::spawn(move || read_one(&client));
        server.write_all(b"ab").unwrap();
        let mut bytes = [greenlet.get().unwrap(), thread.join().unwrap()];
        bytes.sort_unstable();
        assert_eq!(&bytes, b"ab");
    });
}

/// Waits for `client` twice on a hub of its own and gives both ends back.
fn converse(mut client: TcpStream, mut server: TcpStream, round: u8) -> (TcpStream, TcpStream) {
    betterthreads::run(|| {
        let greenlet = betterthreads::thread::spawn(move || {
            let mut buf = [0; 2];
            client.read_exact(&mut buf[..1]).unwrap();
            client.write_all(b"!").unwrap();
            client.read_exact(&mut buf[1..]).unwrap();
            assert_eq!(buf, [round, round + 1]);
            client
        });
        settle();
        server.write_all(&[round]).unwrap();
        server.read_exact(&mut [0; 1]).unwrap();
        server.write_all(&[round + 1]).unwrap();
        (greenlet.join().unwrap(), server)
    })
}

#[test]
fn a_stream_may_move_from_hub_to_hub() {
    within(10, || {
        let mut ends = pair();
        for round in 0..50 {
            let (client, server) = ends;
            let thread = std::thread::spawn(move || converse(client, server, round));
            ends = thread.join().unwrap();
        }
    });
}

#[test]
fn a_stream_may_outlive_the_hub_that_knew_it() {
    within(10, || {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        std::thread::spawn({
            let client = client.clone();
            move || {
                betterthreads::run(|| {
                    spawn(move || (&*client).read(&mut [0; 1]));
                    settle();
                });
            }
        })
        .join()
        .unwrap();
        server.write_all(&[pattern(1)]).unwrap();
        let mut buf = [0; 1];
        (&*client).read_exact(&mut buf).unwrap();
        assert_eq!(buf, [pattern(1)]);
        // Its registration is taken back from a hub that is gone.
        drop(client);
        assert_eq!(server.read(&mut buf).unwrap(), 0);
    });
}
