//! Great numbers of greenlets alive at once, and of descriptors that belong to them.
#![allow(unsafe_code)] // For the limit of descriptors.

use std::cell::Cell;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::{Greenlet, joinall, killall, sleep, spawn, thread};

use crate::common::{has_guard_markers, hosted_alone, on_drop, settle, stream};

/// More than the 32,765 stacks for which a kernel's 65,530 mappings suffice at two for each.
const MANY: usize = 40_000;

/// How many fit at least where each guard does take two mappings.
const MANY_WITHOUT_MARKERS: usize = 28_000;

/// Spawns as many greenlets as there can be, and lets them come to their first wait.
fn spawn_many(body: impl Fn() + Clone + 'static) -> Vec<Greenlet<()>> {
    let mut all = Vec::new();
    while all.len() < MANY {
        match thread::Builder::new().spawn(body.clone()) {
            Ok(handle) => all.push(handle.greenlet()),
            Err(error) => {
                assert!(!has_guard_markers() && all.len() >= MANY_WITHOUT_MARKERS);
                assert_eq!(error.kind(), ErrorKind::OutOfMemory, "it is refused in time");
                break;
            }
        }
    }
    settle();
    all
}

#[test]
fn forty_thousand_alive_at_once_are_joined() {
    hosted_alone(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let all = spawn_many(move || assert!(goes.wait()));
        assert_eq!(go.linkcount(), all.len());
        go.set();
        assert_eq!(joinall(&all).len(), all.len());
        assert!(all.iter().all(Greenlet::successful));
    });
}

#[test]
fn forty_thousand_alive_at_once_are_killed() {
    hosted_alone(|| {
        let drops = Rc::new(Cell::new(0));
        let counts = drops.clone();
        let all = spawn_many(move || {
            let _count = on_drop(|| counts.set(counts.get() + 1));
            sleep(3600);
        });
        assert!(all.iter().all(Greenlet::started));
        killall(&all);
        assert_eq!(drops.get(), all.len());
        assert!(all.iter().all(Greenlet::dead));
        spawn(|| ()).get().expect("there is room again");
    });
}

/// Allows this process as many descriptors as it may allow itself, and says how many that is.
fn raise_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls are given the address of a structure of the right type that outlives them.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("the list of descriptors").count()
}

/// Greenlets that own a stream each and read from it, 5000 or as many as descriptors allow for, and
/// the other ends.
fn readers() -> (Vec<Greenlet<()>>, Vec<UnixStream>) {
    let amount = 5000.min((raise_limit() - 100) / 2);
    assert!(amount > 100, "{amount} would prove little");
    let (readers, peers) = (0..amount)
        .map(|_| {
            let (mut stream, peer) = stream();
            (spawn(move || drop(stream.read(&mut [0]))), peer)
        })
        .unzip();
    settle();
    (readers, peers)
}

/// Asserts that of all the streams only `peers` are left open.
fn assert_closed(open: usize, before: usize, peers: &mut [UnixStream]) {
    assert_eq!(open, before + peers.len());
    for peer in peers {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "its peer sees the end");
    }
}

#[test]
fn five_thousand_with_a_descriptor_each_have_closed_it_when_killall_returns() {
    hosted_alone(|| {
        let before = open_descriptors();
        let (readers, mut peers) = readers();
        assert_eq!(open_descriptors(), before + 2 * peers.len());
        killall(&readers);
        assert_closed(open_descriptors(), before, &mut peers);
    });
}

#[test]
fn five_thousand_with_a_descriptor_each_have_closed_it_when_an_os_threads_killall_returns() {
    hosted_alone(|| {
        let before = open_descriptors();
        let (readers, mut peers) = readers();
        let killer = std::thread::spawn({
            let readers = readers.clone();
            move || {
                killall(&readers);
                open_descriptors()
            }
        });
        joinall(&readers);
        assert_closed(killer.join().unwrap(), before, &mut peers);
    });
}
