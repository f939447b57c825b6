//! The simulated world: same seed, same trace; a clock that jumps; nothing that a kernel would not
//! do; and the tools that come with it.

mod common;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::fs;
use betterthreads::net::TcpListener;
use betterthreads::queue::Queue;
use betterthreads::sync::{Condvar, Mutex};
use betterthreads::testing::{self, Call, Moment, Simulation};
use betterthreads::util::stack_stats;
use betterthreads::{
    Timeout, getcurrent, joinall, shield_for, sleep, spawn, try_joinall, with_timeout,
};
use common::{Journal, caught, meanwhile, on_drop, stream};

/// A bit of everything, whose end depends on who ran when.
fn program() -> Vec<u8> {
    let order = Rc::new(RefCell::new(Vec::new()));
    let note = |what: u8| {
        let order = order.clone();
        move || order.borrow_mut().push(what)
    };
    let queue = Rc::new(Queue::new());
    let (mut here, there) = stream();
    let mut there = betterthreads::net::TcpStream::from(socket2::Socket::from(
        std::os::fd::OwnedFd::from(there),
    ));
    let workers = (0..5_u8).map(|n| {
        let (note, queue) = (note(n), queue.clone());
        spawn(move || {
            sleep(f64::from(n % 3) / 100.0);
            queue.put(n);
            sleep(0);
            note();
        })
    });
    let mut greenlets: Vec<_> = workers.collect();
    greenlets.push(spawn(move || there.write_all(&[7; 3000]).expect("a peer")));
    let (queue, order_too) = (queue.clone(), order.clone());
    greenlets.push(spawn(move || {
        for _ in 0..5 {
            let item = queue.get();
            order_too.borrow_mut().push(10 + item);
        }
    }));
    let mut bytes = Vec::new();
    here.read_to_end(&mut bytes).expect("all bytes");
    assert_eq!(bytes, [7; 3000]);
    try_joinall(&greenlets).expect("no failure");
    order.take()
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 0..50 {
        let run =
            || Simulation::new(seed).run(|| (program(), testing::elapsed(), testing::trace()));
        let first = run();
        assert_eq!(first, run(), "seed {seed}");
        assert_eq!(first, run(), "seed {seed}");
    }
}

#[test]
fn other_seeds_make_other_runs() {
    let orders: HashSet<Vec<u8>> =
        (0..100).map(|seed| Simulation::new(seed).run(program)).collect();
    assert!(orders.len() > 20, "{} different orders", orders.len());
}

