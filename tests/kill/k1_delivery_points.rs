//! K1: a kill is seen at yield points, on entry and when a wait ends, and nowhere else.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;

use betterthreads::event::Event;
use betterthreads::net::TcpStream;
use betterthreads::pool::Group;
use betterthreads::select::select;
use betterthreads::signal::{SIGUSR1, Signals};
use betterthreads::{
    Greenlet, Timeout, checkpoint, getcurrent, joinall, killall, sleep, spawn, thread,
};

use crate::common::{Journal, caught, connect, hosted, listener, meanwhile, parked, stream};

/// Whether `call` comes back in a greenlet that has been told to die just before.
fn returns_after_a_kill<R>(call: impl FnOnce() -> R + 'static) -> bool {
    let returned = Rc::new(Cell::new(false));
    let greenlet = spawn({
        let returned = returned.clone();
        move || {
            // A greenlet's first I/O call may let others run, which raises as well.
            stream().0.write_all(b"x").unwrap();
            getcurrent().kill_nowait();
            call();
            returned.set(true);
        }
    });
    greenlet.join();
    returned.get()
}

#[test]
fn an_event_that_is_set_raises_on_entry() {
    hosted(|| {
        let event = Rc::new(Event::new());
        event.set();
        let limited = event.clone();
        assert!(!returns_after_a_kill(move || event.wait()));
        assert!(!returns_after_a_kill(move || limited.wait_timeout(1)));
    });
}

#[test]
fn waiting_for_the_dead_raises_on_entry() {
    hosted(|| {
        let dead = spawn(|| 1);
        dead.join();
        let calls: [Box<dyn FnOnce()>; 7] = [
            Box::new({
                let dead = dead.clone();
                move || dead.join()
            }),
            Box::new({
                let dead = dead.clone();
                move || assert!(dead.join_timeout(1))
            }),
            Box::new({
                let dead = dead.clone();
                move || drop(dead.get())
            }),
            Box::new({
                let dead = dead.clone();
                move || dead.kill()
            }),
            Box::new({
                let dead = dead.clone();
                move || assert!(dead.kill_timeout(1))
            }),
            Box::new({
                let dead = dead.clone();
                move || dead.kill_with("late")
            }),
            Box::new(move || drop(joinall(&[dead]))),
        ];
        for (index, call) in calls.into_iter().enumerate() {
            assert!(!returns_after_a_kill(call), "call {index}");
        }
    });
}

#[test]
fn nobody_to_wait_for_raises_on_entry() {
    hosted(|| {
        let nobody: [Greenlet<()>; 0] = [];
        let group = Group::new();
        let calls: [Box<dyn FnOnce()>; 6] = [
            Box::new({
                let group = group.clone();
                move || group.join()
            }),
            Box::new({
                let group = group.clone();
                move || assert!(group.join_timeout(1))
            }),
            Box::new({
                let group = group.clone();
                move || group.kill()
            }),
            Box::new(move || assert!(group.kill_timeout(1))),
            Box::new(move || killall(&nobody)),
            Box::new(|| drop(joinall(&[] as &[Greenlet<()>]))),
        ];
        for (index, call) in calls.into_iter().enumerate() {
            assert!(!returns_after_a_kill(call), "call {index}");
        }
    });
}

#[test]
fn a_token_that_is_there_raises_on_entry_and_stays() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(move || {
            thread::current().unpark();
            getcurrent().throw("one shot");
            assert!(caught(thread::park).is_err());
            noted.note("raised");
            thread::park();
            noted.note("took the token");
        });
        greenlet.get().unwrap();
        assert_eq!(journal.take(), ["raised", "took the token"]);
    });
}

#[test]
fn sleeps_and_checkpoints_raise_on_entry() {
    hosted(|| {
        assert!(!returns_after_a_kill(|| sleep(3600)));
        assert!(!returns_after_a_kill(|| sleep(0)));
        assert!(!returns_after_a_kill(thread::yield_now));
        assert!(!returns_after_a_kill(checkpoint));
    });
}

#[test]
fn a_read_of_data_that_is_there_raises_on_entry_and_takes_nothing() {
    hosted(|| {
        let (stream, mut peer) = stream();
        peer.write_all(b"x").unwrap();
        let stream = Rc::new(stream);
        let (reads, peeks) = (stream.clone(), stream.clone());
        assert!(!returns_after_a_kill(move || (&*reads).read(&mut [0])));
        assert!(!returns_after_a_kill(move || peeks.peek(&mut [0])));
        assert_eq!((&*stream).read(&mut [0; 2]).unwrap(), 1);
    });
}

#[test]
fn a_write_that_has_room_raises_on_entry_and_sends_nothing() {
    hosted(|| {
        let (mut stream, mut peer) = stream();
        assert!(!returns_after_a_kill(move || stream.write(b"x")));
        let mut text = Vec::new();
        peer.read_to_end(&mut text).unwrap();
        assert!(text.is_empty());
    });
}

