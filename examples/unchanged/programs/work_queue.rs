//! A queue of work with a bound, made of a mutex and two condition variables.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use crate::platform::sync::{Condvar, Mutex, mpsc};
use crate::platform::thread;

const WORKERS: usize = 8;
const JOBS: u64 = 200;
const BOUND: usize = 4;

struct Jobs<T> {
    queue: VecDeque<T>,
    is_closed: bool,
}

struct WorkQueue<T> {
    jobs: Mutex<Jobs<T>>,
    not_empty: Condvar,
    not_full: Condvar,
}

impl<T> WorkQueue<T> {
    fn new() -> WorkQueue<T> {
        WorkQueue {
            jobs: Mutex::new(Jobs { queue: VecDeque::new(), is_closed: false }),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
        }
    }

    /// Waits for room.
    fn push(&self, job: T) {
        let jobs = self.jobs.lock().unwrap();
        let mut jobs = self.not_full.wait_while(jobs, |jobs| jobs.queue.len() == BOUND).unwrap();
        jobs.queue.push_back(job);
        drop(jobs);
        self.not_empty.notify_one();
    }

    /// Waits for a job; none once the queue is closed and empty.
    fn pop(&self) -> Option<T> {
        let mut jobs = self.jobs.lock().unwrap();
        loop {
            if let Some(job) = jobs.queue.pop_front() {
                drop(jobs);
                self.not_full.notify_one();
                return Some(job);
            }
            if jobs.is_closed {
                return None;
            }
            jobs = self.not_empty.wait(jobs).unwrap();
        }
    }

    fn close(&self) {
        self.jobs.lock().unwrap().is_closed = true;
        self.not_empty.notify_all();
    }
}

/// How many steps Collatz' sequence takes from `number` to 1.
fn steps(number: u64) -> u64 {
    let next = |number: &u64| match number {
        1 => None,
        even if even % 2 == 0 => Some(even / 2),
        odd => Some(3 * odd + 1),
    };
    std::iter::successors(Some(number), next).count() as u64 - 1
}

pub(crate) fn main() -> io::Result<()> {
    let queue = Arc::new(WorkQueue::new());
    let (sender, results) = mpsc::channel();
    let spawn_worker = |number| {
        let (queue, sender) = (queue.clone(), sender.clone());
        thread::Builder::new().name(format!("worker {number}")).spawn(move || {
            while let Some(job) = queue.pop() {
                sender.send((job, steps(job))).unwrap();
                thread::yield_now();
            }
        })
    };
    let workers = (0..WORKERS).map(spawn_worker).collect::<io::Result<Vec<_>>>()?;
    drop(sender);
    (1..=JOBS).for_each(|job| queue.push(job));
    queue.close();

    let mut results: Vec<(u64, u64)> = results.iter().collect();
    results.sort_unstable();
    assert_eq!(results.len() as u64, JOBS, "every job was done once");
    for worker in workers {
        worker.join().unwrap();
    }
    let longest = results.iter().max_by_key(|(_, steps)| steps);
    if let Some((number, steps)) = longest {
        println!("{JOBS} jobs done; the longest way is that of {number}, with {steps} steps");
    }
    Ok(())
}
