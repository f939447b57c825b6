//! OS threads with std's own means: what a blocking program has without any of the others.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle, yield_now};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, FILE_BYTES, Operations, Parking, Rounds, Witness};
use crate::sockets;

pub const RIVAL: Rival = Rival {
    name: "os-threads",
    notes: &[
        "on all cores, except in echo (one core); the time is of all threads together",
        "10,000 tasks at most, and their kernel stacks are not in the memory figure; their kill \
         is cooperative (a flag and notify_all, or shutdown of the socket), with no unwind",
        "a fifth of the yields, messages and requests, because they take so long",
        "std has no semaphore and no time limit around other code",
    ],
    means: Means::Functions(&[
        (Work::Yields, yields),
        (Work::SpawnAndJoin, spawn_and_join),
        (Work::ParkAndKill, park_and_kill),
        (Work::KillSockets, kill_sockets),
        (Work::PingPong, ping_pong),
        (Work::PingPongBounded, ping_pong_bounded),
        (Work::FanIn, fan_in),
        (Work::SendReceive, send_receive),
        (Work::Scope, scope),
        (Work::ReadFile, read_file),
        (Work::MutexFree, mutex_free),
        (Work::MutexHeld, mutex_held),
        (Work::Sleeps, sleeps),
        (Work::Echo, echo),
    ]),
    most_tasks: 10_000,
    slowness: 5,
};

fn yields(amount: Amount) {
    let start = Arc::new(Barrier::new(amount.tasks));
    spawn_all_and_join(amount.tasks, move |_| {
        start.wait();
        scenario::first_yield_is_over();
        for _ in 0..amount.each {
            yield_now();
        }
    });
    scenario::yields_are_over(amount);
}

fn spawn_and_join(amount: Amount) {
    for () in Rounds::new(amount) {
        spawn_all_and_join(amount.tasks, |_| ());
    }
}

fn spawn_all_and_join(tasks: usize, body: impl Fn(usize) + Clone + Send + 'static) {
    let spawn_one = |index| {
        let body = body.clone();
        thread::spawn(move || body(index))
    };
    join_all((0..tasks).map(spawn_one).collect());
}

fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.join().expect("the body returns");
    }
}

/// Where the threads wait.
#[derive(Default)]
struct Gate {
    /// How often they may pass.
    passes: Mutex<usize>,
    opened: Condvar,
    all_are_so_far: Condvar,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.passes.lock().expect("no panic")
    }

    fn wait_for_pass<'a>(
        &self,
        guard: MutexGuard<'a, usize>,
        pass: usize,
    ) -> MutexGuard<'a, usize> {
        self.opened.wait_while(guard, |passes| *passes < pass).expect("no panic")
    }

    fn wait_until_all_are(&self, is_so_far: impl Fn() -> bool) -> MutexGuard<'_, usize> {
        self.all_are_so_far.wait_while(self.lock(), |_| !is_so_far()).expect("no panic")
    }

    fn grant_pass(&self, mut passes: MutexGuard<'_, usize>) {
        *passes += 1;
        drop(passes);
        self.opened.notify_all();
    }
}

fn park_and_kill(amount: Amount) {
    let gate = Arc::new(Gate::default());
    let parking = Parking::begin(amount.tasks);
    let wait_twice = |_| {
        let gate = Arc::clone(&gate);
        thread::spawn(move || {
            let mut guard = gate.lock();
            let witness = Witness::new();
            if witness.number() == amount.tasks {
                gate.all_are_so_far.notify_one();
            }
            guard = gate.wait_for_pass(guard, 1);
            if witness.is_awake() == amount.tasks {
                gate.all_are_so_far.notify_one();
            }
            drop(gate.wait_for_pass(guard, 2));
        })
    };
    let handles: Vec<JoinHandle<()>> = (0..amount.tasks).map(wait_twice).collect();
    let guard = gate.wait_until_all_are(|| Witness::alive() == amount.tasks);
    let waking = parking.all_are_parked();
    gate.grant_pass(guard);
    let guard = gate.wait_until_all_are(|| Witness::awake() == amount.tasks);
    let killing = waking.all_were_woken();
    gate.grant_pass(guard);
    join_all(handles);
    killing.all_are_dead();
}

