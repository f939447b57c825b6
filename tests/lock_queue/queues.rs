//! `gevent.queue`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread as os;

use betterthreads::queue::{Channel, Empty, Full, Queue};
use betterthreads::{Greenlet, joinall, run, sleep, spawn};

use crate::common::{hosted, parked, settle};

/// What happened, with numbers.
type Log = Rc<RefCell<Vec<String>>>;

#[test]
fn items_leave_in_the_order_they_came() {
    hosted(|| {
        let queue = Queue::new();
        assert!(queue.empty() && !queue.full() && queue.maxsize().is_none());
        (0..5).for_each(|n| queue.put(n));
        assert_eq!(queue.qsize(), 5);
        assert_eq!(format!("{queue:?}"), "<Queue qsize=5>");
        assert_eq!((0..5).map(|_| queue.get()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(queue.get_nowait(), Err(Empty));
        assert_eq!(queue.get_timeout(0.001), Err(Empty));
        assert_eq!(Empty.to_string(), "the queue is empty");
    });
}

#[test]
fn a_bounded_put_blocks_and_goes_on_in_order() {
    hosted(|| {
        let (queue, log) = (Rc::new(Queue::bounded(2)), Log::default());
        assert_eq!(queue.maxsize(), Some(2));
        let (puts, notes) = (queue.clone(), log.clone());
        let putter = parked(move || {
            for n in 0..4 {
                puts.put(n);
                notes.borrow_mut().push(format!("put {n}"));
            }
        });
        assert_eq!(*log.borrow(), ["put 0", "put 1"]);
        assert!(queue.full());
        assert_eq!(queue.put_nowait(9), Err(Full(9)));
        assert_eq!(queue.put_timeout(9, 0.001), Err(Full(9)));
        assert_eq!(Full(9).to_string(), "the queue is full");
        for n in 0..4 {
            assert_eq!(queue.get(), n);
            settle();
        }
        putter.get().unwrap();
        assert_eq!(log.borrow().len(), 4);
        assert!(queue.empty());
    });
}

#[test]
fn waiting_putters_are_served_in_order() {
    hosted(|| {
        let queue = Rc::new(Queue::bounded(1));
        queue.put(0);
        let putters: Vec<_> = (1..5)
            .map(|n| {
                let queue = queue.clone();
                parked(move || queue.put(n))
            })
            .collect();
        assert_eq!((0..5).map(|_| queue.get()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        joinall(&putters);
    });
}

#[test]
fn waiting_getters_are_served_in_order() {
    hosted(|| {
        let (queue, log) = (Rc::new(Queue::new()), Log::default());
        let getters: Vec<_> = (0..4)
            .map(|n| {
                let (queue, log) = (queue.clone(), log.clone());
                parked(move || {
                    let item: u32 = queue.get();
                    log.borrow_mut().push(format!("{n} got {item}"));
                })
            })
            .collect();
        (0..4).for_each(|n| queue.put(n));
        joinall(&getters);
        assert_eq!(*log.borrow(), ["0 got 0", "1 got 1", "2 got 2", "3 got 3"]);
    });
}

#[test]
fn each_of_several_getters_gets_an_item_of_a_full_queue() {
    hosted(|| {
        let queue = Rc::new(Queue::bounded(1));
        let getters: Vec<_> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                parked(move || queue.get())
            })
            .collect();
        (0..2).for_each(|n| queue.put(n));
        settle();
        assert_eq!(getters.iter().map(Greenlet::value).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert!(queue.empty());
    });
}

#[test]
fn a_limited_get_takes_what_comes_in_time() {
    hosted(|| {
        let queue = Rc::new(Queue::new());
        let puts = queue.clone();
        spawn(move || {
            sleep(0.001);
            puts.put("in time");
        });
        assert_eq!(queue.get_timeout(60), Ok("in time"));
    });
}

#[test]
#[should_panic(expected = "a queue for no items is a Channel")]
fn a_queue_has_room() {
    let _ = Queue::<()>::bounded(0);
}

#[test]
fn a_channel_hands_over_in_the_exact_order() {
    hosted(|| {
        let (channel, log) = (Rc::new(Channel::new()), Log::default());
        let (puts, notes) = (channel.clone(), log.clone());
        let sender = parked(move || {
            for item in ["hello", "world"] {
                puts.put(item);
                notes.borrow_mut().push(format!("sent {item}"));
            }
        });
        assert!(log.borrow().is_empty(), "nobody has come for the first");
        for item in ["hello", "world"] {
            let got = channel.get();
            assert_eq!(got, item);
            log.borrow_mut().push(format!("got {got}"));
            settle();
        }
        sender.get().unwrap();
        assert_eq!(*log.borrow(), ["got hello", "sent hello", "got world", "sent world"]);
    });
}

#[test]
fn a_channel_holds_nothing() {
    hosted(|| {
        let channel = Channel::new();
        assert_eq!(channel.put_nowait(1), Err(Full(1)));
        assert_eq!(channel.put_timeout(1, 0.001), Err(Full(1)));
        assert_eq!(channel.get_nowait(), Err(Empty));
        assert_eq!(channel.get_timeout(0.001), Err(Empty));
    });
}

#[test]
fn nowait_calls_serve_those_who_wait() {
    hosted(|| {
        let channel = Rc::new(Channel::new());
        let gets = channel.clone();
        let getter = parked(move || gets.get());
        assert_eq!(channel.put_nowait(1), Ok(()));
        assert_eq!(channel.put_nowait(2), Err(Full(2)), "one receiver takes one item");
        assert_eq!(getter.get().unwrap(), 1);
        let puts = channel.clone();
        let putter = parked(move || puts.put(3));
        assert_eq!(channel.get_nowait(), Ok(3));
        putter.get().unwrap();
        assert_eq!(channel.get_nowait(), Err(Empty));
    });
}

#[test]
fn many_pairs_on_a_channel_meet_once_each() {
    hosted(|| {
        let channel = Rc::new(Channel::new());
        let putters: Vec<_> = (0..20)
            .map(|n| {
                let channel = channel.clone();
                spawn(move || channel.put(n))
            })
            .collect();
        let getters: Vec<_> = (0..20)
            .map(|_| {
                let channel = channel.clone();
                spawn(move || channel.get())
            })
            .collect();
        joinall(&putters);
        let mut got: Vec<u32> = getters.iter().map(|getter| getter.get().unwrap()).collect();
        got.sort_unstable();
        assert_eq!(got, (0..20).collect::<Vec<_>>());
    });
}

/// Threads with and without hubs put and get 3 × 300 numbers.
fn across_threads(
    put: impl Fn(u32) + Send + Sync + 'static,
    get: impl Fn() -> u32 + Send + Sync + 'static,
) {
    let (put, get) = (Arc::new(put), Arc::new(get));
    let putter = |put: Arc<dyn Fn(u32) + Send + Sync>, from: u32| {
        move || {
            (from..from + 300).for_each(|n| put(n));
        }
    };
    let putters = [
        os::spawn(putter(put.clone(), 0)),
        os::spawn({
            let put = putter(put.clone(), 300);
            || run(put)
        }),
        os::spawn({
            let put = putter(put.clone(), 600);
            || run(|| spawn(put).get().unwrap())
        }),
    ];
    let getters = [true, false, true].map(|hub| {
        let get = get.clone();
        os::spawn(move || {
            let gets = move || (0..300).map(|_| get()).sum::<u32>();
            if hub { run(|| spawn(gets).get().unwrap()) } else { gets() }
        })
    });
    putters.into_iter().for_each(|putter| putter.join().unwrap());
    let sum: u32 = getters.into_iter().map(|getter| getter.join().unwrap()).sum();
    assert_eq!(sum, (0..900).sum());
}

#[test]
fn a_queue_between_threads_loses_nothing() {
    let queue = Arc::new(Queue::bounded(3));
    let (puts, gets) = (queue.clone(), queue.clone());
    hosted(|| across_threads(move |n| puts.put(n), move || gets.get()));
    assert!(queue.empty());
}

#[test]
fn a_channel_between_threads_loses_nothing() {
    let channel = Arc::new(Channel::new());
    let (puts, gets) = (channel.clone(), channel);
    hosted(|| across_threads(move |n| puts.put(n), move || gets.get()));
}
