//! `mpsc` with a buffer.

use std::sync::Arc;
use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::{Duration, Instant};

use super::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use super::{hosted, thread};

#[test]
fn items_of_each_sender_arrive_in_order_and_none_is_lost() {
    hosted(|| {
        let (sender, receiver) = channel();
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let sender: Sender<(u32, u32)> = sender.clone();
                thread::spawn(move || {
                    for item in 0..50 {
                        sender.send((n, item)).unwrap();
                        thread::yield_now();
                    }
                })
            })
            .collect();
        drop(sender);
        let mut next = [0; 4];
        for (n, item) in &receiver {
            assert_eq!(item, next[n as usize]);
            next[n as usize] += 1;
        }
        assert_eq!(next, [50; 4]);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

#[test]
fn what_was_sent_is_received_after_the_senders_are_gone() {
    hosted(|| {
        let (sender, receiver) = channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(sender.clone());
        assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(1));
        drop(sender);
        assert_eq!(receiver.recv(), Ok(2));
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        let limited = receiver.recv_timeout(Duration::from_secs(60));
        assert_eq!(limited, Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn a_limited_receive_gives_up() {
    hosted(|| {
        let (sender, receiver) = channel::<()>();
        let (start, limit) = (Instant::now(), Duration::from_millis(5));
        assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= limit);
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
        drop(sender);
    });
}

#[test]
fn a_waiting_receiver_learns_that_the_senders_are_gone() {
    hosted(|| {
        let (sender, receiver) = channel::<()>();
        let waiter = thread::spawn(move || receiver.recv());
        thread::yield_now();
        drop(sender);
        assert_eq!(waiter.join().unwrap(), Err(RecvError));
    });
}

#[test]
fn a_sender_without_receiver_gets_its_item_back() {
    hosted(|| {
        let (sender, receiver) = channel();
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
        let (sender, receiver) = sync_channel(1);
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
        assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
    });
}

#[test]
fn a_bounded_channel_holds_its_bound() {
    hosted(|| {
        let (sender, receiver) = sync_channel(2);
        sender.try_send(1).unwrap();
        sender.send(2).unwrap();
        assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
        let waiter = thread::spawn(move || sender.send(4));
        thread::yield_now();
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(waiter.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_sender_that_waits_for_room_learns_that_the_receiver_is_gone() {
    hosted(|| {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        let waiter = thread::spawn(move || sender.send(2));
        thread::yield_now();
        drop(receiver);
        assert_eq!(waiter.join().unwrap(), Err(SendError(2)));
    });
}

#[test]
fn items_nobody_received_are_dropped_with_the_receiver() {
    hosted(|| {
        let counted = Arc::new(());
        let (sender, receiver) = channel();
        (0..3).for_each(|_| sender.send(counted.clone()).unwrap());
        drop(receiver.recv().unwrap());
        assert_eq!(Arc::strong_count(&counted), 3);
        drop(receiver);
        assert_eq!(Arc::strong_count(&counted), 1);
        assert!(sender.send(counted.clone()).is_err());
        assert_eq!(Arc::strong_count(&counted), 1);
    });
}

#[test]
fn the_iterators_end_where_they_should() {
    hosted(|| {
        let (sender, receiver): (Sender<u32>, Receiver<u32>) = channel();
        assert_eq!(receiver.try_iter().next(), None);
        (0..3).for_each(|n| sender.send(n).unwrap());
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(receiver.try_iter().next(), None);
        sender.send(3).unwrap();
        assert_eq!(receiver.iter().next(), Some(3));
        sender.send(4).unwrap();
        drop(sender);
        assert_eq!(Vec::from_iter(&receiver), [4]);
        assert_eq!(receiver.into_iter().next(), None);
    });
}

#[test]
fn many_bounded_senders_and_one_receiver_lose_nothing() {
    hosted(|| {
        let (sender, receiver) = sync_channel(3);
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let sender: SyncSender<u32> = sender.clone();
                thread::spawn(move || (0..50).for_each(|m| sender.send(n * 50 + m).unwrap()))
            })
            .collect();
        drop(sender);
        let mut items: Vec<_> = receiver.into_iter().collect();
        items.sort_unstable();
        assert_eq!(items, (0..200).collect::<Vec<_>>());
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

#[test]
fn a_receiver_may_move_while_items_are_in_it() {
    hosted(|| {
        let (sender, receiver) = sync_channel(1);
        let (moves, moved) = channel();
        sender.send(1).unwrap();
        moves.send(receiver).unwrap();
        let reader = thread::spawn(move || moved.recv().unwrap().iter().sum::<u32>());
        sender.send(2).unwrap();
        drop(sender);
        assert_eq!(reader.join().unwrap(), 3);
    });
}

#[test]
fn a_send_without_a_bound_never_waits() {
    hosted(|| {
        let (sender, receiver) = channel();
        (0..100_000).for_each(|item| sender.send(item).unwrap());
        drop(sender);
        assert!(receiver.into_iter().eq(0..100_000));
    });
}

#[test]
fn a_limited_receive_learns_that_the_senders_are_gone_and_may_have_no_limit() {
    hosted(|| {
        let (sender, receiver) = channel();
        let clone = sender.clone();
        let waiter = thread::spawn(move || {
            let first = receiver.recv_timeout(Duration::MAX);
            (first, receiver.recv_timeout(Duration::MAX))
        });
        thread::yield_now();
        drop(sender);
        clone.send(1).unwrap();
        drop(clone);
        assert_eq!(waiter.join().unwrap(), (Ok(1), Err(RecvTimeoutError::Disconnected)));
    });
}

#[test]
fn what_is_refused_is_not_received_and_what_is_given_back_is_whole() {
    hosted(|| {
        let (sender, receiver) = sync_channel(1);
        sender.send(String::from("first")).unwrap();
        let full = sender.try_send(String::from("second")).unwrap_err();
        assert_eq!(full, TrySendError::Full(String::from("second")));
        assert_eq!(receiver.recv().unwrap(), "first");
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(sender);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv(), Err(RecvError));
    });
}
