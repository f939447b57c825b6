//! What takes a process of its own: its limits, its signals, descriptors closed behind its back.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write};
use std::iter;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use betterthreads::net::{TcpListener, ToSocketAddrs};
use betterthreads::testing::{self, Call, Simulation};
use betterthreads::{Greenlet, run, sleep, spawn};
use libc::{EAGAIN, EMFILE};

use crate::common::in_a_process;
use crate::storms::fail_first;
use crate::sweep::alone;

/// Runs `test` in a process of its own, which must end well.
#[track_caller]
fn elsewhere(test: impl FnOnce()) {
    let _alone = alone();
    let output = in_a_process(test);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

fn look_up() -> Option<i32> {
    let error = ("localhost", 80).to_socket_addrs().map(drop).err();
    error.map(|error| error.raw_os_error().expect("the kernel's"))
}

#[test]
fn a_look_up_without_a_thread_fails_alone_and_later_ones_share_what_there_is() {
    elsewhere(|| {
        Simulation::new(1).run(|| {
            let before = testing::census().greenlets;
            let (storm, failed) = fail_first(u32::MAX, Call::Thread, EAGAIN);
            let refused: Vec<_> = (0..3).map(|_| spawn(look_up)).collect();
            for refused in refused {
                assert_eq!(refused.get().expect("no panic"), Some(EAGAIN));
            }
            assert_eq!(failed.get(), 3);
            drop(storm);
            // One alone is refused, and the next has a thread.
            let (storm, _) = fail_first(1, Call::Thread, EAGAIN);
            let outcomes = [spawn(look_up), spawn(look_up)];
            let refused = outcomes.map(|outcome| outcome.get().expect("no panic"));
            assert!(refused == [Some(EAGAIN), None] || refused == [None, Some(EAGAIN)]);
            drop(storm);
            // The thread that there is does the work of all.
            let (_storm, _) = fail_first(u32::MAX, Call::Thread, EAGAIN);
            let answered: Vec<_> = (0..20).map(|_| spawn(look_up)).collect();
            for answered in answered {
                assert_eq!(answered.get().expect("no panic"), None);
            }
            assert_eq!(testing::census().greenlets, before);
        });
    });
}

/// Leaves this process `count` descriptors; those that are returned use up the others.
fn leave_descriptors(count: usize) -> Vec<File> {
    let limits = libc::rlimit { rlim_cur: 128, rlim_max: 128 };
    // SAFETY: the pointer is to a live and valid `rlimit`.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
    assert_eq!(result, 0);
    let mut files: Vec<File> = iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.truncate(files.len() - count);
    files
}

/// Echoes one byte for each of its clients, and counts the attempts that had no descriptor.
fn serve(listener: TcpListener, refused: Rc<Cell<u32>>) -> Greenlet<()> {
    spawn(move || {
        loop {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    spawn(move || {
                        let mut byte = [0];
                        stream.read_exact(&mut byte).expect("a byte");
                        stream.write_all(&byte).expect("a client");
                        // The client goes first.
                        assert_eq!(stream.read(&mut byte).expect("the end"), 0);
                    });
                }
                Err(error) => {
                    assert_eq!(error.raw_os_error(), Some(EMFILE));
                    refused.set(refused.get() + 1);
                    sleep(0.001);
                }
            }
        }
    })
}

#[test]
fn at_the_limit_of_open_files_a_server_serves_as_descriptors_come_free() {
    const CLIENTS: u8 = 50;
    elsewhere(|| {
        run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("its address");
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| std::net::TcpStream::connect(address).expect("a place in the queue"))
                .collect();
            let _files = leave_descriptors(3);
            let refused = Rc::new(Cell::new(0));
            let server = serve(listener, refused.clone());
            sleep(0.01);
            assert!(refused.get() > 0, "it is at the limit");
            let talking = thread::spawn(move || {
                for (number, mut client) in (0..).zip(clients) {
                    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
                    client.write_all(&[number]).expect("a connection");
                    let mut byte = [!number];
                    client.read_exact(&mut byte).expect("an echo");
                    assert_eq!(byte, [number]);
                }
            });
            while !talking.is_finished() {
                sleep(0.01);
            }
            talking.join().expect("no panic");
            server.kill();
        });
    });
}
