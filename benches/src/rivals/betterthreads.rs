//! betterthreads: greenlets of one hub on the main thread.

use std::io::{self, Read, Write};
use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::thread::yield_now;
use betterthreads::{Greenlet, killall, run, spawn};

use super::Rival;
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, Parking, Witness};

pub const RIVAL: Rival = Rival {
    name: "betterthreads",
    notes: &[],
    yields: Some(yields),
    spawn_and_join: Some(spawn_and_join),
    park_and_kill: Some(park_and_kill),
    most_parked: usize::MAX,
    echo: Some(echo),
};

fn yields(tasks: usize, each: usize) {
    run(move || {
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
    run(move || scenario::time_spawn_and_join(tasks, || spawn_all_and_join(tasks, || ())));
}

fn spawn_all_and_join(tasks: usize, body: impl Fn() + Copy + 'static) {
    let greenlets: Vec<Greenlet<()>> = (0..tasks).map(|_| spawn(body)).collect();
    for greenlet in &greenlets {
        greenlet.join();
    }
}

fn park_and_kill(tasks: usize) {
    run(move || {
        let gate = Rc::new(Event::new());
        let parking = Parking::begin(tasks);
        let wait_at_gate = |_| {
            let gate = Rc::clone(&gate);
            spawn(move || {
                let _witness = Witness::new();
                gate.wait();
            })
        };
        let greenlets: Vec<Greenlet<()>> = (0..tasks).map(wait_at_gate).collect();
        while Witness::alive() < tasks {
            yield_now();
        }
        let killing = parking.all_are_parked();
        killall(&greenlets);
        killing.all_are_dead();
    });
}

fn echo(announcement: Announcement) {
    run(move || {
        let listener = TcpListener::bind(ADDRESS).expect("a loopback port");
        announcement.listening_at(listener.local_addr().expect("a bound address"));
        loop {
            let (stream, _) = listener.accept().expect("a connection");
            spawn(move || echo_one(stream));
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
