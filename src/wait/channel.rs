//! A queue between those who put items in and those who take them out, bounded or not.
//!
//! An item is in one of three places: with its sender, who waits for room, in the buffer, or with
//! its receiver. A sender that waits leaves the item in the queue of senders and takes it back if
//! it is interrupted; whoever makes room grants the sender's wait and moves the item in one step,
//! under the lock. A receiver that is woken takes the first item when it runs; the item stays in
//! the buffer until then, but takes up no room in it. So nobody waits for room while somebody waits
//! for an item.

use std::collections::VecDeque;
use std::sync::MutexGuard;
use std::time::Instant;

use super::park::{self, Wait};
use crate::base::list::List;
use crate::base::lock::Lock;
use crate::base::slab::Key;
use crate::sched::control::{Granted, Waker};
use crate::sched::word::Woken;

struct State<T> {
    buffer: VecDeque<T>,
    /// Senders that wait for room, with their items.
    senders: List<(Waker, T)>,
    receivers: List<Waker>,
    /// How many items at the front of the buffer belong to receivers that were woken for them.
    promised: usize,
    /// How many items the buffer holds; zero makes senders and receivers meet.
    capacity: usize,
    /// Nobody will receive any more.
    abandoned: bool,
    /// Nobody will send any more.
    finished: bool,
}

/// Why an item was not sent; it comes back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsent<T> {
    Full(T),
    Abandoned(T),
}

/// Why there is no item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreceived {
    Empty,
    Finished,
}

impl<T> State<T> {
    /// Wakes a receiver for an item that is about to be put into the buffer.
    fn wake_receiver(&mut self) -> Option<Granted> {
        while let Some(receiver) = self.receivers.pop_front() {
            if let Some(granted) = receiver.grant() {
                self.promised += 1;
                return Some(granted);
            }
        }
        None
    }

    /// How many items the buffer holds for whoever asks next.
    fn len(&self) -> usize {
        self.buffer.len() - self.promised
    }

    /// Puts an item into the buffer if a receiver waits, which will take it when it runs, or if
    /// there is room. Gives the receiver to be scheduled.
    fn offer(&mut self, item: T) -> Result<Option<Granted>, Unsent<T>> {
        if self.abandoned {
            return Err(Unsent::Abandoned(item));
        }
        let has_room = self.len() < self.capacity;
        let receiver = self.wake_receiver();
        if !has_room && receiver.is_none() {
            return Err(Unsent::Full(item));
        }
        self.buffer.push_back(item);
        Ok(receiver)
    }

    /// Takes the item of the first sender that still waits.
    fn take_from_sender(&mut self) -> Option<(T, Granted)> {
        // A sender whose wait was decided otherwise takes its item back itself, so its entry must
        // stay; it is set aside while the others are looked at.
        let (place, granted) = self.senders.find_map(|(waker, _)| waker.clone().grant())?;
        self.senders.remove(place).map(|(_, item)| (item, granted))
    }

    /// The next item that is promised to nobody, and the sender whose item took its place.
    fn take(&mut self) -> Option<(T, Option<Granted>)> {
        let unpromised = match self.promised {
            0 => self.buffer.pop_front(),
            promised => self.buffer.remove(promised),
        };
        match unpromised {
            Some(item) => Some((item, self.refill())),
            None if self.senders.len() == 0 => None,
            None => self.take_from_sender().map(|(item, granted)| (item, Some(granted))),
        }
    }

    /// The item that was promised to a receiver, which asks for it. This makes no room.
    fn take_promised(&mut self) -> Option<(T, Option<Granted>)> {
        self.promised = self.promised.checked_sub(1)?;
        Some((self.buffer.pop_front()?, None))
    }

    fn refill(&mut self) -> Option<Granted> {
        if self.senders.len() == 0 || self.len() >= self.capacity {
            return None;
        }
        let (item, granted) = self.take_from_sender()?;
        self.buffer.push_back(item);
        Some(granted)
    }
}

/// See the module's documentation.
pub(crate) struct Channel<T> {
    state: Lock<State<T>>,
}

impl<T> Channel<T> {
    /// A channel for `capacity` items; `usize::MAX` is as many as there is memory for.
    pub(crate) const fn new(capacity: usize) -> Channel<T> {
        Channel {
            state: Lock::new(State {
                buffer: VecDeque::new(),
                senders: List::new(),
                receivers: List::new(),
                promised: 0,
                capacity,
                abandoned: false,
                finished: false,
            }),
        }
    }

    /// Sends if there is room, or, without a buffer, if somebody waits to receive.
    pub(crate) fn try_send(&self, item: T) -> Result<(), Unsent<T>> {
        let granted = self.state.lock().offer(item)?;
        granted.into_iter().for_each(Granted::schedule);
        Ok(())
    }

