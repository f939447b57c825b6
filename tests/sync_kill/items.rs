//! Receivers that are interrupted took nothing; an item that was taken is dropped once.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::mpsc::{self, TryRecvError, channel, sync_channel};
use betterthreads::{Greenlet, checkpoint, sleep, spawn};

use crate::common::{Journal, hosted, meanwhile, parked, settle};

#[test]
fn items_put_around_a_kill_arrive_once_and_in_order() {
    hosted(|| {
        let queue = Rc::new(Queue::new());
        let gets = queue.clone();
        let killed = parked(move || gets.get());
        queue.put(1);
        killed.kill_nowait();
        queue.put(2);
        queue.put(3);
        // It was granted the first item before the kill, and ends with it at once.
        assert_eq!(killed.get().unwrap(), 1);
        assert_eq!([queue.get(), queue.get()], [2, 3]);
    });
}

#[test]
fn an_item_granted_before_the_kill_is_dropped_once_by_the_unwind() {
    hosted(|| {
        let journal = Journal::default();
        let queue = Rc::new(Queue::new());
        let gets = queue.clone();
        let killed = parked(move || {
            let _item = gets.get();
            sleep(3600);
        });
        queue.put(journal.note_on_drop("item dropped"));
        killed.kill();
        assert_eq!(journal.take(), ["item dropped"]);
        drop(queue);
        assert!(journal.take().is_empty());
    });
}

#[test]
fn what_two_granted_and_killed_receivers_did_not_take_is_still_there() {
    hosted(|| {
        let queue = Rc::new(Queue::new());
        let receivers = [(); 4].map(|()| {
            let queue = queue.clone();
            parked(move || {
                let item = queue.get();
                sleep(0);
                item
            })
        });
        queue.put(1);
        queue.put(2);
        // The first two have been granted an item, the others have not.
        for receiver in &receivers {
            receiver.kill_nowait();
        }
        settle();
        assert!(receivers.iter().all(Greenlet::dead));
        queue.put(3);
        assert_eq!((queue.get_nowait(), queue.qsize()), (Ok(3), 0));
    });
}

#[test]
fn a_receiver_that_dies_disconnects_the_senders_and_drops_the_items_once() {
    hosted(|| {
        let journal = Journal::default();
        let (sender, receiver) = channel();
        let killed = parked(move || {
            let _receiver = &receiver;
            sleep(3600);
        });
        sender.send(journal.note_on_drop("unread")).ok().unwrap();
        killed.kill();
        assert_eq!(journal.take(), ["unread"]);
        assert!(sender.send(journal.note_on_drop("refused")).is_err());
        assert_eq!(journal.take(), ["refused"]);
    });
}

#[test]
fn a_receiver_killed_while_it_receives_gives_waiting_senders_their_items_back() {
    hosted(|| {
        let (sender, receiver) = sync_channel(1);
        let senders = [1, 2, 3].map(|n| {
            let sender = sender.clone();
            spawn(move || sender.send(n))
        });
        settle();
        assert!(senders[0].dead() && !senders[1].dead());
        let receives = parked(move || {
            receiver.recv().unwrap();
            sleep(0.001);
            sleep(3600);
        });
        receives.kill();
        let refused: Vec<_> = senders.iter().map(|s| s.get().unwrap()).collect();
        assert_eq!(refused[0], Ok(()));
        assert_eq!(refused[1], Ok(()));
        assert_eq!(refused[2], Err(mpsc::SendError(3)));
    });
}

#[test]
fn the_last_sender_killed_ends_the_iteration() {
    hosted(|| {
        let (sender, receiver) = channel();
        let killed = parked(move || {
            sender.send(1).unwrap();
            sleep(3600);
        });
        let reads = spawn(move || receiver.iter().collect::<Vec<i32>>());
        sleep(0);
        killed.kill();
        assert_eq!(reads.get().unwrap(), [1]);
    });
}

