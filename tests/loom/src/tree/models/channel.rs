//! The channel: an item is received once or comes back, whoever leaves meanwhile.

use std::sync::Arc;

use loom::thread;

use super::{caught, check, hosted, passed, throw};
use crate::wait::channel::{Channel, Unreceived, Unsent};
use crate::wait::park;

/// Both leave soon: they meet, or neither does.
#[test]
pub(crate) fn a_sender_and_a_receiver_without_a_buffer_agree() {
    check(|| {
        let channel = Arc::new(Channel::new(0));
        let sender = thread::spawn({
            let channel = channel.clone();
            move || channel.send(7, passed())
        });
        let received = channel.recv(passed());
        match sender.join().unwrap() {
            Ok(()) => assert_eq!(received, Ok(7), "an item was lost"),
            Err(unsent) => {
                assert_eq!(unsent, Unsent::Full(7));
                assert_eq!(received, Err(Unreceived::Empty), "an item was doubled");
            }
        }
        assert_eq!(channel.try_recv(), Err(Unreceived::Empty));
    });
}

#[test]
pub(crate) fn an_item_for_a_receiver_that_is_raised_goes_to_the_next() {
    check(|| {
        hosted(|main| {
            let channel = Arc::new(Channel::new(1));
            let patient = thread::spawn({
                let channel = channel.clone();
                move || assert_eq!(channel.recv(None), Ok(7))
            });
            let sender = thread::spawn({
                let (channel, main) = (channel.clone(), main.clone());
                move || {
                    throw(&main);
                    channel.try_send(7).unwrap();
                }
            });
            let received = caught(|| channel.recv(None));
            if let Ok(received) = &received {
                channel.try_send(*received.as_ref().unwrap()).unwrap();
            }
            sender.join().unwrap();
            patient.join().unwrap();
            let raised_later = caught(park::checkpoint).is_err();
            assert_eq!(received.is_ok(), raised_later, "thrown once, raised once");
        });
    });
}
