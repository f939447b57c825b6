//! tokio: futures on the current-thread runtime, and on the multi-thread one with two workers.

use std::hint::black_box;
use std::io;
use std::sync::Arc;

use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio::sync::{Mutex, Notify, Semaphore, SetOnce};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use super::{Function, Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, FILE_BYTES, LIMIT, Operations, PERMITS, Parking, Rounds};
use crate::scenario::{Visit, Witness};
use crate::sockets;

pub const CURRENT_THREAD: Rival = Rival {
    name: "tokio-ct",
    notes: &[
        "the current-thread runtime; a task is a future, not a stack: its kill (abort) drops the \
         future, with no unwind",
        "timeout() asks its future first, so that what is ready never starts a timer",
    ],
    means: Means::Functions(CurrentThread::FUNCTIONS),
    most_tasks: usize::MAX,
    slowness: 1,
};

pub const TWO_WORKERS: Rival = Rival {
    name: "tokio-2",
    notes: &[
        "the multi-thread runtime with 2 workers; CPU time is of both together, in echo they \
         share one core",
    ],
    means: Means::Functions(TwoWorkers::FUNCTIONS),
    most_tasks: usize::MAX,
    slowness: 1,
};

trait Flavor: Sized + 'static {
    fn runtime() -> io::Result<Runtime>;

    const FUNCTIONS: &'static [(Work, Function)] = &[
        (Work::Yields, yields::<Self>),
        (Work::SpawnAndJoin, spawn_and_join::<Self>),
        (Work::ParkAndKill, park_and_kill::<Self>),
        (Work::KillSockets, kill_sockets::<Self>),
        (Work::PingPong, ping_pong::<Self>),
        (Work::PingPongBounded, ping_pong_bounded::<Self>),
        (Work::FanIn, fan_in::<Self>),
        (Work::ReadFile, read_file::<Self>),
        (Work::MutexFree, mutex_free::<Self>),
        (Work::MutexHeld, mutex_held::<Self>),
        (Work::Semaphore, semaphore::<Self>),
        (Work::Limit, limit::<Self>),
        (Work::LimitedYield, limited_yield::<Self>),
        (Work::Sleeps, sleeps::<Self>),
        (Work::Echo, echo::<Self>),
    ];
}

struct CurrentThread;

impl Flavor for CurrentThread {
    fn runtime() -> io::Result<Runtime> {
        Builder::new_current_thread().enable_all().build()
    }
}

struct TwoWorkers;

impl Flavor for TwoWorkers {
    fn runtime() -> io::Result<Runtime> {
        Builder::new_multi_thread().worker_threads(2).enable_all().build()
    }
}

/// Runs `driver` as a task.
fn drive<F: Flavor>(driver: impl Future<Output = ()> + Send + 'static) {
    let runtime = F::runtime().expect("a runtime");
    runtime.block_on(async { tokio::spawn(driver).await.expect("the driver returns") });
}

fn yields<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        join_all(spawn_all(amount.tasks, |_| yield_often(amount.each))).await;
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

fn spawn_and_join<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        for () in Rounds::new(amount) {
            join_all(spawn_all(amount.tasks, |_| async {})).await;
        }
    });
}

fn spawn_all<Body: Future<Output = ()> + Send + 'static>(
    tasks: usize,
    body: impl Fn(usize) -> Body,
) -> Vec<JoinHandle<()>> {
    (0..tasks).map(|index| tokio::spawn(body(index))).collect()
}

async fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.await.expect("the body returns");
    }
}

async fn abort_all(handles: Vec<JoinHandle<()>>) {
    handles.iter().for_each(JoinHandle::abort);
    for handle in handles {
        assert!(handle.await.is_err_and(|error| error.is_cancelled()), "it was aborted");
    }
}

fn park_and_kill<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let (alarm, never) = (Arc::new(SetOnce::new()), Arc::new(SetOnce::<()>::new()));
        let reached = Arc::new(Notify::new());
        let parking = Parking::begin(amount.tasks);
        let handles = spawn_all(amount.tasks, |_| {
            let (alarm, never) = (Arc::clone(&alarm), Arc::clone(&never));
            let reached = Arc::clone(&reached);
            async move {
                let witness = Witness::new();
                if witness.number() == amount.tasks {
                    reached.notify_one();
                }
                alarm.wait().await;
                if witness.is_awake() == amount.tasks {
                    reached.notify_one();
                }
                never.wait().await;
            }
        });
        reached.notified().await;
        let waking = parking.all_are_parked();
        alarm.set(()).expect("nobody else sets it");
        reached.notified().await;
        let killing = waking.all_were_woken();
        abort_all(handles).await;
        killing.all_are_dead();
    });
}

fn kill_sockets<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let (far_ends, near_ends) = sockets::connect(amount.tasks);
        let reached = Arc::new(Notify::new());
        let read = |near: std::net::TcpStream| {
            let reached = Arc::clone(&reached);
            tokio::spawn(async move {
                near.set_nonblocking(true).expect("a socket");
                let mut near = TcpStream::from_std(near).expect("a socket");
                let witness = Witness::new();
                if witness.number() == amount.tasks {
                    reached.notify_one();
                }
                let read = near.read(&mut [0]).await;
                panic!("nobody writes, yet there is {read:?}");
            })
        };
        let handles = near_ends.into_iter().map(read).collect();
        reached.notified().await;
        let killing = far_ends.all_are_read();
        abort_all(handles).await;
        killing.all_are_dead();
    });
}

