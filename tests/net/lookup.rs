//! Name look-ups: elsewhere, abandonable, and no obstacle to the hub.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::net::{TcpStream, ToSocketAddrs};
use betterthreads::{GreenletExit, sleep, spawn, with_timeout};

use crate::support::hosted;

fn look_up() -> Option<std::net::SocketAddr> {
    ("localhost", 80).to_socket_addrs().ok()?.next()
}

#[test]
fn an_address_in_figures_is_no_look_up() {
    hosted(10, || {
        let ran = Rc::new(Cell::new(false));
        spawn({
            let ran = ran.clone();
            move || ran.set(true)
        });
        for _ in 0..10 {
            ("127.0.0.1", 80).to_socket_addrs().unwrap();
            "127.0.0.1:80".to_socket_addrs().unwrap();
        }
        assert!(!ran.get());
    });
}

#[test]
fn many_look_ups_at_once_are_all_answered() {
    hosted(10, || {
        let greenlets: Vec<_> = (0..100).map(|_| spawn(look_up)).collect();
        for greenlet in greenlets {
            assert!(greenlet.get().unwrap().is_some());
        }
    });
}

#[test]
fn a_look_up_that_is_killed_is_abandoned() {
    hosted(20, || {
        for _ in 0..100 {
            let greenlet = spawn(|| {
                look_up();
                sleep(3600);
            });
            sleep(0);
            greenlet.kill();
            assert!(greenlet.get().unwrap_err().is_killed());
        }
        assert!(look_up().is_some());
    });
}

#[test]
fn a_connect_that_is_killed_during_its_look_up_is_abandoned() {
    hosted(10, || {
        let greenlet = spawn(|| drop(TcpStream::connect(("localhost", 1))));
        sleep(0);
        greenlet.throw(GreenletExit);
        greenlet.join();
        assert!(greenlet.dead());
    });
}

#[test]
fn a_look_up_has_time_limits_like_anything_else() {
    hosted(20, || {
        for _ in 0..100 {
            // Either it was answered in time or it was given up; nothing hangs.
            let _ = with_timeout(0.0001, look_up);
        }
        assert!(look_up().is_some());
    });
}
