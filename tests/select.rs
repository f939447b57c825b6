//! `gevent.select.select`: readiness of any descriptors, beside greenlets and without.

#[path = "net/support.rs"]
mod support;

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use betterthreads::select::{Ready, select};
use betterthreads::{Greenlet, sleep, spawn, with_timeout};
use socket2::SockRef;

use support::{alone, alone_without_hub, local_pair, meanwhile, open_fds, quiesce, settle};

const FOREVER: Duration = Duration::MAX;

/// The numbers of the descriptors, which can be compared.
fn numbers(ready: &Ready<'_>) -> [Vec<i32>; 3] {
    [&ready.0, &ready.1, &ready.2].map(|list| list.iter().map(AsRawFd::as_raw_fd).collect())
}

fn fill(pipe: &PipeWriter) {
    let pipe = OwnedFd::from(pipe.try_clone().unwrap());
    let socket = SockRef::from(&pipe);
    socket.set_nonblocking(true).unwrap();
    let mut pipe = std::fs::File::from(pipe.try_clone().unwrap());
    while pipe.write(&[0; 4096]).is_ok() {}
    socket.set_nonblocking(false).unwrap();
}

/// Waits in a greenlet until `fd` is readable.
fn waits_for_input(fd: impl AsFd + 'static) -> Greenlet<bool> {
    spawn(move || {
        let ready = select(&[fd.as_fd()], &[], &[], 5).unwrap();
        !ready.0.is_empty()
    })
}

#[test]
fn a_pipe_is_readable_once_something_is_in_it() {
    alone(10, || {
        let (mut reader, mut writer) = pipe().unwrap();
        let asked = [reader.as_fd()];
        assert!(select(&asked, &[], &[], 0).unwrap().0.is_empty());
        writer.write_all(b"x").unwrap();
        let ready = select(&asked, &[], &[], 5).unwrap();
        assert_eq!(numbers(&ready), [vec![reader.as_raw_fd()], vec![], vec![]]);
        reader.read_exact(&mut [0; 1]).unwrap();
        assert!(select(&[reader.as_fd()], &[], &[], 0).unwrap().0.is_empty());
    });
}

#[test]
fn a_pipe_is_writable_while_it_has_room() {
    alone(10, || {
        let (mut reader, writer) = pipe().unwrap();
        let number = writer.as_raw_fd();
        let ready = select(&[], &[writer.as_fd()], &[], 5).unwrap();
        assert_eq!(numbers(&ready), [vec![], vec![number], vec![]]);
        fill(&writer);
        let none = select(&[], &[writer.as_fd()], &[], 0).unwrap();
        assert_eq!(numbers(&none), [vec![], vec![], vec![]]);
        let waiting = spawn(move || select(&[], &[writer.as_fd()], &[], 5).unwrap().1.len());
        settle();
        assert!(!waiting.dead());
        // A pipe has room again only page by page.
        reader.read_exact(&mut [0; 8192]).unwrap();
        assert_eq!(waiting.get().unwrap(), 1);
    });
}

#[test]
fn a_pipe_whose_other_end_is_closed_is_ready() {
    alone(10, || {
        let (reader, writer) = pipe().unwrap();
        let waiting = waits_for_input(reader);
        settle();
        drop(writer);
        assert!(waiting.get().unwrap());

        let (reader, writer) = pipe().unwrap();
        fill(&writer);
        let waiting = spawn(move || select(&[], &[writer.as_fd()], &[], 5).unwrap().1.len());
        settle();
        drop(reader);
        assert_eq!(waiting.get().unwrap(), 1);
    });
}

#[test]
fn a_listener_is_readable_when_somebody_connects() {
    alone(10, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let waiting = waits_for_input(listener.try_clone().unwrap());
        settle();
        assert!(!waiting.dead());
        let _client = std::net::TcpStream::connect(address).unwrap();
        assert!(waiting.get().unwrap());
        listener.accept().unwrap();
    });
}

