//! Senders that wait for room or for a receiver: one that is interrupted has sent nothing, and its
//! item is dropped once.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::queue::{Channel, Empty, Queue};
use betterthreads::sync::mpsc::{RecvTimeoutError, sync_channel};
use betterthreads::{Greenlet, sleep, with_timeout};

use crate::common::{hosted, parked, settle};

/// An item that counts how often items were dropped.
struct Item {
    number: u32,
    dropped: Rc<Cell<u32>>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.dropped.set(self.dropped.get() + 1);
    }
}

/// A channel on which nobody can send without waiting.
struct Full {
    name: &'static str,
    dropped: Rc<Cell<u32>>,
    put: Rc<dyn Fn(Item)>,
    get: Rc<dyn Fn() -> Option<u32>>,
}

impl Full {
    fn item(&self, number: u32) -> Item {
        Item { number, dropped: self.dropped.clone() }
    }

    /// A greenlet that sends.
    fn sender(&self, number: u32) -> Greenlet<()> {
        let (put, item) = (self.put.clone(), self.item(number));
        let sender = parked(move || put(item));
        assert!(!sender.dead(), "{}: the sender waits", self.name);
        sender
    }
}

fn full_ones() -> Vec<Full> {
    let queue = Rc::new(Queue::bounded(1));
    let puts = queue.clone();
    let meeting = Rc::new(Channel::new());
    let meets = meeting.clone();
    let (sender, receiver) = sync_channel(1);
    let (hands_over, takes_over) = sync_channel(0);
    let number = |item: Item| item.number;
    let full = |name, put: Rc<dyn Fn(Item)>, get: Rc<dyn Fn() -> Option<u32>>, filled: bool| {
        let full = Full { name, dropped: Rc::default(), put, get };
        if filled {
            (full.put)(full.item(0));
        }
        full
    };
    vec![
        full(
            "Queue",
            Rc::new(move |item| puts.put(item)),
            Rc::new(move || queue.get_timeout(0.001).ok().map(number)),
            true,
        ),
        full(
            "Channel",
            Rc::new(move |item| meets.put(item)),
            Rc::new(move || meeting.get_timeout(0.001).ok().map(number)),
            false,
        ),
        full(
            "sync_channel(1)",
            Rc::new(move |item| sender.send(item).ok().unwrap()),
            Rc::new(move || receiver.recv_timeout(Duration::from_millis(1)).ok().map(number)),
            true,
        ),
        full(
            "sync_channel(0)",
            Rc::new(move |item| hands_over.send(item).ok().unwrap()),
            Rc::new(move || takes_over.recv_timeout(Duration::from_millis(1)).ok().map(number)),
            false,
        ),
    ]
}

/// What is received until there is nothing, without the item that filled the buffer.
fn received(full: &Full) -> Vec<u32> {
    std::iter::from_fn(|| (full.get)()).filter(|&number| number > 0).collect()
}

#[test]
fn a_killed_sender_has_sent_nothing() {
    hosted(|| {
        for full in full_ones() {
            let sender = full.sender(1);
            sender.kill();
            assert_eq!(full.dropped.get(), 1, "{}", full.name);
            assert_eq!(received(&full), [], "{}", full.name);
        }
    });
}

#[test]
fn a_sender_that_is_killed_and_has_not_run_yet_has_sent_nothing() {
    hosted(|| {
        for full in full_ones() {
            let sender = full.sender(1);
            sender.kill_nowait();
            // In the same turn: the sender still stands in the queue.
            assert_eq!(received(&full), [], "{}", full.name);
            sender.join();
            assert!(sender.get().unwrap_err().is_killed(), "{}", full.name);
        }
    });
}

#[test]
fn the_place_of_a_killed_sender_goes_to_the_next() {
    hosted(|| {
        for full in full_ones() {
            let (first, second) = (full.sender(1), full.sender(2));
            first.kill_nowait();
            assert_eq!(received(&full), [2], "{}", full.name);
            assert!(second.get().is_ok(), "{}", full.name);
            first.join();
        }
    });
}

#[test]
fn a_sender_whose_item_was_taken_before_the_kill_has_sent_it() {
    hosted(|| {
        for full in full_ones() {
            let put = full.put.clone();
            let item = full.item(1);
            let sent = Rc::new(Cell::new(false));
            let sets = sent.clone();
            let sender = parked(move || {
                put(item);
                sets.set(true);
                sleep(3600);
            });
            // Makes room, or takes the item; the sender has not run since.
            let first = (full.get)().unwrap();
            sender.kill();
            assert!(sent.get(), "{}", full.name);
            let all: Vec<u32> = [first].into_iter().chain(received(&full)).collect();
            assert!(all.ends_with(&[1]), "{}: {all:?}", full.name);
            assert_eq!(all.len() as u32, full.dropped.get(), "{}", full.name);
        }
    });
}

#[test]
fn a_sender_that_runs_out_of_time_has_sent_nothing() {
    hosted(|| {
        for full in full_ones() {
            let (put, item) = (full.put.clone(), full.item(1));
            assert!(with_timeout(0.001, move || put(item)).is_err(), "{}", full.name);
            assert_eq!(full.dropped.get(), 1, "{}", full.name);
            assert_eq!(received(&full), [], "{}", full.name);
        }
    });
}

#[test]
fn a_limited_put_gives_the_item_back() {
    hosted(|| {
        let queue = Queue::bounded(1);
        queue.put("first");
        assert_eq!(queue.put_timeout("second", 0.001).unwrap_err().0, "second");
        assert_eq!(queue.put_nowait("third").unwrap_err().0, "third");
        assert_eq!(queue.get(), "first");
        assert_eq!(queue.get_nowait(), Err(Empty));
        let channel = Channel::new();
        assert_eq!(channel.put_timeout("lonely", 0.001).unwrap_err().0, "lonely");
        assert_eq!(channel.get_nowait(), Err(Empty));
    });
}

#[test]
fn a_receiver_that_comes_in_the_turn_of_the_kill_waits_for_the_next_sender() {
    hosted(|| {
        let channel = Rc::new(Channel::new());
        let (dies, sends) = (channel.clone(), channel.clone());
        let sender = parked(move || dies.put("not sent"));
        sender.kill_nowait();
        let later = betterthreads::spawn(move || {
            sleep(0);
            sends.put("sent");
        });
        assert_eq!(channel.get(), "sent");
        later.join();
    });
}

#[test]
fn a_receiver_on_a_limit_sees_nothing_of_a_killed_sender() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let sends = parked(move || sender.send("not sent"));
        sends.kill_nowait();
        // The one sender unwinds, so this is the end of the channel or of the time.
        let error = receiver.recv_timeout(Duration::from_secs(60)).unwrap_err();
        assert_eq!(error, RecvTimeoutError::Disconnected);
    });
}

#[test]
fn killing_a_sender_frees_no_room_that_is_not_there() {
    hosted(|| {
        let queue = Rc::new(Queue::bounded(2));
        queue.put(1);
        queue.put(2);
        let senders = [3, 4, 5].map(|n| {
            let queue = queue.clone();
            parked(move || queue.put(n))
        });
        senders[1].kill();
        assert_eq!(queue.qsize(), 2);
        assert_eq!(queue.get(), 1);
        settle();
        assert!(senders[0].dead() && !senders[2].dead());
        assert_eq!([queue.get(), queue.get(), queue.get()], [2, 3, 5]);
        senders[2].join();
        assert!(queue.empty());
    });
}
