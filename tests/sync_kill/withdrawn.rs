//! A time-out that passes and is dropped by another greenlet before its owner runs: it has ended
//! the owner's wait and is raised. Nobody goes on as if it had what it waited for.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::event::{AsyncResult, Event};
use betterthreads::lock::{RLock, Semaphore};
use betterthreads::queue::Queue;
use betterthreads::sync::mpsc::sync_channel;
use betterthreads::sync::{Barrier, Mutex, OnceLock, RwLock};
use betterthreads::timeout::Expired;
use betterthreads::{Timeout, sleep, spawn, thread};

use crate::common::{caught, hosted, leak, settle};

/// Waits with `wait` in a greenlet whose time-out passes and is dropped at once by another one.
fn disturb<T: 'static>(wait: impl FnOnce() -> T + 'static) {
    let timeout = Rc::new(RefCell::new(None));
    let limit = timeout.clone();
    let dropper = spawn(move || {
        // Its deadline is the earlier one, so it runs before the waiter.
        sleep(0.001);
        drop(limit.take());
    });
    sleep(0);
    let waiter = spawn(move || {
        *timeout.borrow_mut() = Some(Timeout::start_new(0.001));
        caught(wait).is_err_and(|payload| payload.is::<Expired>())
    });
    sleep(0);
    std::thread::sleep(Duration::from_millis(5)); // real time: both deadlines pass
    dropper.get().unwrap();
    assert!(waiter.get().unwrap(), "its wait did not end by the time-out");
    settle();
}

#[test]
fn a_lock_is_not_taken() {
    hosted(|| {
        let mutex = leak(Mutex::new(0_u32));
        let held = mutex.lock().unwrap();
        disturb(|| drop(mutex.lock()));
        drop(held);
        assert!(mutex.try_lock().is_ok());
        let lock = leak(RwLock::new(0_u32));
        let writing = lock.write().unwrap();
        disturb(|| drop(lock.read()));
        disturb(|| drop(lock.write()));
        drop(writing);
        assert!(lock.try_write().is_ok());
        let reentrant = Rc::new(RLock::new());
        let waits = reentrant.clone();
        reentrant.with(|| disturb(move || waits.acquire()));
        assert!(!reentrant.locked());
    });
}

#[test]
fn a_permit_is_not_taken() {
    hosted(|| {
        let semaphore = Rc::new(Semaphore::new(0));
        let waits = semaphore.clone();
        disturb(move || waits.acquire());
        assert_eq!(semaphore.linkcount(), 0);
        semaphore.release();
        assert_eq!(semaphore.counter(), 1);
    });
}

#[test]
fn an_item_is_not_sent() {
    hosted(|| {
        let queue = Rc::new(Queue::bounded(1));
        queue.put(1);
        let puts = queue.clone();
        disturb(move || puts.put(2));
        assert_eq!((queue.get(), queue.qsize()), (1, 0));
        let (sender, receiver) = sync_channel(0);
        let sends = sender.clone();
        disturb(move || sends.send(1));
        assert!(receiver.try_recv().is_err());
    });
}

#[test]
fn an_item_is_not_taken() {
    hosted(|| {
        let queue = Rc::new(Queue::new());
        let gets = queue.clone();
        disturb(move || gets.get());
        queue.put(1);
        assert_eq!(queue.get_nowait(), Ok(1));
    });
}

#[test]
fn an_event_a_result_and_an_end_have_not_come() {
    hosted(|| {
        let (event, result) = (Rc::new(Event::new()), Rc::new(AsyncResult::<u32>::new()));
        let (waits, gets) = (event.clone(), result.clone());
        disturb(move || waits.wait());
        disturb(move || gets.get().is_ok());
        assert_eq!((event.linkcount(), result.linkcount()), (0, 0));
        let target = thread::spawn(|| sleep(3600));
        let end = target.greenlet();
        disturb(move || drop(target.join()));
        assert!(!end.dead());
        end.kill();
    });
}

#[test]
fn nothing_was_initialized_and_nobody_has_arrived() {
    hosted(|| {
        let lock = Rc::new(OnceLock::<u32>::new());
        let waits = lock.clone();
        disturb(move || *waits.wait());
        assert_eq!(lock.set(1), Ok(()));
        let barrier = Rc::new(Barrier::new(2));
        let waits = barrier.clone();
        disturb(move || waits.wait().is_leader());
        let waits = barrier.clone();
        let other = spawn(move || waits.wait().is_leader());
        settle();
        assert!(!other.dead());
        barrier.wait();
        other.get().unwrap();
    });
}
