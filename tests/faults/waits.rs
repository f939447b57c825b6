//! Other waits: several descriptors at once, signals, a thread that has no hub.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::queue::Queue;
use betterthreads::select::select;
use betterthreads::signal::{
    KeyboardInterrupt, SIGINT, SIGUSR1, Signals, catch_keyboard_interrupt,
};
use betterthreads::testing::Call;
use betterthreads::{sleep, spawn};
use libc::EPERM;
use signal_hook::low_level::raise;

use crate::common::{caught, on_drop, stream};
use crate::errors::{errors_of, is_told};
use crate::notes::{Notes, plain_thread};
use crate::support::{open_fds, within};
use crate::sweep::{Fault, Recorder, Scenario, alone, sweep};

pub(crate) fn select_several(notes: &Notes) {
    let (ours, mut theirs): (Vec<_>, Vec<_>) = (0..3).map(|_| stream()).unzip();
    let choosing = spawn({
        let notes = notes.clone();
        move || {
            let asked: Vec<_> = ours.iter().map(AsFd::as_fd).collect();
            let nobody = notes.insist(|| select(&asked, &[], &[], 1).map(|ready| ready.0.len()));
            assert_eq!(nobody, 0);
            for expected in [1, 2] {
                let ready = notes.insist(|| {
                    let (readable, _, _) = select(&asked, &[], &asked, 3600)?;
                    Ok(readable.iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>())
                });
                assert_eq!(ready, [ours[expected].as_raw_fd()]);
                assert_eq!(notes.insist(|| (&ours[expected]).read(&mut [0])), 1);
            }
        }
    });
    for chosen in [1, 2] {
        // After the first call is over, even if it fails at its end and is made again.
        sleep(3);
        theirs[chosen].write_all(b"!").expect("a peer");
    }
    choosing.get().expect("both bytes");
}

#[test]
fn select_on_several_descriptors() {
    // Refused are files that are always ready, so select would not come to wait for them.
    let except = &[(Call::EpollAdd, EPERM)];
    sweep(Scenario { except, ..Scenario::new("select", select_several) });
}

pub(crate) fn listen_for_signals(notes: &Notes) {
    let listens = Rc::new(Queue::new());
    let listening = spawn({
        let (notes, listens) = (notes.clone(), listens.clone());
        move || {
            let signals = notes.insist(|| Signals::new([SIGUSR1]));
            for _ in 0..2 {
                listens.put(());
                assert_eq!(notes.insist(|| signals.wait()), SIGUSR1);
            }
        }
    });
    for _ in 0..2 {
        listens.get();
        sleep(0.01);
        raise(SIGUSR1).expect("a signal");
    }
    listening.get().expect("both signals");
}

#[test]
fn a_listener_for_signals() {
    sweep(Scenario::new("signals", listen_for_signals));
}

/// Asks for a Ctrl-C. Where that fails it panics; this makes an error of the panic again.
fn press_ctrl_c() -> io::Result<()> {
    let press = || {
        raise(SIGINT).expect("a signal");
        sleep(3600);
    };
    match caught(|| catch_keyboard_interrupt(press)) {
        Ok(result) => assert_eq!(result, Err(KeyboardInterrupt)),
        Err(payload) => {
            let text = payload.downcast::<String>().expect("a message");
            assert!(text.starts_with("failed to listen for Ctrl-C: "), "{text}");
            let number = text.rsplit(' ').next().expect("a number").trim_end_matches(')');
            return Err(io::Error::from_raw_os_error(number.parse().expect("a number")));
        }
    }
    Ok(())
}

#[test]
fn a_catcher_of_ctrl_c() {
    let run = |notes: &Notes| notes.insist(press_ctrl_c);
    // Its watcher is in nobody's way.
    let repeated = &[Call::EpollAdd, Call::Receive];
    sweep(Scenario { repeated, ..Scenario::new("Ctrl-C", run) });
}

/// Everything that waits, on a thread that waits itself.
fn wait_without_hub(notes: &Notes) {
    let moment = Duration::from_millis(1);
    let listener = notes.insist(|| TcpListener::bind("127.0.0.1:0"));
    let address = listener.local_addr().expect("its address");
    let here = notes.insist(|| TcpStream::connect(address));
    let there = loop {
        let (there, peer) = notes.insist(|| listener.accept());
        // An attempt that failed may be in the queue before it.
        if peer == here.local_addr().expect("its address") {
            break there;
        }
    };
    there.set_read_timeout(Some(moment)).expect("a limit");
    notes.insist_on(ErrorKind::WouldBlock, || (&there).read(&mut [0]));
    let asked = [there.as_fd()];
    let ready = notes.insist(|| select(&asked, &[], &[], moment).map(|ready| ready.0.len()));
    assert_eq!(ready, 0);
    notes.write(&here, b"ping");
    let ready = notes.insist(|| select(&asked, &[], &[], 3600).map(|ready| ready.0.len()));
    assert_eq!(ready, 1);
    let clone = notes.insist(|| there.try_clone());
    let mut buf = [0; 4];
    assert_eq!(notes.read(&clone, &mut buf), 4);
    here.shutdown(Shutdown::Write).expect("a connection");
    assert_eq!(notes.read(&there, &mut buf), 0);
    let signals = notes.insist(|| Signals::new([SIGUSR1]));
    raise(SIGUSR1).expect("a signal");
    assert_eq!(notes.insist(|| signals.wait()), SIGUSR1);
}

#[test]
fn a_thread_without_a_hub() {
    let _alone = alone();
    within(60, || {
        let run = |fault| {
            let recorder = Recorder::start(fault, plain_thread);
            let notes = Notes::new(plain_thread);
            wait_without_hub(&notes);
            (recorder.calls(), recorder.failed(), notes.met())
        };
        let (calls, _, met) = run(None);
        assert_eq!(met, []);
        assert!(calls.iter().filter(|call| **call == Call::Poll).count() >= 3, "{calls:?}");
        let before = open_fds();
        for (index, &call) in calls.iter().enumerate() {
            for &error in errors_of(call) {
                let _context = on_drop(move || {
                    if std::thread::panicking() {
                        eprintln!("{call:?}, number {index}, fails with {error}");
                    }
                });
                let (made, failed, met) = run(Some(Fault { index, error }));
                assert_eq!(failed, Some((call, 0)));
                let told = is_told(call, error, false);
                assert_eq!(met, if told { vec![(0, error)] } else { Vec::new() });
                assert!(made.len() <= 2 * calls.len(), "{} calls", made.len());
                assert_eq!(run(None).2, []);
                assert_eq!(open_fds(), before);
            }
        }
    });
}