fn kill_sockets(amount: Amount) {
    let (far_ends, near_ends) = sockets::connect(amount.tasks);
    let all_are_here = Arc::new(Barrier::new(amount.tasks + 1));
    let read = |mut near: TcpStream| {
        let (all_are_here, remote) = (Arc::clone(&all_are_here), near.try_clone());
        let thread = thread::spawn(move || {
            let _witness = Witness::new();
            all_are_here.wait();
            assert_eq!(near.read(&mut [0]).expect("the end"), 0, "nobody writes");
        });
        (thread, remote.expect("a descriptor"))
    };
    let (handles, remotes): (Vec<_>, Vec<_>) = near_ends.into_iter().map(read).unzip();
    all_are_here.wait();
    let killing = far_ends.all_are_read();
    for remote in remotes {
        remote.shutdown(Shutdown::Both).expect("a connection");
    }
    join_all(handles);
    killing.all_are_dead();
}

fn ping_pong(amount: Amount) {
    let ((serve, served), (give_back, returned)) = (channel(), channel());
    let partner = thread::spawn(move || {
        for ball in served {
            give_back.send(ball).expect("the player listens");
        }
    });
    let operations = Operations::begin(amount);
    for ball in 0..amount.each {
        serve.send(ball).expect("the partner listens");
        assert_eq!(returned.recv(), Ok(ball), "the ball came back");
    }
    operations.are_over(amount.each);
    drop(serve);
    partner.join().expect("the partner returns");
}

fn ping_pong_bounded(amount: Amount) {
    let ((serve, served), (give_back, returned)) = (sync_channel(1), sync_channel(1));
    let partner = thread::spawn(move || {
        for ball in served {
            give_back.send(ball).expect("the player listens");
        }
    });
    let operations = Operations::begin(amount);
    for ball in 0..amount.each {
        serve.send(ball).expect("the partner listens");
        assert_eq!(returned.recv(), Ok(ball), "the ball came back");
    }
    operations.are_over(amount.each);
    drop(serve);
    partner.join().expect("the partner returns");
}

fn fan_in(amount: Amount) {
    let (sender, receiver) = channel();
    let operations = Operations::begin(amount);
    let consumer = thread::spawn(move || operations.are_over(receiver.iter().count()));
    spawn_all_and_join(amount.tasks, move |_| {
        for number in 0..amount.each {
            sender.send(number).expect("the consumer listens");
        }
    });
    consumer.join().expect("the consumer returns");
}

fn send_receive(amount: Amount) {
    let (sender, receiver) = channel();
    let operations = Operations::begin(amount);
    let mut received = 0;
    for number in 0..amount.each {
        sender.send(number).expect("the receiver is there");
        received += usize::from(receiver.recv() == Ok(number));
    }
    operations.are_over(received);
}

fn scope(amount: Amount) {
    let done = AtomicUsize::new(0);
    let operations = Operations::begin(amount);
    for _ in 0..amount.each {
        thread::scope(|scope| {
            for _ in 0..amount.tasks {
                scope.spawn(|| done.fetch_add(1, Ordering::Relaxed));
            }
        });
    }
    operations.are_over(done.into_inner());
}

fn read_file(amount: Amount) {
    let path = scenario::file_in_memory();
    let mut file = File::open(&path).expect("it was just made");
    let mut buffer = [0; FILE_BYTES];
    let operations = Operations::begin(amount);
    let mut read = 0;
    for _ in 0..amount.each {
        file.rewind().expect("a regular file");
        read += file.read(&mut buffer).expect("bytes") / FILE_BYTES;
    }
    operations.are_over(read);
    fs::remove_file(&path).expect("it is there");
}

fn mutex_free(amount: Amount) {
    lock_often(amount, || ());
}

fn mutex_held(amount: Amount) {
    lock_often(amount, yield_now);
}

fn lock_often(amount: Amount, hold: fn()) {
    let mutex = Arc::new(Mutex::new(0));
    let operations = Operations::begin(amount);
    let counter = Arc::clone(&mutex);
    spawn_all_and_join(amount.tasks, move |_| {
        for _ in 0..amount.each {
            let mut guard = counter.lock().expect("no panic");
            let count = *guard;
            hold();
            *guard = count + 1;
        }
    });
    operations.are_over(*mutex.lock().expect("no panic"));
}

fn sleeps(amount: Amount) {
    for () in Rounds::new(amount) {
        spawn_all_and_join(amount.tasks, |index| {
            thread::sleep(scenario::pause(index));
            scenario::one_is_done();
        });
    }
    scenario::all_are_done(amount);
}

fn echo(amount: Amount) {
    let announcement = Announcement::pinned(amount);
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
