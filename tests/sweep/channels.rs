//! Channels as std has them: every item arrives, and both sides see the end of the other.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use crate::stage::Stage;
use crate::tools::{Account, Item};

sweeps! {
    a_channel_for_one_loses_nothing_of_a_dead_sender => |stage| send(stage, sync_channel(1)),
    a_channel_for_none_loses_nothing_of_a_dead_sender => |stage| send(stage, sync_channel(0)),
    a_channel_without_bounds_loses_nothing_of_a_dead_sender => send_without_waiting,
    a_channel_for_one_keeps_what_a_dead_receiver_left => |stage| receive(stage, sync_channel(1)),
    a_channel_for_none_keeps_what_a_dead_receiver_left => |stage| receive(stage, sync_channel(0)),
    a_channel_without_bounds_keeps_what_a_dead_receiver_left => receive_what_never_waits,
    senders_see_that_their_receiver_is_dead => |stage| abandon(stage, sync_channel(1)),
    senders_who_meet_their_receiver_see_that_it_is_dead => |stage| abandon(stage, sync_channel(0)),
    a_receiver_with_a_time_limit_loses_nothing => receive_in_time,
    a_sender_sees_that_its_receiver_has_left => leave,
}

/// Sends three items, as long as somebody receives.
fn sender(account: &Account, sender: SyncSender<Item>, first: u32) -> impl FnOnce() + use<> {
    let account = account.clone();
    move || {
        for number in first..first + 3 {
            account.send(number, |item| sender.send(item).is_ok());
        }
    }
}

/// The victim and a rival send, another rival receives until both are gone.
fn send(stage: &Stage, (ours, receiver): (SyncSender<Item>, Receiver<Item>)) {
    let account = Account::new(stage);
    stage.rival(sender(&account, ours.clone(), 0));
    stage.victim(sender(&account, ours, 100));
    let (theirs, pause) = (account.clone(), stage.pause());
    stage.rival(move || {
        for item in receiver {
            theirs.receive(item);
            pause();
        }
    });
    stage.afterwards(move |_| account.settle_in_order());
}

fn send_without_waiting(stage: &Stage) {
    let account = Account::new(stage);
    let (sender, receiver) = channel();
    let (ours, pause) = (account.clone(), stage.pause());
    stage.victim(move || {
        for number in 0..3 {
            ours.send(number, |item| sender.send(item).is_ok());
            pause();
        }
    });
    let theirs = account.clone();
    stage.rival(move || receiver.iter().for_each(|item| theirs.receive(item)));
    stage.afterwards(move |_| account.settle_in_order());
}

/// The victim receives; whatever it leaves a rival receives, to the end.
fn receive_from(stage: &Stage, account: &Account, receiver: Receiver<Item>) {
    let receiver = Rc::new(receiver);
    let (ours, theirs, pause) = (account.clone(), receiver.clone(), stage.pause());
    stage.victim(move || {
        for item in theirs.iter() {
            ours.receive(item);
            pause();
        }
    });
    let (ours, gone) = (account.clone(), stage.gone());
    stage.rival(move || {
        gone.wait();
        receiver.iter().for_each(|item| ours.receive(item));
    });
    let account = account.clone();
    stage.afterwards(move |_| account.settle_in_order());
}

fn receive(stage: &Stage, (theirs, receiver): (SyncSender<Item>, Receiver<Item>)) {
    let account = Account::new(stage);
    receive_from(stage, &account, receiver);
    stage.rival(sender(&account, theirs.clone(), 0));
    stage.rival(sender(&account, theirs, 100));
}

fn receive_what_never_waits(stage: &Stage) {
    let account = Account::new(stage);
    let (sender, receiver) = channel();
    receive_from(stage, &account, receiver);
    let pause = stage.pause();
    stage.rival(move || {
        for number in 0..3 {
            account.send(number, |item| sender.send(item).is_ok());
            pause();
        }
    });
}

/// The receiver dies with the victim: its senders get their items back and end.
fn abandon(stage: &Stage, (theirs, receiver): (SyncSender<Item>, Receiver<Item>)) {
    let account = Account::new(stage);
    let (received, pause) = (Rc::new(Cell::new(0)), stage.pause());
    let count = received.clone();
    stage.victim(move || {
        for item in receiver.iter().take(3) {
            drop(item);
            count.set(count.get() + 1);
            pause();
        }
    });
    stage.rival(sender(&account, theirs.clone(), 0));
    stage.rival(sender(&account, theirs, 100));
    stage.afterwards(move |_| assert!(received.get() <= account.sent(), "out of nothing"));
}

fn receive_in_time(stage: &Stage) {
    let account = Account::new(stage);
    let (sender, receiver) = sync_channel(0);
    let receiver = Rc::new(receiver);
    let (ours, theirs, span) = (account.clone(), receiver.clone(), stage.span());
    stage.victim(move || {
        for limit in [span / 2, span, span * 2] {
            theirs.recv_timeout(limit).into_iter().for_each(|item| ours.receive(item));
        }
    });
    let (ours, gone) = (account.clone(), stage.gone());
    stage.rival(move || {
        gone.wait();
        receiver.iter().for_each(|item| ours.receive(item));
    });
    let (ours, pause) = (account.clone(), stage.pause());
    stage.rival(move || {
        for number in 0..3 {
            ours.send(number, |item| sender.send(item).is_ok());
            pause();
        }
    });
    stage.afterwards(move |_| account.settle_in_order());
}

/// The victim waits for room that will never be.
fn leave(stage: &Stage) {
    let account = Account::new(stage);
    let (sender, receiver) = sync_channel(1);
    let (ours, pause) = (account.clone(), stage.pause());
    stage.victim(move || {
        for number in 0..4 {
            ours.send(number, |item| sender.send(item).is_ok());
        }
    });
    stage.rival(move || {
        drop(receiver.recv());
        pause();
        drop(receiver);
    });
    stage.afterwards(move |_| assert!(account.sent() <= 2, "sent to nobody"));
}
