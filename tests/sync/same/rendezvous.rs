//! `mpsc` without a buffer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Duration;

use super::sync::mpsc::sync_channel;
use super::{hosted, thread};

#[test]
fn a_send_waits_for_its_receive() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let received = Arc::new(AtomicBool::new(false));
        let sees = received.clone();
        let waiter = thread::spawn(move || {
            sender.send(1).unwrap();
            sees.load(SeqCst)
        });
        (0..5).for_each(|_| thread::yield_now());
        received.store(true, SeqCst);
        assert_eq!(receiver.recv(), Ok(1));
        assert!(waiter.join().unwrap(), "the send came back before the receive");
    });
}

#[test]
fn without_a_partner_nothing_is_sent_or_received_at_once() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        let limit = Duration::from_millis(1);
        assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)), "it has left again");
        drop(receiver);
        assert_eq!(sender.try_send(1), Err(TrySendError::Disconnected(1)));
        assert_eq!(sender.send(1), Err(SendError(1)));
    });
}

#[test]
fn a_waiting_partner_is_served_at_once() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let reader = thread::spawn(move || receiver.recv());
        while sender.try_send(1).is_err() {
            thread::yield_now();
        }
        assert_eq!(reader.join().unwrap(), Ok(1));
        let (sender, receiver) = sync_channel(0);
        let writer = thread::spawn(move || sender.send(2));
        let got = loop {
            match receiver.try_recv() {
                Ok(item) => break item,
                Err(_) => thread::yield_now(),
            }
        };
        assert_eq!((got, writer.join().unwrap()), (2, Ok(())));
    });
}

#[test]
fn partners_learn_that_the_other_side_is_gone() {
    hosted(|| {
        let (sender, receiver) = sync_channel::<u32>(0);
        let writer = thread::spawn(move || sender.send(1));
        thread::yield_now();
        drop(receiver);
        assert_eq!(writer.join().unwrap(), Err(SendError(1)));
        let (sender, receiver) = sync_channel::<u32>(0);
        let reader = thread::spawn(move || receiver.recv());
        thread::yield_now();
        drop(sender);
        assert_eq!(reader.join().unwrap(), Err(RecvError));
    });
}

#[test]
fn an_item_that_was_not_handed_over_is_dropped_once() {
    hosted(|| {
        let counted = Arc::new(());
        let (sender, receiver) = sync_channel(0);
        let item = counted.clone();
        let writer = thread::spawn(move || sender.send(item).is_err());
        thread::yield_now();
        drop(receiver);
        assert!(writer.join().unwrap());
        assert_eq!(Arc::strong_count(&counted), 1);
    });
}

#[test]
fn several_senders_are_each_received_once() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let senders: Vec<_> = (0..4)
            .map(|n| {
                let sender = sender.clone();
                thread::spawn(move || (0..25).for_each(|m| sender.send(n * 25 + m).unwrap()))
            })
            .collect();
        drop(sender);
        let mut items: Vec<u32> = receiver.iter().collect();
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

#[test]
fn what_was_sent_to_a_receiver_that_goes_after_one_item_is_refused_but_for_that() {
    hosted(|| {
        for _ in 0..20 {
            let (sender, receiver) = sync_channel(0);
            let reader = thread::spawn(move || receiver.recv().unwrap());
            let senders: Vec<_> = (0..3)
                .map(|n| {
                    let sender = sender.clone();
                    thread::spawn(move || sender.send(n).is_ok())
                })
                .collect();
            drop(sender);
            reader.join().unwrap();
            let sent = senders.into_iter().filter_map(|sender| sender.join().ok());
            assert_eq!(sent.filter(|sent| *sent).count(), 1);
        }
    });
}
