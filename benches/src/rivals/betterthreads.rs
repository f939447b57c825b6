//! betterthreads: greenlets of one hub on the main thread.

use std::hint::black_box;
use std::io::{self, Read, Seek, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use betterthreads::event::Event;
use betterthreads::fs::{self, File};
use betterthreads::lock::Semaphore;
use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::sync::Mutex;
use betterthreads::sync::mpsc::{channel, sync_channel};
use betterthreads::thread::{self, sleep, yield_now};
use betterthreads::{Greenlet, killall, run, spawn, with_timeout};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, FILE_BYTES, LIMIT, Operations, PERMITS, Parking, Rounds};
use crate::scenario::{Visit, Witness};
use crate::sockets;

pub const RIVAL: Rival = Rival {
    name: "betterthreads",
    notes: &["channels are sync::mpsc, the mutex is sync::Mutex, the semaphore lock::Semaphore"],
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
        (Work::Semaphore, semaphore),
        (Work::Limit, limit),
        (Work::LimitedYield, limited_yield),
        (Work::Sleeps, sleeps),
        (Work::Echo, echo),
    ]),
    most_tasks: usize::MAX,
    slowness: 1,
};

fn yields(amount: Amount) {
    run(move || {
        spawn_all_and_join(amount.tasks, move |_| {
            yield_now();
            scenario::first_yield_is_over();
            for _ in 0..amount.each {
                yield_now();
            }
        });
        scenario::yields_are_over(amount);
    });
}

fn spawn_and_join(amount: Amount) {
    run(move || {
        for () in Rounds::new(amount) {
            spawn_all_and_join(amount.tasks, |_| ());
        }
    });
}

fn spawn_all_and_join(tasks: usize, body: impl Fn(usize) + Clone + 'static) {
    let spawn_one = |index| {
        let body = body.clone();
        spawn(move || body(index))
    };
    let greenlets: Vec<Greenlet<()>> = (0..tasks).map(spawn_one).collect();
    for greenlet in &greenlets {
        greenlet.join();
    }
}

fn park_and_kill(amount: Amount) {
    run(move || {
        let (alarm, never) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let parking = Parking::begin(amount.tasks);
        let wait_twice = |_| {
            let (alarm, never) = (Rc::clone(&alarm), Rc::clone(&never));
            spawn(move || {
                let witness = Witness::new();
                alarm.wait();
                witness.is_awake();
                never.wait();
            })
        };
        let greenlets: Vec<Greenlet<()>> = (0..amount.tasks).map(wait_twice).collect();
        while Witness::alive() < amount.tasks {
            yield_now();
        }
        let waking = parking.all_are_parked();
        alarm.set();
        while Witness::awake() < amount.tasks {
            yield_now();
        }
        let killing = waking.all_were_woken();
        killall(&greenlets);
        killing.all_are_dead();
    });
}

fn kill_sockets(amount: Amount) {
    run(move || {
        let (far_ends, near_ends) = sockets::connect(amount.tasks);
        let read = |near| {
            spawn(move || {
                let _witness = Witness::new();
                let read = TcpStream::from(near).read(&mut [0]);
                panic!("nobody writes, yet there is {read:?}");
            })
        };
        let greenlets: Vec<Greenlet<()>> = near_ends.into_iter().map(read).collect();
        while Witness::alive() < amount.tasks {
            yield_now();
        }
        let killing = far_ends.all_are_read();
        killall(&greenlets);
        killing.all_are_dead();
    });
}

fn ping_pong(amount: Amount) {
    run(move || {
        let ((serve, served), (give_back, returned)) = (channel(), channel());
        spawn(move || {
            for ball in served {
                give_back.send(ball).expect("the player listens");
            }
        });
        let player = spawn(move || {
            let operations = Operations::begin(amount);
            for ball in 0..amount.each {
                serve.send(ball).expect("the partner listens");
                assert_eq!(returned.recv(), Ok(ball), "the ball came back");
            }
            operations.are_over(amount.each);
        });
        player.join();
    });
}

fn ping_pong_bounded(amount: Amount) {
    run(move || {
        let ((serve, served), (give_back, returned)) = (sync_channel(1), sync_channel(1));
        spawn(move || {
            for ball in served {
                give_back.send(ball).expect("the player listens");
            }
        });
        let player = spawn(move || {
            let operations = Operations::begin(amount);
            for ball in 0..amount.each {
                serve.send(ball).expect("the partner listens");
                assert_eq!(returned.recv(), Ok(ball), "the ball came back");
            }
            operations.are_over(amount.each);
        });
        player.join();
    });
}

fn fan_in(amount: Amount) {
    run(move || {
        let (sender, receiver) = channel();
        let operations = Operations::begin(amount);
        let consumer = spawn(move || operations.are_over(receiver.iter().count()));
        spawn_all_and_join(amount.tasks, move |_| {
            for number in 0..amount.each {
                sender.send(number).expect("the consumer listens");
            }
        });
        consumer.join();
    });
}

fn send_receive(amount: Amount) {
    run(move || {
        let (sender, receiver) = channel();
        let operations = Operations::begin(amount);
        let mut received = 0;
        for number in 0..amount.each {
            sender.send(number).expect("the receiver is there");
            received += usize::from(receiver.recv() == Ok(number));
        }
        operations.are_over(received);
    });
}

fn scope(amount: Amount) {
    run(move || {
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
    });
}

fn read_file(amount: Amount) {
    run(move || {
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
    });
}

fn mutex_free(amount: Amount) {
    lock_often(amount, || ());
}

fn mutex_held(amount: Amount) {
    lock_often(amount, yield_now);
}

fn lock_often(amount: Amount, hold: fn()) {
    run(move || {
        let mutex = Rc::new(Mutex::new(0));
        let operations = Operations::begin(amount);
        let counter = Rc::clone(&mutex);
        spawn_all_and_join(amount.tasks, move |_| {
            for _ in 0..amount.each {
                let mut guard = counter.lock().expect("no panic");
                let count = *guard;
                hold();
                *guard = count + 1;
            }
        });
        operations.are_over(*mutex.lock().expect("no panic"));
    });
}

fn semaphore(amount: Amount) {
    run(move || {
        let semaphore = Rc::new(Semaphore::new(PERMITS));
        let operations = Operations::begin(amount);
        spawn_all_and_join(amount.tasks, move |_| {
            for _ in 0..amount.each {
                semaphore.with(|| {
                    let _visit = Visit::begin();
                    yield_now();
                });
            }
        });
        operations.are_over(scenario::done());
    });
}

fn limit(amount: Amount) {
    limit_often(amount, || black_box(()));
}

fn limited_yield(amount: Amount) {
    limit_often(amount, yield_now);
}

fn limit_often(amount: Amount, work: fn()) {
    run(move || {
        let operations = Operations::begin(amount);
        spawn_all_and_join(amount.tasks, move |_| {
            for _ in 0..amount.each {
                with_timeout(LIMIT, work).expect("it is in time");
                scenario::one_is_done();
            }
        });
        operations.are_over(scenario::done());
    });
}

fn sleeps(amount: Amount) {
    run(move || {
        for () in Rounds::new(amount) {
            spawn_all_and_join(amount.tasks, |index| {
                sleep(scenario::pause(index));
                scenario::one_is_done();
            });
        }
        scenario::all_are_done(amount);
    });
}

fn echo(amount: Amount) {
    let announcement = Announcement::pinned(amount);
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
