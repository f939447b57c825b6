//! Queues: every item that was put in is taken out, once and in order, whoever is struck.

use std::rc::Rc;
use std::time::Duration;

use betterthreads::queue::{Channel, Queue};

use crate::stage::Stage;
use crate::tools::{Account, Item};

sweeps! {
    an_unbounded_queue_loses_nothing_of_a_dead_producer => |stage| produce(stage, &unbounded()),
    an_unbounded_queue_loses_nothing_for_a_dead_consumer => |stage| consume(stage, &unbounded()),
    an_unbounded_queue_hands_its_item_to_another_consumer => |stage| hand_over(stage, &unbounded()),
    a_bounded_queue_loses_nothing_of_a_dead_producer => |stage| produce(stage, &bounded()),
    a_bounded_queue_loses_nothing_for_a_dead_consumer => |stage| consume(stage, &bounded()),
    a_bounded_queue_hands_its_item_to_another_consumer => |stage| hand_over(stage, &bounded()),
    a_bounded_queue_with_time_limits_loses_nothing => |stage| exchange_in_time(stage, &bounded()),
    a_channel_loses_nothing_of_a_dead_producer => |stage| produce(stage, &rendezvous()),
    a_channel_loses_nothing_for_a_dead_consumer => |stage| consume(stage, &rendezvous()),
    a_channel_hands_its_item_to_another_consumer => |stage| hand_over(stage, &rendezvous()),
    a_channel_with_time_limits_loses_nothing => |stage| exchange_in_time(stage, &rendezvous()),
}

sweeps_twice! {
    a_producer_may_be_struck_twice => |stage| produce(stage, &rendezvous()),
    a_consumer_may_be_struck_twice => |stage| consume(stage, &rendezvous()),
}

/// What all queues can do.
struct Pipe {
    put: Box<dyn Fn(Item)>,
    put_in_time: Box<dyn Fn(Item, Duration) -> bool>,
    get: Box<dyn Fn() -> Item>,
    get_in_time: Box<dyn Fn(Duration) -> Option<Item>>,
}

macro_rules! pipe {
    ($queue:expr) => {{
        let put = Rc::new($queue);
        let (put_in_time, get, get_in_time) = (put.clone(), put.clone(), put.clone());
        Rc::new(Pipe {
            put: Box::new(move |item| put.put(item)),
            put_in_time: Box::new(move |item, limit| put_in_time.put_timeout(item, limit).is_ok()),
            get: Box::new(move || get.get()),
            get_in_time: Box::new(move |limit| get_in_time.get_timeout(limit).ok()),
        })
    }};
}

fn unbounded() -> Rc<Pipe> {
    pipe!(Queue::new())
}

fn bounded() -> Rc<Pipe> {
    pipe!(Queue::bounded(1))
}

fn rendezvous() -> Rc<Pipe> {
    pipe!(Channel::new())
}

/// Puts three items in.
fn producer(account: &Account, pipe: &Rc<Pipe>, first: u32) -> impl FnOnce() + use<> {
    let (account, pipe) = (account.clone(), pipe.clone());
    move || {
        for number in first..first + 3 {
            account.send(number, |item| {
                (pipe.put)(item);
                true
            });
        }
    }
}

/// Checks that every item was received and is gone, while the queue is still there.
fn settle(stage: &Stage, account: Account, pipe: &Rc<Pipe>, settle: fn(&Account)) {
    let pipe = pipe.clone();
    stage.afterwards(move |_| {
        settle(&account);
        drop(pipe);
    });
}

/// Takes items out, with pauses, until none has come for a while.
fn consumer(stage: &Stage, account: &Account, pipe: &Rc<Pipe>) -> impl FnOnce() + use<> {
    let (account, pipe) = (account.clone(), pipe.clone());
    let (pause, limit) = (stage.pause(), stage.span() * 10);
    move || {
        while let Some(item) = (pipe.get_in_time)(limit) {
            account.receive(item);
            pause();
        }
    }
}

/// The victim and a rival put in what another rival takes out.
fn produce(stage: &Stage, pipe: &Rc<Pipe>) {
    let account = Account::new(stage);
    stage.rival(producer(&account, pipe, 0));
    stage.victim(producer(&account, pipe, 100));
    stage.rival(consumer(stage, &account, pipe));
    settle(stage, account, pipe, Account::settle_in_order);
}

/// The victim and a rival take out what two rivals put in.
fn consume(stage: &Stage, pipe: &Rc<Pipe>) {
    let account = Account::new(stage);
    let take_three = || {
        let (account, pipe, pause) = (account.clone(), pipe.clone(), stage.pause());
        move || {
            for _ in 0..3 {
                account.receive((pipe.get)());
                pause();
            }
        }
    };
    stage.victim(take_three());
    let (take_three, gone) = (take_three(), stage.gone());
    let take_the_rest = consumer(stage, &account, pipe);
    stage.rival(move || {
        take_three();
        gone.wait();
        take_the_rest();
    });
    stage.rival(producer(&account, pipe, 0));
    stage.rival(producer(&account, pipe, 100));
    settle(stage, account, pipe, Account::settle);
}

/// The victim and a rival wait for one item each. The first one must not be kept from the rival by
/// a victim that was woken for it and died.
fn hand_over(stage: &Stage, pipe: &Rc<Pipe>) {
    let account = Account::new(stage);
    let get = || {
        let (account, pipe) = (account.clone(), pipe.clone());
        move || account.receive((pipe.get)())
    };
    stage.victim(get());
    let rival = stage.rival(get());
    let (pause, limit, gone) = (stage.pause(), stage.span() * 10, stage.gone());
    let (ours, take_the_rest) = (account.clone(), consumer(stage, &account, pipe));
    settle(stage, account, pipe, Account::settle);
    let pipe = pipe.clone();
    stage.rival(move || {
        ours.send(0, |item| (pipe.put_in_time)(item, limit));
        pause();
        pause();
        assert!(!gone.is_set() || rival.dead() || ours.received() > 0, "kept from the rival");
        if !gone.is_set() || !rival.dead() {
            ours.send(1, |item| (pipe.put_in_time)(item, limit));
        }
        rival.join();
        gone.wait();
        take_the_rest();
    });
}

/// Everybody has a time limit: the victim, who puts in and takes out, and its rivals.
fn exchange_in_time(stage: &Stage, pipe: &Rc<Pipe>) {
    let account = Account::new(stage);
    let (ours, theirs, span) = (account.clone(), pipe.clone(), stage.span());
    stage.victim(move || {
        for (number, limit) in [(100, span / 2), (101, span * 2)] {
            ours.send(number, |item| (theirs.put_in_time)(item, limit));
            (theirs.get_in_time)(limit).into_iter().for_each(|item| ours.receive(item));
        }
    });
    let (ours, theirs) = (account.clone(), pipe.clone());
    stage.rival(move || {
        for number in 0..3 {
            ours.send(number, |item| (theirs.put_in_time)(item, span * 3));
        }
    });
    stage.rival(consumer(stage, &account, pipe));
    settle(stage, account, pipe, Account::settle);
}
