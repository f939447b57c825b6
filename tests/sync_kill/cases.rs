//! One table of everything that grants something to one waiter at a time.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::PoisonError;

use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::mpsc::{channel, sync_channel};
use betterthreads::sync::{Mutex, RwLock};
use betterthreads::{Greenlet, spawn};

use crate::common::{leak, on_drop};

/// A primitive of which nothing is to be had at first.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Waits and returns what was granted.
    pub(crate) wait: Rc<dyn Fn() -> Box<dyn Any>>,
    /// Makes one more grant.
    pub(crate) grant: Box<dyn Fn()>,
    /// Takes a grant if there is one at once, and tells.
    pub(crate) take: Box<dyn Fn() -> bool>,
    /// Whether dropping what was granted makes it available again.
    pub(crate) gives_back: bool,
}

fn case(
    name: &'static str,
    wait: impl Fn() -> Box<dyn Any> + 'static,
    grant: impl Fn() + 'static,
    take: impl Fn() -> bool + 'static,
) -> Case {
    let (wait, grant, take) = (Rc::new(wait), Box::new(grant), Box::new(take));
    Case { name, wait, grant, take, gives_back: true }
}

/// The same for items, which belong to whoever took them out.
fn item_case(
    name: &'static str,
    wait: impl Fn() -> Box<dyn Any> + 'static,
    grant: impl Fn() + 'static,
    take: impl Fn() -> bool + 'static,
) -> Case {
    Case { gives_back: false, ..case(name, wait, grant, take) }
}

fn mutex() -> Case {
    let mutex = leak(Mutex::new(()));
    let held = Cell::new(Some(mutex.lock().unwrap()));
    case(
        "Mutex",
        || Box::new(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
        move || drop(held.take()),
        || {
            mutex.clear_poison();
            mutex.try_lock().is_ok()
        },
    )
}

fn write_lock() -> Case {
    let lock = leak(RwLock::new(()));
    let held = Cell::new(Some(lock.read().unwrap()));
    case(
        "RwLock::write",
        || Box::new(lock.write().unwrap_or_else(PoisonError::into_inner)),
        move || drop(held.take()),
        || {
            lock.clear_poison();
            lock.try_write().is_ok()
        },
    )
}

fn semaphore() -> Case {
    let semaphore = leak(Semaphore::new(0));
    let wait = || -> Box<dyn Any> {
        semaphore.acquire();
        Box::new(on_drop(|| semaphore.release()))
    };
    case("Semaphore", wait, || semaphore.release(), || semaphore.acquire_nowait())
}

fn bounded_semaphore() -> Case {
    let semaphore = leak(BoundedSemaphore::new(1));
    semaphore.acquire();
    let wait = || -> Box<dyn Any> {
        semaphore.acquire();
        Box::new(on_drop(|| semaphore.release().unwrap()))
    };
    let grant = || semaphore.release().unwrap();
    case("BoundedSemaphore", wait, grant, || semaphore.acquire_nowait())
}

fn reentrant_lock() -> Case {
    let lock = leak(RLock::new());
    lock.acquire();
    let wait = || -> Box<dyn Any> {
        lock.acquire();
        Box::new(on_drop(|| lock.release().unwrap()))
    };
    case("RLock", wait, || lock.release().unwrap(), || lock.acquire_nowait())
}

fn queue() -> Case {
    let queue = leak(Queue::new());
    let grant = || queue.put(1);
    item_case("Queue", || Box::new(queue.get()), grant, || queue.get_nowait().is_ok())
}

/// Senders who wait make the grants.
fn meeting() -> Case {
    let channel = leak(Channel::new());
    let senders = RefCell::new(Vec::<Greenlet<()>>::new());
    let grant = move || {
        if channel.put_nowait(1).is_err() {
            senders.borrow_mut().push(spawn(|| channel.put(1)));
            betterthreads::sleep(0);
        }
    };
    item_case("Channel", || Box::new(channel.get()), grant, || channel.get_nowait().is_ok())
}

fn unbounded_mpsc() -> Case {
    let (sender, receiver) = channel();
    let receiver = leak(receiver);
    let grant = move || sender.send(1).unwrap();
    let wait = || -> Box<dyn Any> { Box::new(receiver.recv().unwrap()) };
    item_case("mpsc::channel", wait, grant, || receiver.try_recv().is_ok())
}

fn bounded_mpsc() -> Case {
    let (sender, receiver) = sync_channel(4);
    let receiver = leak(receiver);
    let grant = move || sender.send(1).unwrap();
    let wait = || -> Box<dyn Any> { Box::new(receiver.recv().unwrap()) };
    item_case("mpsc::sync_channel", wait, grant, || receiver.try_recv().is_ok())
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        mutex(),
        write_lock(),
        semaphore(),
        bounded_semaphore(),
        reentrant_lock(),
        queue(),
        meeting(),
        unbounded_mpsc(),
        bounded_mpsc(),
    ]
}