#[test]
fn an_accept_of_a_connection_that_is_there_raises_on_entry_and_leaves_it() {
    hosted(|| {
        let listener = Rc::new(listener());
        let client = connect(&listener);
        let accepts = listener.clone();
        assert!(!returns_after_a_kill(move || accepts.accept()));
        assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
    });
}

#[test]
fn a_connect_raises_on_entry_and_does_not_call() {
    hosted(|| {
        let listener = listener();
        let address = listener.local_addr().unwrap();
        assert!(!returns_after_a_kill(move || TcpStream::connect(address)));
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    });
}

#[test]
fn a_select_of_a_ready_descriptor_raises_on_entry() {
    hosted(|| {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        assert!(!returns_after_a_kill(move || select(&[reader.as_fd()], &[], &[], 1).is_ok()));
    });
}

#[test]
fn a_signal_that_has_arrived_raises_on_entry_and_stays() {
    hosted(|| {
        let signals = Rc::new(Signals::new([SIGUSR1]).unwrap());
        signal_hook::low_level::raise(SIGUSR1).unwrap();
        let waits = signals.clone();
        assert!(!returns_after_a_kill(move || waits.wait()));
        assert_eq!(signals.wait().unwrap(), SIGUSR1);
    });
}

#[test]
fn a_wait_that_never_ends_raises() {
    hosted(|| {
        let (stream, _peer) = stream();
        let listener = listener();
        let (reader, _writer) = std::io::pipe().unwrap();
        let event = Event::new();
        let endless = spawn(|| sleep(3600));
        let waits: [Box<dyn FnOnce()>; 7] = [
            Box::new(move || drop((&stream).read(&mut [0]))),
            Box::new(move || drop(listener.accept())),
            Box::new(move || drop(select(&[reader.as_fd()], &[], &[], 3600))),
            Box::new(move || assert!(event.wait())),
            Box::new({
                let endless = endless.clone();
                move || endless.join()
            }),
            Box::new(move || drop(joinall(&[endless]))),
            Box::new(thread::park),
        ];
        for wait in waits {
            let greenlet = parked(wait);
            greenlet.kill();
            assert!(greenlet.get().unwrap_err().is_killed());
        }
    });
}

#[test]
fn yielding_raises_on_return() {
    let calls: [fn(); 2] = [|| sleep(0), thread::yield_now];
    for yields in calls {
        hosted(move || {
            let journal = Journal::default();
            let noted = journal.clone();
            let greenlet = spawn(move || {
                noted.note("before");
                yields();
                noted.note("after");
            });
            sleep(0);
            greenlet.kill_nowait();
            greenlet.join();
            assert_eq!(journal.take(), ["before"]);
        });
    }
}

#[test]
fn no_kill_is_raised_in_the_middle_of_user_code() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let event = Rc::new(Event::new());
        let greenlet = spawn(move || {
            getcurrent().kill_nowait();
            // None of these may wait, so none of them is a yield point.
            event.set();
            event.clear();
            let child = spawn(|| ());
            child.link(|_| ());
            child.kill_nowait();
            let me = getcurrent();
            me.set_name("busy");
            thread::current().unpark();
            let mut timeout = Timeout::start_new(3600);
            timeout.cancel();
            drop(std::sync::Mutex::new(()).lock());
            println!("{me:?} {}", thread::panicking());
            noted.note("worked to the end");
            checkpoint();
            noted.note("survived");
        });
        greenlet.join();
        assert_eq!(journal.take(), ["worked to the end"]);
    });
}

#[test]
fn a_checkpoint_without_a_kill_does_nothing() {
    hosted(|| {
        let other = spawn(|| ());
        checkpoint();
        assert!(!other.dead(), "nobody else got a turn");
    });
}

#[test]
fn a_busy_loop_with_checkpoints_dies_by_a_kill_from_another_thread() {
    hosted(|| {
        let busy = spawn(|| {
            loop {
                checkpoint();
            }
        });
        let killer = std::thread::spawn({
            let busy = busy.clone();
            move || busy.kill()
        });
        busy.join();
        killer.join().unwrap();
        assert!(busy.dead());
    });
}

#[test]
fn a_kill_from_another_thread_is_seen_on_entry_of_the_next_call() {
    hosted(|| {
        let event = Arc::new(Event::new());
        event.set();
        let greenlet = spawn(move || {
            let me = getcurrent();
            meanwhile(move || me.kill_nowait());
            event.wait()
        });
        assert!(greenlet.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_time_limit_is_seen_by_a_computation_that_checks() {
    hosted(|| {
        let computing = || loop {
            betterthreads::checkpoint();
        };
        let limited: Result<(), _> = betterthreads::with_timeout(0.005, computing);
        assert!(limited.is_err());
    });
}
