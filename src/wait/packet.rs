//! Where a greenlet leaves its value for those who ask.

use std::sync::OnceLock;

use super::queue::WaitQueue;
use crate::base::lock::Lock;

enum Slot<T> {
    Empty,
    Here(T),
    /// Somebody is cloning it.
    Lent,
}

/// A value that is moved out or cloned by one asker at a time.
///
/// Cloning is user code, which may wait, so it runs under no lock: the value is lent to the cloner,
/// and others wait for its return. So `T: Send` is enough to share a packet between threads.
pub(crate) struct Packet<T> {
    slot: Lock<Slot<T>>,
    /// Where to wait for what is lent. Hardly any packet needs one, and there are many packets.
    returned: OnceLock<Box<WaitQueue>>,
}

impl<T> Packet<T> {
    pub(crate) const fn new() -> Packet<T> {
        Packet { slot: Lock::new(Slot::Empty), returned: OnceLock::new() }
    }

    /// After the value has changed: whoever makes the queue later looks at the value later.
    fn wake_all(&self) {
        if let Some(returned) = self.returned.get() {
            returned.wake_all();
        }
    }

    /// Stores a value, in place of what was there.
    pub(crate) fn set(&self, value: T) {
        let before = std::mem::replace(&mut *self.slot.lock(), Slot::Here(value));
        self.wake_all();
        drop(before);
    }

    /// Takes back what was lent, unless there is a new value by now.
    fn give_back(&self, value: T) {
        let mut slot = self.slot.lock();
        let outdated = match *slot {
            Slot::Lent => {
                *slot = Slot::Here(value);
                None
            }
            Slot::Here(_) | Slot::Empty => Some(value),
        };
        drop(slot);
        self.wake_all();
        drop(outdated);
    }

    /// Moves the value out.
    pub(crate) fn take(&self) -> Option<T> {
        self.remove(|| Slot::Empty)
    }

    /// Clones the value.
    pub(crate) fn get(&self) -> Option<T>
    where
        T: Clone,
    {
        let lent = Lent { packet: self, value: Some(self.remove(|| Slot::Lent)?) };
        lent.value.clone()
    }

    fn remove(&self, leave: impl Fn() -> Slot<T>) -> Option<T> {
        loop {
            let mut slot = self.slot.lock();
            match std::mem::replace(&mut *slot, leave()) {
                Slot::Here(value) => return Some(value),
                Slot::Empty => {
                    *slot = Slot::Empty;
                    return None;
                }
                Slot::Lent => *slot = Slot::Lent,
            }
            drop(slot);
            let returned = self.returned.get_or_init(Box::default);
            returned.wait(None, || !matches!(*self.slot.lock(), Slot::Lent));
        }
    }
}

/// Gives the value back, also when cloning it panics.
struct Lent<'packet, T> {
    packet: &'packet Packet<T>,
    value: Option<T>,
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.packet.give_back(value);
        }
    }
}
