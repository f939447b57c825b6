//! [`std::sync::mpsc`] for greenlets.
//!
//! The error types are std's own, so code that matches on them goes on to work. A send or a receive
//! that is interrupted by a kill did not happen: no item is lost.
//!
//! ```
//! use betterthreads::sync::mpsc::channel;
//! use betterthreads::thread;
//!
//! let (sender, receiver) = channel();
//! for n in 0..3 {
//!     let sender = sender.clone();
//!     thread::spawn(move || sender.send(n).unwrap());
//! }
//! drop(sender);
//! assert_eq!(receiver.iter().sum::<i32>(), 3);
//! ```

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Duration;

use crate::wait::channel::{Channel, Unreceived, Unsent};
use crate::wait::clock;

struct Shared<T> {
    channel: Channel<T>,
    senders: AtomicUsize,
}

/// One count among the senders.
struct Sending<T>(Arc<Shared<T>>);

impl<T> Clone for Sending<T> {
    fn clone(&self) -> Sending<T> {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Sending(self.0.clone())
    }
}

impl<T> Drop for Sending<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.channel.finish();
        }
    }
}

fn make<T>(capacity: usize) -> (Sending<T>, Receiver<T>) {
    let channel = Channel::new(capacity);
    let shared = Arc::new(Shared { channel, senders: AtomicUsize::new(1) });
    (Sending(shared.clone()), Receiver { shared, not_sync: PhantomData })
}

/// A channel without bounds, as [`std::sync::mpsc::channel`].
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sending, receiver) = make(usize::MAX);
    (Sender { sending }, receiver)
}

/// A channel for `bound` items, as [`std::sync::mpsc::sync_channel`]. With a bound of zero each
/// send waits for its receive.
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sending, receiver) = make(bound);
    (SyncSender { sending }, receiver)
}

/// The sending half of [`channel`], as [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    sending: Sending<T>,
}

impl<T> Sender<T> {
    /// Sends without waiting.
    ///
    /// # Errors
    ///
    /// The item, if the receiver is gone.
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        match self.sending.0.channel.try_send(t) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(item) | Unsent::Abandoned(item)) => Err(SendError(item)),
        }
    }
}

/// The sending half of [`sync_channel`], as [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    sending: Sending<T>,
}

impl<T> SyncSender<T> {
    /// Sends, waiting for room. A yield point.
    ///
    /// # Errors
    ///
    /// The item, if the receiver is gone.
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        match self.sending.0.channel.send(t, None) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(item) | Unsent::Abandoned(item)) => Err(SendError(item)),
        }
    }

    /// Sends if there is room now, or, with a bound of zero, if the receiver waits.
    ///
    /// # Errors
    ///
    /// The item, with the reason.
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        match self.sending.0.channel.try_send(t) {
            Ok(()) => Ok(()),
            Err(Unsent::Full(item)) => Err(TrySendError::Full(item)),
            Err(Unsent::Abandoned(item)) => Err(TrySendError::Disconnected(item)),
        }
    }
}

macro_rules! sender_traits {
    ($($sender:ident),*) => {$(
        impl<T> Clone for $sender<T> {
            fn clone(&self) -> $sender<T> {
                $sender { sending: self.sending.clone() }
            }
        }

        impl<T> fmt::Debug for $sender<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($sender)).finish_non_exhaustive()
            }
        }
    )*};
}

sender_traits!(Sender, SyncSender);

/// The receiving half of a channel, as [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    not_sync: PhantomData<Cell<()>>,
}

// As std's. What a receiver shares is behind locks.
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    /// Waits for an item. A yield point.
    ///
    /// # Errors
    ///
    /// [`RecvError`] when all items have been received and all senders are gone.
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.shared.channel.recv(None).map_err(|_| RecvError)
    }

    /// Waits for a limited time.
    ///
    /// # Errors
    ///
    /// `Timeout`, or `Disconnected` as [`recv`](Receiver::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let deadline = clock::now().checked_add(timeout);
        self.shared.channel.recv(deadline).map_err(|reason| match reason {
            Unreceived::Empty => RecvTimeoutError::Timeout,
            Unreceived::Finished => RecvTimeoutError::Disconnected,
        })
    }

    /// Takes an item if there is one.
    ///
    /// # Errors
    ///
    /// `Empty`, or `Disconnected` as [`recv`](Receiver::recv).
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.shared.channel.try_recv().map_err(|reason| match reason {
            Unreceived::Empty => TryRecvError::Empty,
            Unreceived::Finished => TryRecvError::Disconnected,
        })
    }

    /// The items until the senders are gone, waiting for each.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self }
    }

    /// The items that are there now.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        drop(self.shared.channel.abandon());
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// The iterator of [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    rx: &'a Receiver<T>,
}

/// The iterator of [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    rx: &'a Receiver<T>,
}

/// The iterator of an owned [`Receiver`].
#[derive(Debug)]
pub struct IntoIter<T> {
    rx: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self }
    }
}