    /// Sends, waiting for room. A yield point; interrupted, the item was not sent.
    #[inline(always)]
    pub(crate) fn send(&self, item: T, deadline: Option<Instant>) -> Result<(), Unsent<T>> {
        park::checkpoint();
        let Some((wait, place)) = self.begin_send(item)? else {
            return Ok(());
        };
        let woken = wait.park(deadline);
        let sent = self.end_send(place, woken);
        if woken == Woken::Raised && sent.is_err() {
            drop(sent);
            park::raise()
        }
        sent
    }

    /// Sends, or joins the senders that wait.
    fn begin_send(&self, item: T) -> Result<Option<(Wait, Key)>, Unsent<T>> {
        let mut state = self.state.lock();
        let item = match state.offer(item) {
            Ok(granted) => {
                drop(state);
                granted.into_iter().for_each(Granted::schedule);
                return Ok(None);
            }
            Err(Unsent::Full(item)) => item,
            Err(abandoned) => return Err(abandoned),
        };
        let wait = Wait::arm();
        let place = state.senders.push_back((wait.waker(), item));
        Ok(Some((wait, place)))
    }

    /// Takes the item back if nobody has taken it.
    fn end_send(&self, place: Key, woken: Woken) -> Result<(), Unsent<T>> {
        match self.state.lock().senders.remove(place) {
            None => Ok(()),
            // There is nobody left to take it.
            Some((_, item)) if woken == Woken::Granted => Err(Unsent::Abandoned(item)),
            Some((_, item)) => Err(Unsent::Full(item)),
        }
    }

    /// Receives if there is an item.
    pub(crate) fn try_recv(&self) -> Result<T, Unreceived> {
        let mut state = self.state.lock();
        let taken = state.take();
        Channel::deliver(state, taken)
    }

    /// Receives, waiting for an item. A yield point; interrupted, nothing was received.
    #[inline(always)]
    pub(crate) fn recv(&self, deadline: Option<Instant>) -> Result<T, Unreceived> {
        park::checkpoint();
        let (wait, place) = match self.begin_recv() {
            Ok(received) => return received,
            Err(wait) => wait,
        };
        let woken = wait.park(deadline);
        let received = self.end_recv(place, woken);
        if woken == Woken::Raised {
            park::raise()
        }
        received
    }

    /// Receives, or joins the receivers that wait.
    fn begin_recv(&self) -> Result<Result<T, Unreceived>, (Wait, Key)> {
        let mut state = self.state.lock();
        let taken = state.take();
        if taken.is_some() || state.finished {
            return Ok(Channel::deliver(state, taken));
        }
        let wait = Wait::arm();
        let place = state.receivers.push_back(wait.waker());
        Err((wait, place))
    }

    /// Takes the item that the wait was ended for, if any.
    fn end_recv(&self, place: Key, woken: Woken) -> Result<T, Unreceived> {
        let mut state = self.state.lock();
        let taken = match woken {
            Woken::Granted => state.take_promised(),
            Woken::TimedOut => {
                state.receivers.remove(place);
                // Since its time was up, something may have been sent to nobody.
                state.take()
            }
            Woken::Raised => {
                state.receivers.remove(place);
                None
            }
        };
        Channel::deliver(state, taken)
    }

    /// Lets go of the state, then of the sender that an item was taken from.
    fn deliver(
        state: MutexGuard<'_, State<T>>,
        taken: Option<(T, Option<Granted>)>,
    ) -> Result<T, Unreceived> {
        let finished = state.finished;
        drop(state);
        match taken {
            Some((item, granted)) => {
                granted.into_iter().for_each(Granted::schedule);
                Ok(item)
            }
            None if finished => Err(Unreceived::Finished),
            None => Err(Unreceived::Empty),
        }
    }

    /// How many items there are for whoever asks next.
    pub(crate) fn len(&self) -> usize {
        self.state.lock().len()
    }

    /// Notes that nobody will send any more. What was sent can still be received.
    pub(crate) fn finish(&self) {
        let mut state = self.state.lock();
        state.finished = true;
        let waiters: Vec<Waker> = state.receivers.by_ref().collect();
        drop(state);
        for waiter in waiters {
            waiter.wake();
        }
    }

    /// Notes that nobody will receive any more. Returns what nobody received, to be dropped by the
    /// caller; senders that wait get their items back.
    pub(crate) fn abandon(&self) -> VecDeque<T> {
        let mut state = self.state.lock();
        state.abandoned = true;
        let left = std::mem::take(&mut state.buffer);
        let waiters: Vec<Waker> = state.senders.iter().map(|(waker, _)| waker.clone()).collect();
        drop(state);
        for waiter in waiters {
            waiter.wake();
        }
        left
    }
}
