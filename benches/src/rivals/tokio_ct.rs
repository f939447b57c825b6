//! tokio: futures on the current-thread runtime.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};

use super::Rival;
use crate::echo::{ADDRESS, Announcement, BUFFER_BYTES};
use crate::scenario::{self, Parking, Witness};

pub const RIVAL: Rival = Rival {
    name: "tokio-ct",
    notes: &["a task is a future, not a stack: its kill (abort) drops the future, with no unwind"],
    yields: Some(yields),
    spawn_and_join: Some(spawn_and_join),
    park_and_kill: Some(park_and_kill),
    most_parked: usize::MAX,
    echo: Some(echo),
};

fn yields(tasks: usize, each: usize) {
    block_on(async {
        let handles = (0..tasks).map(|_| tokio::spawn(yield_often(each))).collect();
        join_all(handles).await;
        scenario::yields_are_over(tasks * each);
    });
}

async fn yield_often(count: usize) {
    yield_now().await;
    scenario::first_yield_is_over();
    for _ in 0..count {
        yield_now().await;
    }
}

fn spawn_and_join(tasks: usize) {
    block_on(scenario::time_spawn_and_join_async(tasks, async || {
        let handles = (0..tasks).map(|_| tokio::spawn(async {})).collect();
        join_all(handles).await;
    }));
}

async fn join_all(handles: Vec<JoinHandle<()>>) {
    for handle in handles {
        handle.await.expect("the body returns");
    }
}

fn park_and_kill(tasks: usize) {
    block_on(async move {
        let gate = Arc::new(Notify::new());
        let parking = Parking::begin(tasks);
        let wait_at_gate = |_| {
            let gate = Arc::clone(&gate);
            tokio::spawn(async move {
                let _witness = Witness::new();
                gate.notified().await;
            })
        };
        let handles: Vec<JoinHandle<()>> = (0..tasks).map(wait_at_gate).collect();
        while Witness::alive() < tasks {
            yield_now().await;
        }
        let killing = parking.all_are_parked();
        for handle in &handles {
            handle.abort();
        }
        for handle in handles {
            assert!(handle.await.is_err_and(|error| error.is_cancelled()), "it was aborted");
        }
        killing.all_are_dead();
    });
}

fn echo(announcement: Announcement) {
    block_on(async move {
        let listener = TcpListener::bind(ADDRESS).await.expect("a loopback port");
        announcement.listening_at(listener.local_addr().expect("a bound address"));
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(echo_one(stream));
        }
    });
}

async fn echo_one(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

fn block_on(driver: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread().enable_io().build();
    runtime.expect("a runtime").block_on(driver);
}
