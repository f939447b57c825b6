//! may: coroutines on one worker thread, with a coroutine as the driver, so that spawning,
//! joining and cancelling happen on that worker too.

use std::io::{self, Read, Write};
use std::sync::Arc;

use may::coroutine::{Builder, JoinHandle, yield_now};
use may::go;
use may::net::{TcpListener, TcpStream};
use may::sync::SyncFlag;

use super::Rival;
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, Parking, Witness};

/// Not the size of the other coroutines: may would take this stack from its pool.
const DRIVER_STACK_WORDS: usize = 0x10000;

pub const RIVAL: Rival = Rival {
    name: "may",
    notes: &[
        "one worker, not pinned; default stacks (32 KiB), the default pool of 1,000 of them",
        "20,000 parked coroutines: each stack takes two mappings, so that vm.max_map_count \
         (65,530 by default) ends a run of 100,000",
    ],
    yields: Some(yields),
    spawn_and_join: Some(spawn_and_join),
    park_and_kill: Some(park_and_kill),
    most_parked: 20_000,
    echo: Some(echo),
};

pub const POOLED: Rival = Rival {
    name: "may-pooled",
    notes: &["may with a pool of as many stacks as tasks, filled before the clock starts"],
    yields: None,
    spawn_and_join: Some(spawn_and_join_pooled),
    park_and_kill: None,
    most_parked: 0,
    echo: None,
};

fn yields(tasks: usize, each: usize) {
    drive(move || {
        spawn_all_and_join(tasks, move || {
            yield_now();
            scenario::first_yield_is_over();
            for _ in 0..each {
                yield_now();
            }
        });
        scenario::yields_are_over(tasks * each);
    });
}

fn spawn_and_join(tasks: usize) {
    drive(move || scenario::time_spawn_and_join(tasks, || spawn_all_and_join(tasks, || ())));
}

fn spawn_and_join_pooled(tasks: usize) {
    may::config().set_pool_capacity(tasks);
    spawn_and_join(tasks);
}

fn spawn_all_and_join(tasks: usize, body: impl Fn() + Copy + Send + 'static) {
    let handles: Vec<JoinHandle<()>> = (0..tasks).map(|_| go!(body)).collect();
    for handle in handles {
        handle.join().expect("the body returns");
    }
}

fn park_and_kill(tasks: usize) {
    drive(move || {
        let gate = Arc::new(SyncFlag::new());
        let all_are_here = Arc::new(SyncFlag::new());
        let parking = Parking::begin(tasks);
        let wait_at_gate = |_| {
            let (gate, all_are_here) = (Arc::clone(&gate), Arc::clone(&all_are_here));
            go!(move || {
                let _witness = Witness::new();
                // A driver that yielded until then would never let its only worker go on.
                if Witness::alive() == tasks {
                    all_are_here.fire();
                }
                gate.wait();
            })
        };
        let handles: Vec<JoinHandle<()>> = (0..tasks).map(wait_at_gate).collect();
        all_are_here.wait();
        let killing = parking.all_are_parked();
        for handle in &handles {
            // SAFETY: the coroutine owns nothing but its witness and two references.
            unsafe { handle.coroutine().cancel() };
        }
        for handle in &handles {
            handle.wait();
        }
        killing.all_are_dead();
    });
}

fn echo(announcement: Announcement) {
    drive(move || {
        let listener = TcpListener::bind(ADDRESS).expect("a loopback port");
        announcement.listening_at(listener.local_addr().expect("a bound address"));
        loop {
            let (stream, _) = listener.accept().expect("a connection");
            go!(move || echo_one(stream));
        }
    });
}

fn echo_one(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count])?,
        }
    }
}

/// Runs `body` as a coroutine of the only worker.
fn drive(body: impl FnOnce() + Send + 'static) {
    may::config().set_workers(1).set_worker_pin(false);
    let driver = go!(Builder::new().stack_size(DRIVER_STACK_WORDS), body);
    driver.expect("a stack").join().expect("the driver returns");
}