#[test]
fn a_killed_receiver_can_go_on_receiving_in_its_clean_up() {
    hosted(|| {
        let got = Rc::new(Cell::new(None));
        let (sender, receiver) = channel();
        struct Drain(mpsc::Receiver<u32>, Rc<Cell<Option<u32>>>);
        impl Drop for Drain {
            fn drop(&mut self) {
                self.1.set(self.0.recv().ok());
            }
        }
        let drain = Drain(receiver, got.clone());
        let killed = parked(move || drain.0.recv());
        killed.kill_nowait();
        sleep(0);
        sender.send(5).unwrap();
        killed.join();
        assert_eq!(got.get(), Some(5));
    });
}

#[test]
fn a_receiver_out_of_time_finds_what_was_sent_before_it_ran() {
    hosted(|| {
        let limit = Duration::from_millis(1);
        let (sender, receiver) = channel();
        let last = parked(move || (receiver.recv_timeout(limit), receiver.try_recv()));
        std::thread::sleep(3 * limit); // real time: the deadline passes
        // Ends its wait, though it does not run yet.
        checkpoint();
        sender.send(1).unwrap();
        drop(sender);
        let received = last.get().unwrap();
        assert_eq!(received, (Ok(1), Err(TryRecvError::Disconnected)));
    });
}

#[test]
fn a_second_sender_waits_for_a_second_receiver() {
    hosted(|| {
        let channel = Rc::new(Channel::new());
        let gets = channel.clone();
        let receiver = parked(move || gets.get());
        let senders = ["first", "second"].map(|item| {
            let channel = channel.clone();
            spawn(move || channel.put(item))
        });
        // Both put in one turn, before the one receiver runs.
        assert_eq!(receiver.get().unwrap(), "first");
        settle();
        assert!(senders[0].dead());
        assert!(!senders[1].dead(), "nobody has come for its item");
        assert_eq!(channel.get(), "second");
        senders[1].join();
    });
}

#[test]
fn a_second_rendezvous_is_not_kept_without_a_receiver() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let reads = parked(move || {
            let first = receiver.recv();
            // The receiver is dropped: nobody will receive again.
            (first, receiver.try_recv())
        });
        let other = sender.clone();
        let first = spawn(move || sender.send(1));
        let second = spawn(move || other.send(2));
        let (got, then) = reads.get().unwrap();
        assert_eq!(got, Ok(1));
        assert_eq!(first.get().unwrap(), Ok(()));
        match then {
            // The second sender was waiting and handed its item over.
            Ok(item) => assert_eq!((item, second.get().unwrap()), (2, Ok(()))),
            Err(TryRecvError::Empty) => {
                assert_eq!(second.get().unwrap(), Err(mpsc::SendError(2)));
            }
            Err(TryRecvError::Disconnected) => panic!("a sender is left"),
        }
    });
}

#[test]
fn a_send_that_met_nobody_is_refused_when_the_receiver_goes() {
    hosted(|| {
        let (sender, receiver) = sync_channel(0);
        let reads = parked(move || receiver.recv());
        let other = sender.clone();
        let first = spawn(move || sender.send(1));
        let second = spawn(move || other.send(2));
        // The receiver takes one item and is dropped.
        assert_eq!(reads.get().unwrap(), Ok(1));
        assert_eq!(first.get().unwrap(), Ok(()));
        assert_eq!(second.get().unwrap(), Err(mpsc::SendError(2)));
    });
}

#[test]
fn a_kill_from_another_thread_after_an_item_does_not_take_it_away() {
    hosted(|| {
        let queue = Arc::new(Queue::new());
        let gets = queue.clone();
        let receiver = parked(move || gets.get());
        meanwhile(|| {
            queue.put(1);
            receiver.kill_nowait();
        });
        assert_eq!(receiver.get().unwrap(), 1);
        assert!(queue.empty());
    });
}
