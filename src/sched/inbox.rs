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
    driver: Handle,
    inbox: Lock<Inbox>,
    sleeping: AtomicBool,
}

impl Remote {
    pub(super) fn new(id: HubId, driver: Handle) -> Remote {
        Remote { id, driver, inbox: Lock::new(Inbox::default()), sleeping: AtomicBool::new(false) }
    }

    pub(crate) fn id(&self) -> HubId {
        self.id
    }

    /// The poller, for taking descriptors out.
    pub(crate) fn driver(&self) -> &Handle {
        &self.driver
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
            && let Err(error) = self.driver.wake()
        {
            let message = format!("a hub could not be woken: {error}");
            if current::with(|hub| spawn::report(hub, message.clone())).is_none() {
                log::error!("{message}");
            }
        }
    }

    /// Lets the hub forget a descriptor that is out of its poller.
    pub(crate) fn forget(&self, key: Key) {
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

    /// Hub: takes no more messages.
    pub(super) fn close(&self) -> Vec<Message> {
        let mut inbox = self.inbox.lock();
        inbox.closed = true;
        std::mem::take(&mut inbox.messages)
    }
}
