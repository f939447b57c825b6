//! OS threads with std's own means: what a blocking program has without any of the others.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread::{self, JoinHandle, yield_now};

use super::Rival;
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, Parking, Witness};

pub const RIVAL: Rival = Rival {
    name: "os-threads",
    notes: &[
        "on all cores, except in echo (one core); the time is of all threads together",
        "10,000 parked threads, and their kernel stacks are not in the memory figure; their kill \
         is cooperative (a flag and notify_all), with no unwind",
    ],
    yields: Some(yields),
    spawn_and_join: Some(spawn_and_join),
    park_and_kill: Some(park_and_kill),
    most_parked: 10_000,
    echo: Some(echo),
};

fn yields(tasks: usize, each: usize) {
    let start = Arc::new(Barrier::new(tasks));
    spawn_all_and_join(tasks, || {
        let start = Arc::clone(&start);
        move || {
            start.wait();
            scenario::first_yield_is_over();
            for _ in 0..each {
                yield_now();
            }
        }
    });
    scenario::yields_are_over(tasks * each);
}

fn spawn_and_join(tasks: usize) {
    scenario::time_spawn_and_join(tasks, || spawn_all_and_join(tasks, || || ()));
}

fn spawn_all_and_join<Body: FnOnce() + Send + 'static>(tasks: usize, body: impl Fn() -> Body) {
    join_all((0..tasks).map(|_| thread::spawn(body())).collect());
}

fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.join().expect("the body returns");
    }
}

/// Where the threads wait. `is_open` is the wish that they end.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    all_are_here: Condvar,
}

fn park_and_kill(tasks: usize) {
    let gate = Arc::new(Gate::default());
    let parking = Parking::begin(tasks);
    let wait_at_gate = |_| {
        let gate = Arc::clone(&gate);
        thread::spawn(move || {
            let guard = gate.is_open.lock().expect("no panic");
            let _witness = Witness::new();
            if Witness::alive() == tasks {
                gate.all_are_here.notify_one();
            }
            drop(gate.opened.wait_while(guard, |is_open| !*is_open));
        })
    };
    let handles: Vec<JoinHandle<()>> = (0..tasks).map(wait_at_gate).collect();
    let guard = gate.is_open.lock().expect("no panic");
    let all_are_away = |_: &mut bool| Witness::alive() < tasks;
    let mut is_open = gate.all_are_here.wait_while(guard, all_are_away).expect("no panic");
    let killing = parking.all_are_parked();
    *is_open = true;
    drop(is_open);
    gate.opened.notify_all();
    join_all(handles);
    killing.all_are_dead();
}

fn echo(announcement: Announcement) {
    let listener = TcpListener::bind(ADDRESS).expect("a loopback port");
    announcement.listening_at(listener.local_addr().expect("a bound address"));
    loop {
        let (stream, _) = listener.accept().expect("a connection");
        thread::spawn(move || echo_one(stream));
    }
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
