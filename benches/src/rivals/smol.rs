//! smol: futures on one `LocalExecutor`, which the main thread runs.

use std::hint::black_box;
use std::io;
use std::rc::Rc;

use smol::channel::{Receiver, Sender, bounded, unbounded};
use smol::future::{self, yield_now};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::{Mutex, OnceCell, Semaphore};
use smol::net::{TcpListener, TcpStream};
use smol::{Async, LocalExecutor, Task, Timer};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, LIMIT, Operations, PERMITS, Parking, Rounds};
use crate::scenario::{Visit, Witness};
use crate::sockets;

pub const RIVAL: Rival = Rival {
    name: "smol",
    notes: &[
        "one LocalExecutor; a task is a future, not a stack: its kill (cancel) drops the future, \
         with no unwind",
        "a time limit is or() with a Timer, which asks its future first, so that what is ready \
         never starts the timer",
    ],
    means: Means::Functions(&[
        (Work::Yields, yields),
        (Work::SpawnAndJoin, spawn_and_join),
        (Work::ParkAndKill, park_and_kill),
        (Work::KillSockets, kill_sockets),
        (Work::PingPong, ping_pong),
        (Work::PingPongBounded, ping_pong_bounded),
        (Work::FanIn, fan_in),
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

type Executor = &'static LocalExecutor<'static>;

/// Runs what `driver` makes as a task.
fn drive<Driver: Future<Output = ()> + 'static>(driver: impl FnOnce(Executor) -> Driver) {
    let executor: Executor = Box::leak(Box::new(LocalExecutor::new()));
    smol::block_on(executor.run(executor.spawn(driver(executor))));
}

fn yields(amount: Amount) {
    drive(async move |executor| {
        join_all(spawn_all(executor, amount.tasks, |_| yield_often(amount.each))).await;
        scenario::yields_are_over(amount);
    });
}

async fn yield_often(count: usize) {
    yield_now().await;
    scenario::first_yield_is_over();
    for _ in 0..count {
        yield_now().await;
    }
}

fn spawn_and_join(amount: Amount) {
    drive(async move |executor| {
        for () in Rounds::new(amount) {
            join_all(spawn_all(executor, amount.tasks, |_| async {})).await;
        }
    });
}

fn spawn_all<Body: Future<Output = ()> + 'static>(
    executor: Executor,
    tasks: usize,
    body: impl Fn(usize) -> Body,
) -> Vec<Task<()>> {
    (0..tasks).map(|index| executor.spawn(body(index))).collect()
}

async fn join_all(tasks: Vec<Task<()>>) {
    for task in tasks {
        task.await;
    }
}

async fn cancel_all(tasks: Vec<Task<()>>) {
    for task in tasks {
        assert_eq!(task.cancel().await, None, "it was cancelled");
    }
}

fn park_and_kill(amount: Amount) {
    drive(async move |executor| {
        let (alarm, never) = (Rc::new(OnceCell::new()), Rc::new(OnceCell::<()>::new()));
        let parking = Parking::begin(amount.tasks);
        let tasks = spawn_all(executor, amount.tasks, |_| {
            let (alarm, never) = (Rc::clone(&alarm), Rc::clone(&never));
            async move {
                let witness = Witness::new();
                alarm.wait().await;
                witness.is_awake();
                never.wait().await;
            }
        });
        while Witness::alive() < amount.tasks {
            yield_now().await;
        }
        let waking = parking.all_are_parked();
        alarm.set(()).await.expect("nobody else sets it");
        while Witness::awake() < amount.tasks {
            yield_now().await;
        }
        let killing = waking.all_were_woken();
        cancel_all(tasks).await;
        killing.all_are_dead();
    });
}

fn kill_sockets(amount: Amount) {
    drive(async move |executor| {
        let (far_ends, near_ends) = sockets::connect(amount.tasks);
        let read = |near| {
            executor.spawn(async move {
                let mut near = TcpStream::from(Async::new(near).expect("a socket"));
                let _witness = Witness::new();
                let read = near.read(&mut [0]).await;
                panic!("nobody writes, yet there is {read:?}");
            })
        };
        let tasks = near_ends.into_iter().map(read).collect();
        while Witness::alive() < amount.tasks {
            yield_now().await;
        }
        let killing = far_ends.all_are_read();
        cancel_all(tasks).await;
        killing.all_are_dead();
    });
}

fn ping_pong(amount: Amount) {
    play(amount, unbounded(), unbounded());
}

fn ping_pong_bounded(amount: Amount) {
    play(amount, bounded(1), bounded(1));
}

type Channel = (Sender<usize>, Receiver<usize>);

fn play(amount: Amount, (serve, served): Channel, (give_back, returned): Channel) {
    drive(async move |executor| {
        let partner = executor.spawn(async move {
            while let Ok(ball) = served.recv().await {
                give_back.send(ball).await.expect("the player listens");
            }
        });
        let operations = Operations::begin(amount);
        for ball in 0..amount.each {
            serve.send(ball).await.expect("the partner listens");
            assert_eq!(returned.recv().await, Ok(ball), "the ball came back");
        }
        operations.are_over(amount.each);
        drop(serve);
        partner.await;
    });
}

fn fan_in(amount: Amount) {
    drive(async move |executor| {
        let (sender, receiver) = unbounded();
        let operations = Operations::begin(amount);
        let producers = spawn_all(executor, amount.tasks, |_| {
            let sender = sender.clone();
            async move {
                for number in 0..amount.each {
                    sender.send(number).await.expect("the consumer listens");
                }
            }
        });
        drop(sender);
        let mut received = 0;
        while receiver.recv().await.is_ok() {
            received += 1;
        }
        operations.are_over(received);
        join_all(producers).await;
    });
}

fn mutex_free(amount: Amount) {
    drive(move |executor| lock_often(executor, amount, async || ()));
}

fn mutex_held(amount: Amount) {
    drive(move |executor| lock_often(executor, amount, yield_now));
}

async fn lock_often<Hold: Future<Output = ()>>(
    executor: Executor,
    amount: Amount,
    hold: impl Fn() -> Hold + Copy + 'static,
) {
    let mutex = Rc::new(Mutex::new(0));
    let operations = Operations::begin(amount);
    let tasks = spawn_all(executor, amount.tasks, |_| {
        let counter = Rc::clone(&mutex);
        async move {
            for _ in 0..amount.each {
                let mut guard = counter.lock().await;
                let count = *guard;
                hold().await;
                *guard = count + 1;
            }
        }
    });
    join_all(tasks).await;
    operations.are_over(*mutex.lock().await);
}

fn semaphore(amount: Amount) {
    drive(async move |executor| {
        let semaphore = Rc::new(Semaphore::new(PERMITS));
        let operations = Operations::begin(amount);
        let tasks = spawn_all(executor, amount.tasks, |_| {
            let semaphore = Rc::clone(&semaphore);
            async move {
                for _ in 0..amount.each {
                    let _permit = semaphore.acquire().await;
                    let _visit = Visit::begin();
                    yield_now().await;
                }
            }
        });
        join_all(tasks).await;
        operations.are_over(scenario::done());
    });
}

fn limit(amount: Amount) {
    drive(move |executor| limit_often(executor, amount, async || black_box(())));
}

fn limited_yield(amount: Amount) {
    drive(move |executor| limit_often(executor, amount, yield_now));
}

async fn limit_often<Work: Future<Output = ()>>(
    executor: Executor,
    amount: Amount,
    work: impl Fn() -> Work + Copy + 'static,
) {
    let operations = Operations::begin(amount);
    let tasks = spawn_all(executor, amount.tasks, |_| async move {
        for _ in 0..amount.each {
            let limit = async {
                Timer::after(LIMIT).await;
                panic!("it is in time");
            };
            future::or(work(), limit).await;
            scenario::one_is_done();
        }
    });
    join_all(tasks).await;
    operations.are_over(scenario::done());
}

fn sleeps(amount: Amount) {
    drive(async move |executor| {
        for () in Rounds::new(amount) {
            let tasks = spawn_all(executor, amount.tasks, async |index| {
                Timer::after(scenario::pause(index)).await;
                scenario::one_is_done();
            });
            join_all(tasks).await;
        }
        scenario::all_are_done(amount);
    });
}

fn echo(amount: Amount) {
    let announcement = Announcement::pinned(amount);
    drive(async move |executor| {
        let listener = TcpListener::bind(ADDRESS).await.expect("a loopback port");
        announcement.listening_at(listener.local_addr().expect("a bound address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            executor.spawn(echo_one(stream)).detach();
        }
    });
}

async fn echo_one(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}
