//! What other OS threads want of a hub: one locked list and one coalesced wake-up.
//!
//! ```text
//! sender                                hub
//! 1. push the message, under the lock   1. set `sleeping`
//! 2. take `sleeping`; if it was set,    2. look at the list, under the lock; poll without waiting
//!    wake the poll                         if there is something
//!                                       3. clear `sleeping` after the poll
//! ```
//!
//! Either the hub's look comes after the push and finds the message, or the push comes after the
//! look, and then the lock makes `sleeping` visible to the sender. A hub that is awake is never
//! woken by a system call.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::control::Control;
use super::current;
use super::hub::HubId;
use super::kill::Exception;
use super::spawn;
use crate::base::lock::Lock;
use crate::base::slab::Key;
use crate::driver::poll::Handle;

/// Something for a hub to do.
pub(crate) enum Message {
    /// The wait of this greenlet has been decided: queue it.
    Ready(Arc<Control>),
    /// Queue a greenlet that has been told to start.
    Start(Arc<Control>),
    /// Arm the start of a greenlet.
    StartAt(Arc<Control>, Instant),
    /// Raise an exception in a greenlet.
    Raise(Arc<Control>, Exception),
    /// End a greenlet if it has not begun.
    Discard(Arc<Control>),
    /// A descriptor is out of the poller: forget its entry.
    Forget(Key),
}

#[derive(Default)]
struct Inbox {
    messages: Vec<Message>,
    /// The hub is gone; messages are dropped by their senders.
    closed: bool,
}

/// The end of a hub that any thread may hold.
pub(crate) struct Remote {
    id: HubId,
    /// None once the hub is gone: its descriptors are not kept open by those who remember it.
    driver: Lock<Option<Handle>>,
    inbox: Lock<Inbox>,
    sleeping: AtomicBool,
}

impl Remote {
    pub(super) fn new(id: HubId, driver: Handle) -> Remote {
        Remote {
            id,
            driver: Lock::new(Some(driver)),
            inbox: Lock::new(Inbox::default()),
            sleeping: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> HubId {
        self.id
    }

    /// Does something with the poller, unless the hub is gone.
    fn with_driver(&self, f: impl FnOnce(&Handle) -> io::Result<()>) -> io::Result<()> {
        self.driver.lock().as_ref().map_or(Ok(()), f)
    }

    /// Puts a descriptor into the poller.
    pub(super) fn register(&self, fd: BorrowedFd<'_>, key: Key) -> io::Result<()> {
        self.with_driver(|driver| driver.register(fd, key.to_bits()))
    }

    /// Takes a descriptor out of the poller and lets the hub forget it.
    pub(crate) fn deregister(&self, fd: RawFd, key: Key) {
        if let Err(error) = self.with_driver(|driver| driver.deregister(fd)) {
            log::error!("a descriptor could not be taken out of the poller: {error}");
        }
        self.forget(key);
    }

    /// Whether the hub is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.driver.lock().is_none()
    }

    /// Leaves a message and makes sure that the hub will see it. Safe to call from anywhere.
    pub(super) fn post(&self, message: Message) {
        let mut inbox = self.inbox.lock();
        if inbox.closed {
            drop(inbox);
            drop(message);
            return;
        }
        inbox.messages.push(message);
        drop(inbox);
        if self.sleeping.swap(false, Ordering::AcqRel)
            && let Err(error) = self.with_driver(Handle::wake)
        {
            // It sleeps on until something else wakes it: the next message tries again.
            self.sleeping.store(true, Ordering::Release);
            let message = format!("a hub could not be woken: {error}");
            if current::with(|hub| spawn::report(hub, message.clone())).is_none() {
                log::error!("{message}");
            }
        }
    }

    /// Lets the hub forget a descriptor that is out of its poller.
    fn forget(&self, key: Key) {
        let here = current::with(|hub| {
            let is_here = hub.id() == self.id;
            if is_here {
                hub.forget(key);
            }
            is_here
        });
        if here != Some(true) {
            self.post(Message::Forget(key));
        }
    }

    /// Hub: announces that it is about to sleep. False if there is something to do first.
    pub(super) fn may_sleep(&self) -> bool {
        self.sleeping.store(true, Ordering::Release);
        self.inbox.lock().messages.is_empty()
    }

    /// Hub: is awake again.
    pub(super) fn woke(&self) {
        self.sleeping.store(false, Ordering::Release);
    }

    /// Hub: moves the messages to `into`, which must be empty.
    pub(super) fn take(&self, into: &mut Vec<Message>) {
        std::mem::swap(&mut self.inbox.lock().messages, into);
    }

    /// Hub: takes no more messages and closes the poller's descriptors.
    pub(super) fn close(&self) -> Vec<Message> {
        drop(self.driver.lock().take());
        let mut inbox = self.inbox.lock();
        inbox.closed = true;
        std::mem::take(&mut inbox.messages)
    }
}