#[test]
fn each_list_says_what_it_was_asked() {
    alone(10, || {
        let (quiet, _quiet_peer) = UnixStream::pair().unwrap();
        let (talking, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"x").unwrap();
        let both = [quiet.as_fd(), talking.as_fd()];
        let ready = select(&both, &both, &both, 5).unwrap();
        let (quiet, talking) = (quiet.as_raw_fd(), talking.as_raw_fd());
        assert_eq!(numbers(&ready), [vec![talking], vec![quiet, talking], vec![]]);
    });
}

#[test]
fn the_third_list_is_for_urgent_data() {
    alone(10, || {
        let (client, server) = support::std_pair();
        let asked = [client.as_fd()];
        assert!(select(&[], &[], &asked, 0).unwrap().2.is_empty());
        let number = client.as_raw_fd();
        let clone = client.try_clone().unwrap();
        let waiting = spawn(move || {
            let ready = select(&[], &[], &[clone.as_fd()], 5).unwrap();
            (ready.0.len(), ready.1.len(), ready.2.len())
        });
        settle();
        // Ordinary data is no exception.
        SockRef::from(&server).send(b"plain").unwrap();
        quiesce();
        assert!(!waiting.dead());
        SockRef::from(&server).send_out_of_band(b"!").unwrap();
        assert_eq!(waiting.get().unwrap(), (0, 0, 1));
        let ready = select(&[], &[], &[client.as_fd()], 5).unwrap();
        assert_eq!(numbers(&ready), [vec![], vec![], vec![number]]);
    });
}

#[test]
fn the_end_of_a_stream_and_a_reset_are_readable() {
    alone(10, || {
        let (client, server) = support::std_pair();
        let waiting = waits_for_input(client);
        settle();
        server.shutdown(Shutdown::Write).unwrap();
        assert!(waiting.get().unwrap());

        let (client, server) = support::std_pair();
        let waiting = waits_for_input(client);
        settle();
        support::reset(server);
        assert!(waiting.get().unwrap());
    });
}

#[test]
fn a_limit_that_passes_gives_three_empty_lists() {
    alone(10, || {
        let (stream, _peer) = local_pair();
        let asked = [stream.as_fd()];
        let start = Instant::now();
        let ready = select(&asked, &[], &asked, 0.02).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(numbers(&ready), [vec![], vec![], vec![]]);
    });
}

#[test]
fn three_empty_lists_are_a_sleep() {
    alone(10, || {
        let start = Instant::now();
        let ready = select(&[], &[], &[], 0.02).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(numbers(&ready), [vec![], vec![], vec![]]);
        select(&[], &[], &[], 0).unwrap();
    });
}

#[test]
fn sleeps_by_select_overlap() {
    alone(10, || {
        let start = Instant::now();
        let journal = Rc::new(RefCell::new(Vec::new()));
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let journal = journal.clone();
                spawn(move || {
                    journal.borrow_mut().push("begin");
                    select(&[], &[], &[], 0.05).unwrap();
                    journal.borrow_mut().push("end");
                })
            })
            .collect();
        betterthreads::joinall(&sleepers);
        assert!(start.elapsed() >= Duration::from_millis(50));
        assert_eq!(journal.take(), ["begin", "begin", "end", "end"]);
    });
}

#[test]
fn others_run_while_one_selects() {
    alone(10, || {
        let (stream, mut peer) = local_pair();
        let turns = Rc::new(Cell::new(0));
        let count = turns.clone();
        spawn(move || {
            for _ in 0..10 {
                sleep(0.001);
                count.set(count.get() + 1);
            }
            peer.write_all(b"x").unwrap();
        });
        assert_eq!(select(&[stream.as_fd()], &[], &[], 5).unwrap().0.len(), 1);
        assert_eq!(turns.get(), 10);
    });
}

