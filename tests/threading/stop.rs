//! `stop`, `shutdown` and the guard.

use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread as os;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::threading::ThreadError;
use betterthreads::{Run, Thread, sleep, spawn, with_timeout};
use socket2::{Domain, Socket, Type};

use crate::common::{Journal, caught, hosted};
use crate::{sleeper, start, with_shutdown};

/// What a thread with body `run` does when it ends in its own way or is stopped.
fn life(run: impl FnOnce() + Send + 'static) -> Vec<&'static str> {
    hosted(move || {
        let journal = Journal::default();
        let (body, end) = (journal.clone(), journal.clone());
        let mut run = Some(run);
        let run = move || {
            let _locals = body.note_on_drop("locals dropped");
            run.take().unwrap()();
        };
        let thread = with_shutdown(run, move || end.note("shutdown"));
        start(&thread);
        thread.stop().unwrap();
        thread.join().unwrap();
        journal.take()
    })
}

#[test]
fn shutdown_runs_once_after_the_locals_of_run_are_dropped() {
    let expected = ["locals dropped", "shutdown"];
    assert_eq!(life(|| ()), expected);
    assert_eq!(life(|| sleep(3600)), expected);
    assert_eq!(life(|| resume_unwind(Box::new("quiet"))), expected);
}

#[test]
fn shutdown_may_wait_and_is_shielded_from_kills() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let shutdown = move || {
            theirs.note("begin");
            sleep(0.002);
            theirs.note("end");
        };
        let thread = with_shutdown(|| sleep(3600), shutdown);
        start(&thread);
        assert!(with_timeout(0.000_1, || thread.stop()).is_err());
        assert_eq!(journal.take(), ["begin"]);
        assert!(thread.is_alive());
        // It has been asked already; somebody else may still wait for it.
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
        thread.join().unwrap();
        assert_eq!(journal.take(), ["end"]);
    });
}

#[test]
fn a_stop_that_meets_the_shutdown_of_a_natural_end_waits_for_it() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let shutdown = move || {
            sleep(0.001);
            theirs.note("shut down");
        };
        let thread = with_shutdown(|| (), shutdown);
        start(&thread);
        thread.stop().unwrap();
        assert_eq!(journal.take(), ["shut down"]);
    });
}

#[test]
fn a_thread_stopped_before_its_first_turn_never_runs() {
    hosted(|| {
        let journal = Journal::default();
        let (run, shutdown, held) =
            (journal.clone(), journal.clone(), journal.note_on_drop("dropped"));
        let shutdown = move || {
            let _held = &held;
            shutdown.note("shutdown");
        };
        let thread = with_shutdown(move || run.note("run"), shutdown);
        thread.start().unwrap();
        thread.stop().unwrap();
        assert!(!thread.is_alive());
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn a_shutdown_that_panics_ends_the_thread_all_the_same() {
    hosted(|| {
        let thread = with_shutdown(|| (), || resume_unwind(Box::new("quiet")));
        thread.start().unwrap();
        thread.join().unwrap();
        assert!(!thread.is_alive());
    });
}

#[test]
fn a_guard_stops_its_thread_when_it_is_dropped() {
    hosted(|| {
        let thread = sleeper();
        let guard = thread.scoped().unwrap();
        assert_eq!(guard.thread().ident(), thread.ident());
        sleep(0);
        assert!(thread.is_alive());
        drop(guard);
        assert!(!thread.is_alive());
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
    });
}

#[test]
fn a_guard_stops_its_thread_in_an_unwind() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let shutdown = move || {
            sleep(0.001);
            theirs.note("shut down");
        };
        let thread = with_shutdown(|| sleep(3600), shutdown);
        let result = caught(|| {
            let _guard = thread.scoped().unwrap();
            sleep(0);
            resume_unwind(Box::new("quiet"));
        });
        assert!(result.is_err());
        assert!(!thread.is_alive());
        assert_eq!(journal.take(), ["shut down"]);
    });
}

#[test]
fn a_guard_of_a_thread_that_was_stopped_or_has_ended_is_content() {
    hosted(|| {
        let stopped = sleeper();
        let guard = stopped.scoped().unwrap();
        stopped.stop().unwrap();
        drop(guard);
        let ended = Thread::from_fn(|| ());
        let guard = ended.scoped().unwrap();
        ended.join().unwrap();
        drop(guard);
        assert!(!ended.is_alive());
    });
}

#[test]
fn a_guard_waits_for_a_stop_that_another_has_begun() {
    hosted(|| {
        let thread = with_shutdown(|| sleep(3600), || sleep(0.002));
        let guard = thread.scoped().unwrap();
        sleep(0);
        let other = thread.clone();
        let stopper = spawn(move || other.stop());
        sleep(0);
        assert!(thread.is_alive());
        drop(guard);
        assert!(!thread.is_alive());
        stopper.get().unwrap().unwrap();
    });
}

#[test]
fn a_thread_may_be_stopped_from_another_os_thread() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let thread = with_shutdown(|| sleep(3600), move || theirs.note("shut down"));
        start(&thread);
        let other = thread.clone();
        let stopper = os::spawn(move || {
            other.stop().unwrap();
            (other.is_alive(), journal.take())
        });
        thread.join().unwrap();
        assert_eq!(stopper.join().unwrap(), (false, vec!["shut down"]));
    });
}

#[test]
fn a_thread_that_stops_itself_raises_there_and_shuts_down() {
    hosted(|| {
        let journal = Journal::default();
        let (body, end) = (journal.clone(), journal.clone());
        let (give, given) = mpsc::channel::<Thread>();
        let run = move || {
            let me = given.recv().unwrap();
            let _locals = body.note_on_drop("unwound");
            let _ = me.stop();
            body.note("went on");
        };
        let thread = with_shutdown(run, move || end.note("shutdown"));
        give.send(thread.clone()).unwrap();
        thread.start().unwrap();
        thread.join().unwrap();
        assert_eq!(journal.take(), ["unwound", "shutdown"]);
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
    });
}

struct Server(TcpListener);

impl Run for Server {
    fn run(&mut self) {
        for stream in self.0.incoming() {
            drop(stream);
        }
    }
}

#[test]
fn a_stopped_server_leaves_its_port_to_the_next_one() {
    hosted(|| {
        // An address of this test's own, so that nobody else is given the port meanwhile.
        let mut listener = TcpListener::bind("127.0.71.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..10 {
            let server = Thread::new(Server(listener));
            start(&server);
            server.stop().unwrap();
            // Without SO_REUSEADDR, on the very next line.
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.bind(&address.into()).unwrap();
            socket.listen(1).unwrap();
            listener = TcpListener::from(socket);
        }
        let server = Thread::new(Server(listener));
        let _guard = server.scoped().unwrap();
        TcpStream::connect(address).unwrap();
    });
}