fn ping_pong<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let ((serve, mut served), (give_back, mut returned)) =
            (unbounded_channel(), unbounded_channel());
        let partner = tokio::spawn(async move {
            while let Some(ball) = served.recv().await {
                give_back.send(ball).expect("the player listens");
            }
        });
        let operations = Operations::begin(amount);
        for ball in 0..amount.each {
            serve.send(ball).expect("the partner listens");
            assert_eq!(returned.recv().await, Some(ball), "the ball came back");
        }
        operations.are_over(amount.each);
        drop(serve);
        partner.await.expect("the partner returns");
    });
}

fn ping_pong_bounded<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let ((serve, mut served), (give_back, mut returned)) = (channel(1), channel(1));
        let partner = tokio::spawn(async move {
            while let Some(ball) = served.recv().await {
                give_back.send(ball).await.expect("the player listens");
            }
        });
        let operations = Operations::begin(amount);
        for ball in 0..amount.each {
            serve.send(ball).await.expect("the partner listens");
            assert_eq!(returned.recv().await, Some(ball), "the ball came back");
        }
        operations.are_over(amount.each);
        drop(serve);
        partner.await.expect("the partner returns");
    });
}

fn fan_in<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let (sender, mut receiver) = unbounded_channel();
        let operations = Operations::begin(amount);
        for _ in 0..amount.tasks {
            let sender = sender.clone();
            tokio::spawn(async move {
                for number in 0..amount.each {
                    sender.send(number).expect("the consumer listens");
                }
            });
        }
        drop(sender);
        let mut received = 0;
        while receiver.recv().await.is_some() {
            received += 1;
        }
        operations.are_over(received);
    });
}

fn read_file<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let path = scenario::file_in_memory();
        let mut file = File::open(&path).await.expect("it was just made");
        let mut buffer = [0; FILE_BYTES];
        let operations = Operations::begin(amount);
        let mut read = 0;
        for _ in 0..amount.each {
            file.rewind().await.expect("a regular file");
            read += file.read(&mut buffer).await.expect("bytes") / FILE_BYTES;
        }
        operations.are_over(read);
        fs::remove_file(&path).await.expect("it is there");
    });
}

fn mutex_free<F: Flavor>(amount: Amount) {
    drive::<F>(lock_often(amount, async || ()));
}

fn mutex_held<F: Flavor>(amount: Amount) {
    drive::<F>(lock_often(amount, yield_now));
}

async fn lock_often<Hold: Future<Output = ()> + Send>(
    amount: Amount,
    hold: impl Fn() -> Hold + Copy + Send + 'static,
) {
    let mutex = Arc::new(Mutex::new(0));
    let operations = Operations::begin(amount);
    let handles = spawn_all(amount.tasks, |_| {
        let counter = Arc::clone(&mutex);
        async move {
            for _ in 0..amount.each {
                let mut guard = counter.lock().await;
                let count = *guard;
                hold().await;
                *guard = count + 1;
            }
        }
    });
    join_all(handles).await;
    operations.are_over(*mutex.lock().await);
}

fn semaphore<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let operations = Operations::begin(amount);
        let handles = spawn_all(amount.tasks, |_| {
            let semaphore = Arc::clone(&semaphore);
            async move {
                for _ in 0..amount.each {
                    let _permit = semaphore.acquire().await.expect("nobody closes it");
                    let _visit = Visit::begin();
                    yield_now().await;
                }
            }
        });
        join_all(handles).await;
        operations.are_over(scenario::done());
    });
}

fn limit<F: Flavor>(amount: Amount) {
    drive::<F>(limit_often(amount, async || black_box(())));
}

fn limited_yield<F: Flavor>(amount: Amount) {
    drive::<F>(limit_often(amount, yield_now));
}

async fn limit_often<Work: Future<Output = ()> + Send>(
    amount: Amount,
    work: impl Fn() -> Work + Copy + Send + 'static,
) {
    let operations = Operations::begin(amount);
    let handles = spawn_all(amount.tasks, |_| async move {
        for _ in 0..amount.each {
            timeout(LIMIT, work()).await.expect("it is in time");
            scenario::one_is_done();
        }
    });
    join_all(handles).await;
    operations.are_over(scenario::done());
}

fn sleeps<F: Flavor>(amount: Amount) {
    drive::<F>(async move {
        for () in Rounds::new(amount) {
            let handles = spawn_all(amount.tasks, async |index| {
                sleep(scenario::pause(index)).await;
                scenario::one_is_done();
            });
            join_all(handles).await;
        }
        scenario::all_are_done(amount);
    });
}

fn echo<F: Flavor>(amount: Amount) {
    let announcement = Announcement::pinned(amount);
    drive::<F>(async move {
        let listener = TcpListener::bind(ADDRESS).await.expect("a loopback port");
        announcement.listening_at(listener.local_addr().expect("a bound address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(echo_one(stream));
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