#[test]
fn the_clock_jumps_when_everybody_waits_and_stands_still_otherwise() {
    let began = Instant::now();
    Simulation::new(1).run(|| {
        sleep(3600);
        assert_eq!(testing::elapsed(), Duration::from_secs(3600));
        let day = spawn(|| sleep(24 * 3600));
        (0..1000).for_each(|_| sleep(0));
        assert_eq!(testing::elapsed(), Duration::from_secs(3600));
        day.join();
        assert_eq!(testing::elapsed(), Duration::from_secs(25 * 3600));
    });
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn every_kind_of_limit_goes_by_the_clock_of_the_simulation() {
    let hour = Duration::from_secs(3600);
    let waits: [fn(); 7] = [
        || assert!(with_timeout(3600, || sleep(Duration::MAX)).is_err()),
        || assert!(Timeout::new(3600).run(|| Event::new().wait()).is_err()),
        || assert!(!Event::new().wait_timeout(3600)),
        || assert!(Queue::<u8>::new().get_timeout(3600).is_err()),
        || betterthreads::thread::park_timeout(Duration::from_secs(3600)),
        || {
            let (stream, _peer) = stream();
            stream.set_read_timeout(Some(Duration::from_secs(3600))).expect("a limit");
            assert!((&stream).read(&mut [0]).is_err());
        },
        || {
            getcurrent().kill_nowait();
            assert!(caught(|| shield_for(3600, || sleep(Duration::MAX))).is_err());
        },
    ];
    for wait in waits {
        let took = Simulation::new(2).run(move || {
            wait();
            testing::elapsed()
        });
        assert!(took >= hour && took < hour + Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn a_limited_wait_for_a_condition_ends_although_the_clock_stands_still() {
    Simulation::new(1).run(|| {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        let held = lock.lock().expect("nobody has poisoned it");
        let limit = Duration::from_secs(3600);
        let waited = changed.wait_timeout_while(held, limit, |asked| {
            *asked += 1;
            assert!(*asked < 10, "asked again and again");
            true
        });
        assert!(waited.expect("nobody has poisoned it").1.timed_out());
        assert_eq!(testing::elapsed(), limit);
    });
}

#[test]
fn a_greenlet_that_has_not_begun_is_dead_when_kill_returns_whatever_the_seed() {
    testing::explore(0..50, || {
        let journal = Journal::default();
        let others: Vec<_> = (0..5).map(|_| spawn(|| sleep(0))).collect();
        let captured = journal.note_on_drop("dropped");
        let target = spawn(move || drop(captured));
        target.kill_nowait();
        assert!(target.dead());
        assert_eq!(journal.take(), ["dropped"]);
        joinall(&others);
    });
}

#[test]
fn everybody_waiting_for_what_cannot_happen_is_an_error_that_names_them() {
    let error = caught(|| {
        Simulation::new(1).run(|| {
            let event = Event::new();
            let stuck = spawn(move || event.wait());
            stuck.set_name("stuck");
            stuck.join();
        });
    });
    let message = error.unwrap_err().downcast::<String>().expect("a message");
    assert!(message.contains("deadlock") && message.contains("'stuck'"), "{message}");
}

#[test]
fn another_thread_may_end_a_wait_that_nothing_inside_could() {
    Simulation::new(1).run(|| {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let other = std::thread::spawn(move || theirs.set());
        event.wait();
        other.join().expect("no panic");
    });
}

#[test]
fn the_clock_stands_still_for_work_on_other_threads() {
    for seed in 0..20 {
        Simulation::new(seed).run(|| {
            let sleeper = spawn(|| sleep(0.001));
            let text = with_timeout(0.002, || fs::read_to_string("/proc/self/status"));
            assert!(text.expect("in time").expect("it is there").contains("VmRSS"));
            sleeper.join();
            assert!(testing::elapsed() < Duration::from_millis(2));
        });
    }
}

#[test]
fn the_clock_goes_on_without_work_on_other_threads_that_takes_too_long() {
    let fifo = std::env::temp_dir().join(format!("betterthreads-sim-{}", std::process::id()));
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    Simulation::new(1).run(|| {
        let opened = with_timeout(3600, || fs::read(&fifo));
        assert!(opened.is_err(), "nobody opens the other end");
        assert_eq!(testing::elapsed(), Duration::from_secs(3600));
    });
    // Whoever still waits for it has it.
    drop(std::fs::File::options().read(true).write(true).open(&fifo));
    std::fs::remove_file(fifo).expect("it is there");
}

#[test]
fn a_wake_up_from_another_thread_is_not_lost_between_two_looks_at_the_kernel() {
    Simulation::new(1).run(|| {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let looks = Cell::new(0);
        let looking = testing::intercept(move |call| {
            looks.set(looks.get() + u32::from(call == Call::EpollWait));
            if looks.get() == 1 {
                // The hub is about to look, having found no message.
                meanwhile(|| theirs.set());
            }
            None
        });
        event.wait();
        // A deadlock would be raised here.
        sleep(0);
        drop(looking);
    });
}

#[test]
fn a_look_that_is_interrupted_is_no_reason_for_the_clock_to_jump() {
    testing::explore(0..20, || {
        let (stream, mut peer) = stream();
        let reader = spawn(move || with_timeout(3600, || (&stream).read(&mut [0]).is_ok()).is_ok());
        sleep(1);
        peer.write_all(b"!").expect("room");
        let interrupted = Cell::new(false);
        let interrupting = testing::intercept(move |call| {
            let first = call == Call::EpollWait && !interrupted.replace(true);
            first.then_some(4) // EINTR
        });
        assert!(reader.get().expect("its end"), "the byte came before the limit");
        drop(interrupting);
    });
}

#[test]
fn a_failing_seed_is_raised_to_the_caller_and_ends_the_exploration() {
    let seeds = std::sync::Mutex::new(0);
    let failed = caught(|| {
        testing::explore(0..10, || {
            *seeds.lock().expect("no panic inside") += 1;
            std::panic::resume_unwind(Box::new("the payload"));
        });
    });
    assert_eq!(failed.unwrap_err().downcast_ref::<&str>(), Some(&"the payload"));
    assert_eq!(*seeds.lock().expect("no panic inside"), 1);
}

#[test]
fn a_connection_over_loopback_carries_all_bytes_in_every_world() {
    testing::explore(0..100, || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let server = spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            std::io::copy(&mut stream.try_clone().expect("a clone"), &mut stream).expect("echo")
        });
        let mut client = betterthreads::net::TcpStream::connect(address).expect("a server");
        let sent: Vec<u8> = (0..50_000_u32).map(|n| n as u8).collect();
        let mut writer = client.try_clone().expect("a clone");
        let bytes = sent.clone();
        let writing = spawn(move || {
            writer.write_all(&bytes).expect("room in time");
            writer.shutdown(std::net::Shutdown::Write).expect("a connection");
        });
        let mut received = Vec::new();
        client.read_to_end(&mut received).expect("all bytes");
        assert_eq!(received, sent);
        writing.join();
        assert_eq!(server.get().expect("no failure"), 50_000);
    });
}

#[test]
fn short_transfers_and_false_events_happen() {
    let mut short_reads = 0;
    for seed in 0..50 {
        short_reads += Simulation::new(seed).run(|| {
            let (mut here, mut there) = stream();
            there.write_all(&[1; 100]).expect("room");
            let count = here.read(&mut [0; 100]).expect("bytes");
            assert!(count > 0, "an end that is none");
            usize::from(count < 100)
        });
    }
    assert!((1..49).contains(&short_reads), "{short_reads} of 50 reads were short");
}

#[test]
fn moments_are_told_in_the_order_of_a_wait() {
    Simulation::new(1).run(|| {
        let moments = Rc::new(RefCell::new(Vec::new()));
        let target = spawn(|| sleep(1));
        let (id, noted) = (target.id(), moments.clone());
        let watching = testing::watch(move |moment, greenlet| {
            if greenlet == id {
                noted.borrow_mut().push(moment);
            }
        });
        target.join();
        drop(watching);
        spawn(|| sleep(1)).join();
        assert_eq!(*moments.borrow(), [Moment::Entering, Moment::Waiting, Moment::Woken]);
    });
}

#[test]
fn a_main_greenlet_has_the_moments_of_any_other() {
    Simulation::new(1).run(|| {
        let moments = Rc::new(RefCell::new(Vec::new()));
        let (main, noted) = (getcurrent(), moments.clone());
        let watching = testing::watch(move |moment, greenlet| {
            if greenlet == main.id() {
                noted.borrow_mut().push(moment);
                if moment == Moment::Waiting {
                    main.throw("while it waits");
                }
            }
        });
        let thrown = caught(|| sleep(3600)).expect_err("an exception");
        drop(watching);
        assert_eq!(thrown.downcast_ref(), Some(&"while it waits"));
        assert_eq!(*moments.borrow(), [Moment::Entering, Moment::Waiting]);
        assert_eq!(testing::elapsed(), Duration::ZERO);
    });
}

#[test]
fn a_watcher_may_kill_whom_it_watches_between_wake_up_and_run() {
    testing::explore(0..20, || {
        let queue = Rc::new(Queue::new());
        let got = Rc::new(Cell::new(false));
        let (items, flag) = (queue.clone(), got.clone());
        let target = spawn(move || {
            items.get();
            flag.set(true);
            sleep(1);
        });
        let killed = target.clone();
        let watching = testing::watch(move |moment, id| {
            if id == killed.id() && moment == Moment::Woken && killed.started() {
                killed.kill_nowait();
            }
        });
        let other = spawn(|| sleep(0.1));
        other.join();
        queue.put(1);
        target.join();
        drop(watching);
        // It had been granted the item: either it took it or it left it, but never half.
        assert_eq!(queue.empty(), got.get());
        assert!(target.exception().is_none() && target.dead());
    });
}

#[test]
fn a_call_that_is_made_to_fail_fails_where_it_is_made() {
    Simulation::new(1).run(|| {
        let failing = testing::intercept(|call| (call == Call::EpollAdd).then_some(28)); // ENOSPC
        let (stream, _peer) = stream();
        let error = (&stream).read(&mut [0]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(28));
        drop(failing);
        let reader = spawn(move || (&stream).read(&mut [0]).map(drop));
        sleep(1);
        assert!(!reader.dead(), "it waits again");
    });
}

#[test]
fn a_limit_can_be_made_to_pass_from_outside() {
    Simulation::new(1).run(|| {
        let target = spawn(|| with_timeout(3600, || sleep(Duration::MAX)).is_err());
        assert!(!testing::expire(target.id()), "it has none yet");
        sleep(1);
        assert!(testing::expire(target.id()));
        assert!(target.get().expect("a value"));
        assert_eq!(testing::elapsed(), Duration::from_secs(1));
    });
}

#[test]
fn the_census_counts_what_is_alive_and_comes_back() {
    Simulation::new(1).run(|| {
        spawn(|| sleep(1)).join();
        let before = testing::census();
        let (stream, _peer) = stream();
        let sleeper = spawn(|| sleep(1));
        let reader = spawn(move || (&stream).read(&mut [0]).map(drop));
        let link = sleeper.link(drop);
        sleep(0.1);
        let during = testing::census();
        assert_eq!(during.greenlets, before.greenlets + 3);
        assert_eq!(during.watchers, before.watchers + 1);
        assert_eq!(during.timers, before.timers + 1);
        assert_eq!(during.descriptors, before.descriptors + 1);
        assert_eq!(during.waiters, before.waiters + 1);
        assert_eq!(during.stacks_used, before.stacks_used + 2);
        reader.kill();
        sleeper.unlink(&link);
        sleeper.join();
        // The ledger's tokens are the process's: other tests use them meanwhile.
        let mut after = testing::census();
        (after.tokens, after.token_stacks) = (before.tokens, before.token_stacks);
        assert_eq!(after, before);
    });
}

#[test]
fn stacks_that_nobody_needs_lose_their_memory() {
    Simulation::new(1).run(|| {
        let burst: Vec<_> = (0..3000).map(|_| spawn(|| sleep(1))).collect();
        joinall(&burst);
        assert_eq!((stack_stats().used, stack_stats().warm), (0, 3000));
        sleep(60);
        assert_eq!(stack_stats().warm, 64);
        let mapped = stack_stats().mapped_bytes;
        joinall(&(0..3000).map(|_| spawn(|| sleep(1))).collect::<Vec<_>>());
        assert_eq!(stack_stats().mapped_bytes, mapped, "the stacks themselves are kept");
    });
}

#[test]
fn destructors_that_wait_find_the_clock_of_their_simulation() {
    Simulation::new(1).run(|| {
        let target = spawn(|| {
            let _slow = on_drop(|| sleep(3600));
            sleep(Duration::MAX);
        });
        sleep(1);
        target.kill();
        assert_eq!(testing::elapsed(), Duration::from_secs(3601));
    });
}

#[test]
fn what_an_os_thread_asks_for_meanwhile_is_seen() {
    testing::explore(0..20, || {
        let target = spawn(|| sleep(Duration::MAX));
        sleep(1);
        meanwhile(|| target.kill_nowait());
        target.join();
    });
}
