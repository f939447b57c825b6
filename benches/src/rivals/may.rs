//! may: coroutines on one worker thread, with a coroutine as the driver, so that spawning,
//! joining and cancelling happen on that worker too.

use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use may::coroutine::{self, Builder, JoinHandle, sleep, yield_now};
use may::go;
use may::net::{TcpListener, TcpStream};
use may::sync::mpsc::channel;
use may::sync::{Mutex, Semphore, SyncFlag};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, Operations, PERMITS, Parking, Rounds, Visit, Witness};
use crate::sockets;

/// Not the size of the other coroutines: may would take this stack from its pool.
const DRIVER_STACK_WORDS: usize = 0x10000;

pub const RIVAL: Rival = Rival {
    name: "may",
    notes: &[
        "one worker, not pinned; default stacks (32 KiB), the default pool of 1,000 of them",
        "20,000 tasks at most: each stack takes two mappings, so that vm.max_map_count (65,530 by \
         default) ends a run of 100,000",
        "it has no bounded channel and no time limit around other code",
    ],
    means: Means::Functions(&[
        (Work::Yields, yields),
        (Work::SpawnAndJoin, spawn_and_join),
        (Work::ParkAndKill, park_and_kill),
        (Work::KillSockets, kill_sockets),
        (Work::PingPong, ping_pong),
        (Work::FanIn, fan_in),
        (Work::SendReceive, send_receive),
        (Work::Scope, scope),
        (Work::MutexFree, mutex_free),
        (Work::MutexHeld, mutex_held),
        (Work::Semaphore, semaphore),
        (Work::Sleeps, sleeps),
        (Work::Echo, echo),
    ]),
    most_tasks: 20_000,
    slowness: 1,
};

pub const POOLED: Rival = Rival {
    name: "may-pooled",
    notes: &["may with a pool of as many stacks as tasks, filled before the clock starts"],
    means: Means::Functions(&[(Work::SpawnAndJoin, spawn_and_join_pooled)]),
    most_tasks: 20_000,
    slowness: 1,
};

/// Runs `body` as a coroutine of the only worker.
fn drive(body: impl FnOnce() + Send + 'static) {
    may::config().set_workers(1).set_worker_pin(false);
    let driver = go!(Builder::new().stack_size(DRIVER_STACK_WORDS), body);
    driver.expect("a stack").join().expect("the driver returns");
}

fn yields(amount: Amount) {
    drive(move || {
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
    drive(move || {
        for () in Rounds::new(amount) {
            spawn_all_and_join(amount.tasks, |_| ());
        }
    });
}

fn spawn_and_join_pooled(amount: Amount) {
    may::config().set_pool_capacity(amount.tasks);
    spawn_and_join(amount);
}

fn spawn_all_and_join(tasks: usize, body: impl Fn(usize) + Clone + Send + 'static) {
    let spawn_one = |index| {
        let body = body.clone();
        go!(move || body(index))
    };
    let handles: Vec<JoinHandle<()>> = (0..tasks).map(spawn_one).collect();
    for handle in handles {
        handle.join().expect("the body returns");
    }
}

fn cancel_all(handles: &[JoinHandle<()>]) {
    for handle in handles {
        // SAFETY: the coroutine owns nothing but its witness, a socket, and references.
        unsafe { handle.coroutine().cancel() };
    }
    for handle in handles {
        handle.wait();
    }
}

fn park_and_kill(amount: Amount) {
    drive(move || {
        let flag = || Arc::new(SyncFlag::new());
        // A driver that yielded until all are so far would never let its only worker go on.
        let (alarm, never, all_are_here, all_are_awake) = (flag(), flag(), flag(), flag());
        let parking = Parking::begin(amount.tasks);
        let wait_twice = |_| {
            let (alarm, never) = (Arc::clone(&alarm), Arc::clone(&never));
            let (all_are_here, all_are_awake) =
                (Arc::clone(&all_are_here), Arc::clone(&all_are_awake));
            go!(move || {
                let witness = Witness::new();
                if witness.number() == amount.tasks {
                    all_are_here.fire();
                }
                alarm.wait();
                if witness.is_awake() == amount.tasks {
                    all_are_awake.fire();
                }
                never.wait();
            })
        };
        let handles: Vec<JoinHandle<()>> = (0..amount.tasks).map(wait_twice).collect();
        all_are_here.wait();
        let waking = parking.all_are_parked();
        alarm.fire();
        all_are_awake.wait();
        let killing = waking.all_were_woken();
        cancel_all(&handles);
        killing.all_are_dead();
    });
}

fn kill_sockets(amount: Amount) {
    drive(move || {
        let (far_ends, near_ends) = sockets::connect(amount.tasks);
        let all_are_here = Arc::new(SyncFlag::new());
        let read = |near: std::net::TcpStream| {
            let all_are_here = Arc::clone(&all_are_here);
            go!(move || {
                // SAFETY: the descriptor is open and given away by its only owner.
                let mut near = unsafe { TcpStream::from_raw_fd(near.into_raw_fd()) };
                let witness = Witness::new();
                if witness.number() == amount.tasks {
                    all_are_here.fire();
                }
                let read = near.read(&mut [0]);
                panic!("nobody writes, yet there is {read:?}");
            })
        };
        let handles: Vec<JoinHandle<()>> = near_ends.into_iter().map(read).collect();
        all_are_here.wait();
        let killing = far_ends.all_are_read();
        cancel_all(&handles);
        killing.all_are_dead();
    });
}

fn ping_pong(amount: Amount) {
    drive(move || {
        let ((serve, served), (give_back, returned)) = (channel(), channel());
        let partner = go!(move || {
            for ball in served.iter() {
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
    });
}

fn fan_in(amount: Amount) {
    drive(move || {
        let (sender, receiver) = channel();
        let operations = Operations::begin(amount);
        let consumer = go!(move || operations.are_over(receiver.iter().count()));
        spawn_all_and_join(amount.tasks, move |_| {
            for number in 0..amount.each {
                sender.send(number).expect("the consumer listens");
            }
        });
        consumer.join().expect("the consumer returns");
    });
}

fn send_receive(amount: Amount) {
    drive(move || {
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
    drive(move || {
        let done = AtomicUsize::new(0);
        let operations = Operations::begin(amount);
        for _ in 0..amount.each {
            coroutine::scope(|scope| {
                for _ in 0..amount.tasks {
                    // SAFETY: the body keeps to what may asks of all of them: it does not touch
                    // thread-locals, and a stack is enough for it.
                    unsafe { scope.spawn(|| done.fetch_add(1, Ordering::Relaxed)) };
                }
            });
        }
        operations.are_over(done.into_inner());
    });
}

fn mutex_free(amount: Amount) {
    lock_often(amount, || ());
}

fn mutex_held(amount: Amount) {
    lock_often(amount, yield_now);
}

fn lock_often(amount: Amount, hold: fn()) {
    drive(move || {
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
    });
}

fn semaphore(amount: Amount) {
    drive(move || {
        let semaphore = Arc::new(Semphore::new(PERMITS));
        let operations = Operations::begin(amount);
        spawn_all_and_join(amount.tasks, move |_| {
            for _ in 0..amount.each {
                semaphore.wait();
                let visit = Visit::begin();
                yield_now();
                drop(visit);
                semaphore.post();
            }
        });
        operations.are_over(scenario::done());
    });
}

fn sleeps(amount: Amount) {
    drive(move || {
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