#[test]
fn several_greenlets_may_select_on_the_same_descriptor() {
    alone(10, || {
        let before = open_fds();
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let stream = Rc::new(stream);
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let stream = stream.clone();
                spawn(move || select(&[stream.as_fd()], &[], &[], 5).unwrap().0.len())
            })
            .collect();
        settle();
        peer.write_all(b"x").unwrap();
        for greenlet in waiting {
            assert_eq!(greenlet.get().unwrap(), 1, "all of them are told");
        }
        drop((stream, peer));
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_descriptor_may_be_named_twice() {
    alone(10, || {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let waiting = spawn(move || {
            let (fd, number) = (stream.as_fd(), stream.as_raw_fd());
            let ready = select(&[fd, fd], &[], &[fd], 5).unwrap();
            assert_eq!(numbers(&ready), [vec![number; 2], vec![], vec![]]);
        });
        settle();
        peer.write_all(b"x").unwrap();
        waiting.get().unwrap();
    });
}

#[test]
fn a_descriptor_that_the_hub_knows_already_can_be_selected_on() {
    alone(10, || {
        let before = open_fds();
        let (stream, mut peer) = local_pair();
        let stream = Rc::new(stream);
        let reader = spawn({
            let stream = stream.clone();
            move || {
                let mut buf = [0; 2];
                (&*stream).read_exact(&mut buf).unwrap();
                buf
            }
        });
        let watcher = spawn({
            let stream = stream.clone();
            move || select(&[stream.as_fd()], &[], &[], 5).unwrap().0.len()
        });
        settle();
        peer.write_all(b"a").unwrap();
        quiesce();
        peer.write_all(b"b").unwrap();
        assert_eq!(reader.get().unwrap(), *b"ab");
        // The reader may have been faster each time.
        peer.write_all(b"c").unwrap();
        assert_eq!(watcher.get().unwrap(), 1);
        drop((stream, peer));
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_descriptor_that_is_closed_is_an_error() {
    alone(10, || {
        let (stream, peer) = UnixStream::pair().unwrap();
        let number = 1_000_000;
        #[allow(unsafe_code)]
        // SAFETY: nobody uses the number for anything but a name; it is beyond the limit of open
        // files, so it is closed and stays so.
        let closed = unsafe { BorrowedFd::borrow_raw(number) };
        drop(peer);
        for timeout in [0.0, 1.0] {
            for (rlist, wlist, xlist) in [
                (&[closed][..], &[][..], &[][..]),
                (&[], &[closed], &[]),
                (&[], &[], &[closed]),
                (&[stream.as_fd()], &[closed], &[]),
            ] {
                let error = select(rlist, wlist, xlist, timeout).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::EBADF));
            }
        }
    });
}

#[test]
fn any_descriptor_that_poll_takes_will_do() {
    alone(10, || {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let ready = select(&[file.as_fd()], &[file.as_fd()], &[], 5).unwrap();
        let number = file.as_raw_fd();
        assert_eq!(numbers(&ready), [vec![number], vec![number], vec![]]);
        // A file is never in an exceptional state, which is no reason to fail.
        let asked = [stream.as_fd()];
        let ready = select(&asked, &[], &[file.as_fd()], 0.01).unwrap();
        assert_eq!(numbers(&ready), [vec![], vec![], vec![]]);
        peer.write_all(b"x").unwrap();
        let ready = select(&asked, &[], &[file.as_fd()], 5).unwrap();
        assert_eq!(ready.0.len(), 1);
    });
}

#[test]
fn a_kill_ends_it_and_leaves_no_descriptor() {
    alone(10, || {
        let before = open_fds();
        for way in 0..3 {
            let (stream, mut peer) = UnixStream::pair().unwrap();
            let stream = Rc::new(stream);
            let clone = stream.clone();
            let waiting = spawn(move || {
                let wait = || {
                    let fd = clone.as_fd();
                    drop(select(&[fd, fd], &[], &[fd], FOREVER));
                    panic!("it was interrupted");
                };
                match way {
                    0 => assert!(with_timeout(0.005, wait).is_err()),
                    _ => wait(),
                }
            });
            settle();
            match way {
                0 => waiting.get().unwrap(),
                1 => waiting.kill(),
                _ => meanwhile(|| waiting.kill_nowait()),
            }
            waiting.join();
            // What it waited for is still there for the next.
            peer.write_all(b"x").unwrap();
            let ready = select(&[stream.as_fd()], &[], &[], 5).unwrap();
            assert_eq!(ready.0.len(), 1);
        }
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn readiness_found_in_the_same_turn_beats_the_kill() {
    alone(10, || {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let ready = Rc::new(Cell::new(0));
        let count = ready.clone();
        let waiting = spawn(move || {
            count.set(select(&[stream.as_fd()], &[], &[], FOREVER).unwrap().0.len());
            sleep(3600);
        });
        quiesce();
        meanwhile(|| {
            waiting.kill_nowait();
            peer.write_all(b"x").unwrap();
        });
        waiting.join();
        assert_eq!(ready.get(), 1);
    });
}

#[test]
fn one_whose_input_is_gone_can_still_be_killed() {
    alone(20, || {
        let (signal, mut signal_peer) = local_pair();
        let (stream, mut peer) = UnixStream::pair().unwrap();
        let stream = Rc::new(stream);
        let target = Rc::new(Cell::new(None::<Greenlet<()>>));
        let thief = spawn({
            let (stream, target) = (stream.clone(), target.clone());
            move || {
                (&signal).read_exact(&mut [0; 1]).unwrap();
                (&*stream).read_exact(&mut [0; 1]).unwrap();
                target.take().unwrap().kill_nowait();
            }
        });
        quiesce();
        let waiting = spawn(move || drop(select(&[stream.as_fd()], &[], &[], FOREVER)));
        target.set(Some(waiting.clone()));
        quiesce();
        meanwhile(|| {
            signal_peer.write_all(b"!").unwrap();
            peer.write_all(b"x").unwrap();
        });
        thief.join();
        assert!(waiting.join_timeout(5), "it cannot be killed");
    });
}

#[test]
fn a_descriptor_that_is_always_ready_starves_nobody() {
    alone(10, || {
        let (_reader, writer) = pipe().unwrap();
        let ran = Rc::new(Cell::new(0));
        let (yielded, slept) = (ran.clone(), ran.clone());
        spawn(move || {
            sleep(0);
            yielded.set(yielded.get() + 1);
        });
        spawn(move || {
            sleep(0.001);
            slept.set(slept.get() + 1);
        });
        while ran.get() < 2 {
            assert_eq!(select(&[], &[writer.as_fd()], &[], FOREVER).unwrap().1.len(), 1);
        }
    });
}

#[test]
fn many_descriptors_at_once_are_told_apart() {
    alone(20, || {
        let before = open_fds();
        let pipes: Vec<(PipeReader, PipeWriter)> = (0..100).map(|_| pipe().unwrap()).collect();
        let (readers, mut writers): (Vec<_>, Vec<_>) = pipes.into_iter().unzip();
        let expected = [readers[17].as_raw_fd(), readers[71].as_raw_fd()];
        let waiting = spawn(move || {
            let asked: Vec<_> = readers.iter().map(AsFd::as_fd).collect();
            let ready = select(&asked, &[], &[], 5).unwrap();
            numbers(&ready)
        });
        settle();
        writers[71].write_all(b"x").unwrap();
        writers[17].write_all(b"x").unwrap();
        assert_eq!(waiting.get().unwrap(), [expected.to_vec(), vec![], vec![]]);
        drop(writers);
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_thread_without_a_hub_blocks() {
    alone_without_hub(10, || {
        let (reader, mut writer) = pipe().unwrap();
        let start = Instant::now();
        assert!(select(&[reader.as_fd()], &[], &[], 0.02).unwrap().0.is_empty());
        assert!(start.elapsed() >= Duration::from_millis(20));
        let other = std::thread::spawn(move || {
            select(&[reader.as_fd()], &[], &[], FOREVER).unwrap().0.len()
        });
        writer.write_all(b"x").unwrap();
        assert_eq!(other.join().unwrap(), 1);
    });
}

#[test]
fn descriptors_that_run_out_are_an_error_and_nothing_is_lost() {
    alone(20, || {
        // The limit of this process stands, so the list of duplicates is made too long instead.
        let (stream, _peer) = UnixStream::pair().unwrap();
        let before = open_fds();
        let limit = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limit.lines().find(|line| line.starts_with("Max open files"));
        let soft: Option<usize> = line.and_then(|l| l.split_whitespace().nth(3)?.parse().ok());
        let Some(soft) = soft.filter(|soft| *soft <= 100_000) else {
            return;
        };
        let asked = vec![stream.as_fd(); soft];
        let error = select(&asked, &[], &[], 1).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(open_fds(), before);
        assert!(select(&asked[..1], &[], &[], 0.001).unwrap().0.is_empty());
    });
}
