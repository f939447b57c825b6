//! OS threads that do what they are told: as themselves, as main greenlets, or in greenlets.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle, panicking};
use std::time::Duration;

use betterthreads::queue::Queue;
use betterthreads::{run, spawn};

/// Longer than anything takes on a busy machine, and shorter than the limits of the tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Where something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// In a greenlet of the first hub.
    Home,
    /// By the main greenlet of the first hub.
    Main,
    /// In a greenlet of the second hub.
    Away,
    /// In a greenlet of the third hub.
    Far,
    /// By an OS thread without a hub.
    Thread,
    /// By another one.
    OtherThread,
}

impl Seat {
    pub(crate) fn has_hub(self) -> bool {
        !matches!(self, Seat::Thread | Seat::OtherThread)
    }
}

type Job = Box<dyn FnOnce() + Send>;

enum Order {
    OnMain(Job),
    InGreenlet(Job),
    End,
}

/// Three hubs and two threads.
pub(crate) struct Stage {
    hubs: [Arc<Queue<Order>>; 3],
    threads: [Sender<Job>; 2],
    handles: Vec<JoinHandle<()>>,
}

fn host(orders: &Queue<Order>) {
    run(|| {
        loop {
            match orders.get() {
                Order::OnMain(job) => job(),
                Order::InGreenlet(job) => drop(spawn(job)),
                Order::End => break,
            }
        }
    });
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let mut handles = Vec::new();
        let mut start = |name: &str, body: Job| {
            let thread = Builder::new().name(name.into()).spawn(body);
            handles.push(thread.expect("a thread"));
        };
        let hubs = ["home", "away", "far"].map(|name| {
            let orders = Arc::new(Queue::new());
            let own = orders.clone();
            start(name, Box::new(move || host(&own)));
            orders
        });
        let threads = ["thread", "other thread"].map(|name| {
            let (sender, jobs) = channel::<Job>();
            start(name, Box::new(move || jobs.into_iter().for_each(|job| job())));
            sender
        });
        Stage { hubs, threads, handles }
    }

    /// Has something done; the answer can be waited for.
    pub(crate) fn begin<R: Send + 'static>(
        &self,
        seat: Seat,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> Answer<R> {
        let (sender, answer) = channel();
        let job: Job = Box::new(move || {
            // Whoever asked may have given up.
            let _ = sender.send(f());
        });
        match seat {
            Seat::Main => self.hubs[0].put(Order::OnMain(job)),
            Seat::Home => self.hubs[0].put(Order::InGreenlet(job)),
            Seat::Away => self.hubs[1].put(Order::InGreenlet(job)),
            Seat::Far => self.hubs[2].put(Order::InGreenlet(job)),
            Seat::Thread => self.threads[0].send(job).expect("a thread"),
            Seat::OtherThread => self.threads[1].send(job).expect("another thread"),
        }
        Answer { seat, answer }
    }

    /// Has something done and waits for it.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        seat: Seat,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        self.begin(seat, f).wait()
    }
}

/// What somebody was told to do and may be doing.
pub(crate) struct Answer<R> {
    seat: Seat,
    answer: Receiver<R>,
}

impl<R> Answer<R> {
    pub(crate) fn wait(self) -> R {
        let answer = self.answer.recv_timeout(PATIENCE);
        answer.unwrap_or_else(|error| panic!("no answer from {:?}: {error}", self.seat))
    }
}

impl Drop for Stage {
    /// After a failure somebody may be stuck for ever; the end of the process ends them.
    fn drop(&mut self) {
        if panicking() {
            return;
        }
        self.hubs.iter().for_each(|orders| orders.put(Order::End));
        self.threads = [(); 2].map(|()| channel().0);
        for handle in self.handles.drain(..) {
            handle.join().unwrap_or_else(|payload| resume_unwind(payload));
        }
    }
}
