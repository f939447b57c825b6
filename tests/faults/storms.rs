//! Many failures at once: every other time, for a while, for good.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::select::select;
use betterthreads::signal::{SIGUSR1, Signals};
use betterthreads::testing::{self, Call, Interception};
use betterthreads::{Greenlet, sleep, spawn};
use libc::{EBADF, EINTR, EMFILE};

use crate::common::{hosted, parked, settle, stream};
use crate::notes::{Notes, greenlet};
use crate::sweep::{State, alone};
use crate::{sockets, unix, waits};

/// Lets calls fail as `choose` says, and counts those that did.
fn failing(mut choose: impl FnMut(Call) -> Option<i32> + 'static) -> (Interception, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let counter = count.clone();
    let interception = testing::intercept(move |call| {
        let error = choose(call);
        counter.set(counter.get() + u32::from(error.is_some()));
        error
    });
    (interception, count)
}

/// Lets the first `count` calls of one kind fail on this thread, and counts those that did.
pub(crate) fn fail_first(count: u32, kind: Call, error: i32) -> (Interception, Rc<Cell<u32>>) {
    let mut left = count;
    failing(move |call| {
        let fails = call == kind && left > 0;
        left -= u32::from(fails);
        fails.then_some(error)
    })
}

/// Runs `test` in several worlds, within a limit of real time.
fn in_worlds(test: fn()) {
    let _alone = alone();
    hosted(move || testing::explore(1..20, test));
}

/// Runs `scenarios` and checks that nobody is told of anything but `error`, and nothing is left.
fn weather(storm: Interception, scenarios: &[fn(&Notes)], error: Option<i32>) {
    let before = State::now();
    for scenario in scenarios {
        let notes = Notes::new(greenlet);
        scenario(&notes);
        let met = notes.met();
        assert!(met.iter().all(|(_, number)| Some(*number) == error), "{met:?}");
    }
    drop(storm);
    settle();
    assert_eq!(State::now(), before);
}

#[test]
fn calls_that_are_interrupted_every_other_time_come_through() {
    in_worlds(|| {
        let mut counts: HashMap<Call, u32> = HashMap::new();
        let (storm, _) = failing(move |call| {
            let count = counts.entry(call).or_default();
            *count += 1;
            (may_be_interrupted(call) && *count % 2 == 1).then_some(EINTR)
        });
        let scenarios: [fn(&Notes); 9] = [
            sockets::echo,
            sockets::accept_together,
            sockets::accept_adopted,
            sockets::run_out_of_time,
            sockets::share,
            unix::echo,
            unix::exchange,
            waits::select_several,
            waits::listen_for_signals,
        ];
        weather(storm, &scenarios, Some(EINTR));
    });
}

fn may_be_interrupted(call: Call) -> bool {
    matches!(
        call,
        Call::EpollWait | Call::Poll | Call::Accept | Call::Connect | Call::Receive | Call::Send
    )
}

fn poll_fails(call: Call) -> Option<i32> {
    (call == Call::EpollWait).then_some(EBADF)
}

#[test]
fn a_hub_whose_polls_all_fail_still_serves_everybody() {
    in_worlds(|| {
        let (storm, _) = failing(poll_fails);
        let scenarios: [fn(&Notes); 6] = [
            sockets::echo,
            sockets::run_out_of_time,
            unix::exchange,
            unix::wait_for_room,
            waits::select_several,
            waits::listen_for_signals,
        ];
        weather(storm, &scenarios, None);
    });
}

#[test]
fn a_poll_that_fails_is_not_repeated_at_once() {
    in_worlds(|| {
        let (storm, count) = failing(poll_fails);
        let (reader, _peer) = stream();
        let reading = parked(move || (&reader).read(&mut [0]).map(drop));
        let began = testing::elapsed();
        sleep(10);
        assert_eq!(testing::elapsed() - began, Duration::from_secs(10));
        assert!((100..=2000).contains(&count.get()), "{} polls in 10 seconds", count.get());
        drop(storm);
        reading.kill();
    });
}

#[test]
fn a_poll_that_fails_for_a_while_loses_no_event() {
    in_worlds(|| {
        let (_storm, count) = fail_first(20, Call::EpollWait, EBADF);
        let (reader, mut peer) = stream();
        let reading = spawn(move || (&reader).read(&mut [0]).expect("a byte"));
        sleep(0.001);
        peer.write_all(b"!").expect("a peer");
        assert_eq!(reading.get().expect("its end"), 1);
        // Nobody else waits for a descriptor now, and the hub has no need to poll.
        sleep(10);
        assert!((1..=20).contains(&count.get()));
    });
}

fn makes_a_descriptor(call: Call) -> bool {
    matches!(call, Call::Accept | Call::Socket | Call::Duplicate | Call::Pair)
}

type Errors = Rc<RefCell<Vec<Option<i32>>>>;

/// A server that pauses when it cannot accept, and notes why.
fn polite_server(listener: TcpListener, errors: Errors) -> Greenlet<()> {
    spawn(move || {
        loop {
            match listener.accept() {
                Ok((stream, _)) => {
                    spawn(move || io::copy(&mut &stream, &mut &stream).map(drop));
                }
                Err(error) => {
                    errors.borrow_mut().push(error.raw_os_error());
                    sleep(0.1);
                }
            }
        }
    })
}

#[test]
fn out_of_descriptors_a_server_does_not_spin_and_then_goes_on() {
    in_worlds(|| {
        let before = State::now();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let errors = Errors::default();
        let server = polite_server(listener, errors.clone());
        let (here, there) = stream();
        settle();
        let (storm, failures) = failing(|call| makes_a_descriptor(call).then_some(EMFILE));
        let clients: Vec<_> = (0..3)
            .map(|_| std::net::TcpStream::connect(address).expect("a place in the queue"))
            .collect();
        sleep(10);
        let count = errors.borrow().len();
        assert!((90..=101).contains(&count), "{count} attempts in 10 seconds");
        assert_eq!(failures.get() as usize, count, "one call of the kernel's for each attempt");
        assert!(errors.borrow().iter().all(|error| *error == Some(EMFILE)));
        assert_all_refused(address, &here);
        drop(storm);
        for client in clients {
            let mut client = TcpStream::from(client);
            client.write_all(b"still here").expect("a connection");
            client.shutdown(Shutdown::Write).expect("a connection");
            let mut text = String::new();
            client.read_to_string(&mut text).expect("an echo");
            assert_eq!(text, "still here");
        }
        server.kill();
        drop((here, there));
        settle();
        assert_eq!(State::now(), before);
    });
}

/// Checks that whatever else needs a descriptor says that there is none.
fn assert_all_refused(address: SocketAddr, stream: &TcpStream) {
    let errors = [
        TcpStream::connect(address).err(),
        TcpListener::bind("127.0.0.1:0").err(),
        stream.try_clone().err(),
        select(&[stream.as_fd()], &[], &[], 1).err(),
        Signals::new([SIGUSR1]).err(),
    ];
    for error in errors {
        let error = error.expect("there is no descriptor");
        assert_eq!(error.raw_os_error(), Some(EMFILE));
    }
}
