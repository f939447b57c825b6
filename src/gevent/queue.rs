//! `gevent.queue`: queues between greenlets, and between threads.
//!
//! An operation that is interrupted by a kill did not happen: no item is lost or put in twice.
//!
//! | gevent | here |
//! |---|---|
//! | `Queue`, `Channel` | mirrored, for items that are moved |
//! | `JoinableQueue`, `SimpleQueue`, `PriorityQueue`, `LifoQueue` | absent: to come |
//! | `Empty`, `Full` | errors; `Full` gives the item back |
//! | `peek`, `copy` | absent: an item belongs to one |

use std::error::Error;
use std::fmt;

use crate::base::duration::IntoDuration;
use crate::wait::channel::{Channel as Core, Unsent};
use crate::wait::clock;

/// There was no item, in time or at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Empty;

impl fmt::Display for Empty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is empty")
    }
}

impl Error for Empty {}

/// There was no room, in time or at once. The item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is full")
    }
}

impl<T> Error for Full<T> {}

impl<T> From<Unsent<T>> for Full<T> {
    fn from(unsent: Unsent<T>) -> Full<T> {
        let (Unsent::Full(item) | Unsent::Abandoned(item)) = unsent;
        Full(item)
    }
}

macro_rules! operations {
    ($queue:ident) => {
        impl<T> $queue<T> {
            /// Puts an item in, waiting for room. A yield point.
            pub fn put(&self, item: T) {
                // Nobody abandons this queue, and without a deadline there is no other reason.
                let _ = self.core.send(item, None);
            }

            /// Puts an item in, waiting for a limited time. A yield point.
            ///
            /// # Errors
            ///
            /// The item, in time for nobody.
            pub fn put_timeout(&self, item: T, timeout: impl IntoDuration) -> Result<(), Full<T>> {
                let deadline = clock::now().checked_add(timeout.into_duration());
                self.core.send(item, deadline).map_err(Full::from)
            }

            /// Puts an item in if there is room at once.
            ///
            /// # Errors
            ///
            /// The item.
            pub fn put_nowait(&self, item: T) -> Result<(), Full<T>> {
                self.core.try_send(item).map_err(Full::from)
            }

            /// Takes the next item out, waiting for one. A yield point.
            pub fn get(&self) -> T {
                loop {
                    // Nobody finishes this queue, so there is an item at once.
                    if let Ok(item) = self.core.recv(None) {
                        return item;
                    }
                }
            }

            /// Takes the next item out, waiting for a limited time. A yield point.
            ///
            /// # Errors
            ///
            /// [`Empty`] when the time is up.
            pub fn get_timeout(&self, timeout: impl IntoDuration) -> Result<T, Empty> {
                let deadline = clock::now().checked_add(timeout.into_duration());
                self.core.recv(deadline).map_err(|_| Empty)
            }

            /// Takes an item out if there is one at once.
            ///
            /// # Errors
            ///
            /// [`Empty`].
            pub fn get_nowait(&self) -> Result<T, Empty> {
                self.core.try_recv().map_err(|_| Empty)
            }
        }
    };
}

/// A first-in, first-out queue, as `gevent.queue.Queue`.
///
/// ```
/// use betterthreads::queue::{Empty, Queue};
/// use std::rc::Rc;
///
/// let queue = Rc::new(Queue::bounded(2));
/// let producer = betterthreads::spawn({
///     let queue = queue.clone();
///     move || (0..5).for_each(|n| queue.put(n))
/// });
/// let items: Vec<i32> = (0..5).map(|_| queue.get()).collect();
/// assert_eq!(items, [0, 1, 2, 3, 4]);
/// assert_eq!(queue.get_nowait(), Err(Empty));
/// producer.join();
/// ```
pub struct Queue<T> {
    core: Core<T>,
    maxsize: usize,
}

operations!(Queue);

impl<T> Queue<T> {
    /// A queue without bounds.
    #[must_use]
    pub const fn new() -> Queue<T> {
        Queue { core: Core::new(usize::MAX), maxsize: usize::MAX }
    }

    /// A queue for `maxsize` items; gevent's `Queue(maxsize)`.
    ///
    /// # Panics
    ///
    /// If `maxsize` is zero: that is a [`Channel`].
    #[must_use]
    pub const fn bounded(maxsize: usize) -> Queue<T> {
        assert!(maxsize > 0, "a queue for no items is a Channel");
        Queue { core: Core::new(maxsize), maxsize }
    }

    /// How many items it holds; gevent's `qsize`.
    pub fn qsize(&self) -> usize {
        self.core.len()
    }

    /// Whether it holds none.
    pub fn empty(&self) -> bool {
        self.core.len() == 0
    }

    /// Whether it has no room.
    pub fn full(&self) -> bool {
        self.core.len() >= self.maxsize
    }

    /// The bound, if it has one.
    pub fn maxsize(&self) -> Option<usize> {
        (self.maxsize != usize::MAX).then_some(self.maxsize)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Queue qsize={}>", self.qsize())
    }
}

/// A queue without room, as `gevent.queue.Channel`: each `put` waits for its `get`.
///
/// ```
/// use betterthreads::queue::Channel;
/// use std::rc::Rc;
///
/// let channel = Rc::new(Channel::new());
/// let sender = betterthreads::spawn({
///     let channel = channel.clone();
///     move || channel.put("met")
/// });
/// betterthreads::sleep(0);
/// assert!(!sender.ready());
/// assert_eq!(channel.get(), "met");
/// sender.join();
/// ```
pub struct Channel<T> {
    core: Core<T>,
}

operations!(Channel);

impl<T> Channel<T> {
    /// A channel where nobody waits.
    #[must_use]
    pub const fn new() -> Channel<T> {
        Channel { core: Core::new(0) }
    }
}

impl<T> Default for Channel<T> {
    fn default() -> Channel<T> {
        Channel::new()
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<Channel>")
    }
}
