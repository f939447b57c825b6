//! What takes a process of its own: its limits, its signals, descriptors closed behind its back.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs::{self, DirEntry, File};
use std::io::{Read, Write};
use std::iter;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use betterthreads::net::{TcpListener, ToSocketAddrs};
use betterthreads::signal::{KeyboardInterrupt, SIGINT, catch_keyboard_interrupt};
use betterthreads::testing::{self, Call, Simulation};
use betterthreads::thread::Builder;
use betterthreads::{Greenlet, run, sleep, spawn};
use libc::{EAGAIN, EINVAL, EMFILE, ENOSPC};
use signal_hook::low_level::raise;

use crate::common::{in_a_process, parked, stream};
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

#[test]
fn ctrl_c_is_caught_though_nothing_more_can_be_watched() {
    elsewhere(|| {
        Simulation::new(1).run(|| {
            let _full = testing::intercept(|call| (call == Call::EpollAdd).then_some(ENOSPC));
            let result = catch_keyboard_interrupt(|| {
                sleep(10);
                raise(SIGINT).expect("a signal");
                sleep(3600);
            });
            assert_eq!(result, Err(KeyboardInterrupt));
        });
    });
}

/// Takes all the keys that are left for values of threads.
fn use_up_keys() -> Vec<libc::pthread_key_t> {
    let mut keys = Vec::new();
    loop {
        let mut key = 0;
        // SAFETY: `key` is written before the call returns; without a destructor nothing is called.
        match unsafe { libc::pthread_key_create(&raw mut key, None) } {
            0 => keys.push(key),
            error => {
                assert_eq!(error, EAGAIN);
                return keys;
            }
        }
    }
}

#[test]
fn a_thread_without_a_key_left_has_no_hub_until_there_is_one() {
    elsewhere(|| {
        let keys = use_up_keys();
        let spawn_on_a_new_thread = || {
            let spawned = thread::spawn(|| {
                let spawned = Builder::new().spawn(|| ());
                spawned.map(|handle| handle.join().is_ok()).map_err(|error| error.raw_os_error())
            });
            spawned.join().expect("no panic")
        };
        assert_eq!(spawn_on_a_new_thread(), Err(Some(EAGAIN)));
        for key in keys {
            // SAFETY: the key exists and nobody uses it.
            unsafe { libc::pthread_key_delete(key) };
        }
        assert_eq!(spawn_on_a_new_thread(), Ok(true));
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

/// Puts another file in the place of this process's pollers, as a program does that closes what is
/// not its own and then opens something.
fn break_pollers() -> usize {
    let other = File::open("/dev/null").expect("a descriptor");
    let used = fs::read_dir("/proc/self/fd").expect("the list of descriptors").flatten();
    let is_poller = |entry: &DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|file| file.as_os_str() == "anon_inode:[eventpoll]")
    };
    let pollers = used.filter(is_poller);
    let numbers: Vec<RawFd> = pollers
        .map(|entry| entry.file_name().to_str().expect("a number").parse().expect("one"))
        .collect();
    for number in &numbers {
        // SAFETY: both descriptors are open, and no memory depends on what they refer to.
        assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), *number) }, *number);
    }
    numbers.len()
}

/// What the library has logged.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Collector;

impl log::Log for Collector {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.lock().expect("no panic").push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn a_hub_goes_on_though_its_poller_is_gone() {
    elsewhere(|| {
        log::set_logger(&Collector).expect("the first one");
        log::set_max_level(log::LevelFilter::Error);
        run(|| {
            let (reader, mut peer) = stream();
            let reading = parked(move || (&reader).read(&mut [0]).expect("a byte"));
            assert!(break_pollers() > 0);
            let polls = Rc::new(Cell::new(0));
            let count = polls.clone();
            let _counting = testing::intercept(move |call| {
                count.set(count.get() + u32::from(call == Call::EpollWait));
                None
            });
            let began = Instant::now();
            sleep(0.2);
            assert!(began.elapsed() >= Duration::from_millis(200));
            assert!((1..60).contains(&polls.get()), "{} polls in 0.2 seconds", polls.get());
            peer.write_all(b"!").expect("a peer");
            assert_eq!(reading.get().expect("its end"), 1);
            let target = parked(|| sleep(3600));
            let killed = target.clone();
            let killer = thread::spawn(move || killed.kill());
            target.join();
            killer.join().expect("no panic");
            let (unknown, _peer) = stream();
            let error = (&unknown).read(&mut [0]).expect_err("nowhere to register it");
            assert_eq!(error.raw_os_error(), Some(EINVAL));
            while polls.get() < 12 {
                sleep(0.01);
            }
            let logged = LOGGED.lock().expect("no panic").clone();
            let about = |text: &str| logged.iter().any(|line| line.contains(text));
            assert!(about("failed, number 1 in a row") && about("failed, number 10 in a row"));
            assert!(!about("failed, number 2 in a row"), "{logged:?}");
        });
    });
}
