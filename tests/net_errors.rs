//! Network calls and spawns that fail: the error is told, nothing is lost and the hub goes on.
//!
//! What needs a limit of the process or another action for a signal runs in a process of its own.
#![allow(unsafe_code)]

#[path = "common/mod.rs"]
mod common;
#[path = "net/support.rs"]
mod support;

use std::cell::Cell;
use std::fs::{File, read_dir, read_to_string};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::rc::Rc;

use betterthreads::net::{TcpListener, TcpStream, ToSocketAddrs};
use betterthreads::select::select;
use betterthreads::thread::{self, Builder};
use betterthreads::{Greenlet, run, sleep, spawn};

use common::{in_a_process, on_drop};
use support::{deserted, eventually, hosted, kind, local_pair, reset, std_pair};

/// Runs a test in a process of its own and shows what it said if it fails there.
#[track_caller]
fn elsewhere(test: impl FnOnce()) {
    let output = in_a_process(test);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

/// Checks that the hub is well: it switches, keeps time and waits for input.
#[track_caller]
fn assert_hub_goes_on(stream: &mut TcpStream, peer: &mut impl Write) {
    sleep(0);
    sleep(0.001);
    peer.write_all(b"!").unwrap();
    let mut buf = [0; 1];
    stream.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"!");
}

/// Counts what a greenlet does meanwhile.
fn ticking() -> (Greenlet<()>, Rc<Cell<u32>>) {
    let ticks = Rc::new(Cell::new(0));
    let count = ticks.clone();
    let greenlet = spawn(move || {
        loop {
            sleep(0.001);
            count.set(count.get() + 1);
        }
    });
    (greenlet, ticks)
}

#[test]
fn an_error_of_one_greenlet_is_no_concern_of_the_others() {
    hosted(20, || {
        let (ticker, ticks) = ticking();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let used = listener.local_addr().unwrap();
        let (_bound, deserted) = deserted();
        let failures = [
            spawn(move || kind(TcpListener::bind(used))),
            spawn(move || kind(TcpStream::connect(deserted))),
            spawn(|| kind(TcpStream::connect(("no such host", 1)))),
            spawn(|| kind(TcpListener::bind("nonsense"))),
        ];
        let kinds = failures.map(|failure| failure.get().unwrap());
        assert_eq!(kinds[0], ErrorKind::AddrInUse);
        assert_eq!(kinds[1], ErrorKind::ConnectionRefused);
        assert_eq!(kinds[2], kind(std::net::TcpStream::connect(("no such host", 1))));
        assert_eq!(kinds[3], ErrorKind::InvalidInput);
        let seen = ticks.get();
        sleep(0.02);
        assert!(ticks.get() > seen);
        ticker.kill();
    });
}

#[test]
fn an_error_of_a_connection_ends_only_that_one() {
    hosted(20, || {
        let (good, mut good_peer) = local_pair();
        let (bad, bad_peer) = std_pair();
        let read = |mut stream: TcpStream| move || stream.read(&mut [0; 8]);
        let good = thread::spawn(read(good));
        let bad = thread::spawn(read(bad.into()));
        sleep(0.001);
        reset(bad_peer);
        assert_eq!(kind(bad.join().unwrap()), ErrorKind::ConnectionReset);
        good_peer.write_all(b"well").unwrap();
        assert_eq!(good.join().unwrap().unwrap(), 4);
    });
}

/// Sets the soft limit of one resource.
fn limit(resource: libc::__rlimit_resource_t, most: u64) {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both pointers are to a live and valid `rlimit`.
    let result = unsafe {
        libc::getrlimit(resource, &raw mut limits);
        limits.rlim_cur = most.min(limits.rlim_max);
        libc::setrlimit(resource, &raw const limits)
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Opens files until there is no descriptor left.
fn use_up_descriptors() -> Vec<File> {
    limit(libc::RLIMIT_NOFILE, 64);
    let mut files = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                return files;
            }
        }
    }
}

#[track_caller]
fn assert_no_descriptor<T>(result: io::Result<T>) {
    let error = result.err().expect("there is no descriptor left");
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
}

#[test]
fn at_the_limit_of_open_files_accept_fails_and_the_connection_waits() {
    elsewhere(|| {
        run(|| {
            let (mut stream, mut peer) = local_pair();
            let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
            // The listener is known to the hub, and an acceptor waits.
            let waiting = spawn({
                let listener = listener.clone();
                move || kind_of(&listener.accept())
            });
            sleep(0.001);
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut files = use_up_descriptors();
            assert_eq!(waiting.get().unwrap(), Some(libc::EMFILE));
            for _ in 0..3 {
                assert_no_descriptor(listener.accept());
            }
            assert_hub_goes_on(&mut stream, &mut peer);
            files.pop();
            let (_, address) = listener.accept().unwrap();
            assert_eq!(address, client.local_addr().unwrap());
        });
    });
}

fn kind_of<T>(result: &io::Result<T>) -> Option<i32> {
    result.as_ref().err().and_then(io::Error::raw_os_error)
}

#[test]
fn at_the_limit_of_open_files_every_acceptor_is_told() {
    elsewhere(|| {
        run(|| {
            let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    let listener = listener.clone();
                    spawn(move || kind_of(&listener.accept()))
                })
                .collect();
            sleep(0.001);
            let address = listener.local_addr().unwrap();
            let _client = std::net::TcpStream::connect(address).unwrap();
            let _files = use_up_descriptors();
            for greenlet in waiting {
                assert_eq!(greenlet.get().unwrap(), Some(libc::EMFILE));
            }
        });
    });
}

#[test]
fn a_server_that_tries_again_at_the_limit_starves_nobody() {
    elsewhere(|| {
        run(|| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let client = std::net::TcpStream::connect(address).unwrap();
            let mut files = use_up_descriptors();
            let server = spawn(move || {
                let mut incoming = listener.incoming();
                incoming.find_map(Result::ok).unwrap().peer_addr().unwrap()
            });
            sleep(0.01);
            assert!(!server.dead());
            files.pop();
            assert_eq!(server.get().unwrap(), client.local_addr().unwrap());
        });
    });
}

#[test]
fn at_the_limit_of_open_files_whatever_needs_one_says_so() {
    elsewhere(|| {
        run(|| {
            let (mut stream, mut peer) = local_pair();
            let (other, _other_peer) = local_pair();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let mut files = use_up_descriptors();
            assert_no_descriptor(TcpListener::bind("127.0.0.1:0"));
            assert_no_descriptor(TcpStream::connect(address));
            assert_no_descriptor(stream.try_clone());
            assert_no_descriptor(listener.try_clone());
            let asked = [std::os::fd::AsFd::as_fd(&other)];
            assert_no_descriptor(select(&asked, &[], &[], 1));
            // A thread for the look-up can be had or not; either way there is an answer.
            assert!(("no such host", 1).to_socket_addrs().is_err());
            assert_hub_goes_on(&mut stream, &mut peer);
            files.pop();
            TcpStream::connect(address).unwrap();
        });
    });
}

#[test]
fn at_the_limit_of_open_files_a_hub_cannot_be_made_and_calls_block() {
    elsewhere(|| {
        let (mut stream, mut peer) = local_pair();
        let files = use_up_descriptors();
        set_hook(Box::new(|_| {}));
        assert_no_descriptor(Builder::new().spawn(|| ()));
        let panic = catch_unwind(|| run(|| ())).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("failed to make a hub"), "{text}");
        let panic = catch_unwind(|| spawn(|| ())).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("failed to spawn greenlet"), "{text}");
        peer.write_all(b"!").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        drop(files);
        // Nothing of the failed attempts is left in the way.
        assert_eq!(run(|| spawn(|| 1).get().unwrap()), 1);
    });
}

#[test]
fn a_stack_of_an_impossible_size_is_an_error() {
    hosted(20, || {
        for (size, text) in [
            (1 << 46, "no memory or address space left for a stack of 137438953456 KiB: "),
            (usize::MAX, "no address space has room for a stack of 18446744073709551615 bytes"),
        ] {
            let error = Builder::new().stack_size(size).spawn(|| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
            assert!(error.to_string().starts_with(text), "{error}");
        }
        assert_eq!(spawn(|| 1).get().unwrap(), 1);
    });
}

/// Lets this process have hardly more of something than it has now: too little for a stack, enough
/// for an allocator that needs another page.
fn freeze_memory(resource: libc::__rlimit_resource_t) {
    const SPARE: u64 = 240 * 1024;
    let name = if resource == libc::RLIMIT_AS { "VmSize:" } else { "VmData:" };
    let status = read_to_string("/proc/self/status").unwrap();
    let used = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: u64 = used.trim().trim_end_matches(" kB").parse().unwrap();
    limit(resource, kib * 1024 + SPARE);
}

/// Whether only this thread does anything; one that is starting still takes and gives memory.
fn others_sleep() -> bool {
    let tasks = read_dir("/proc/self/task").unwrap().flatten();
    let states = tasks.filter_map(|task| read_to_string(task.path().join("stat")).ok());
    states.filter(|state| !state.contains(") S ")).count() == 1
}

/// Takes mappings until the kernel gives no more, and returns what they are in.
fn use_up_mappings() -> Region {
    const PAGE: usize = 4096;
    let region = Region::new(2 * PAGE * (1 << 21));
    let pages = (0..region.length).step_by(2 * PAGE);
    // Each page whose neighbors are of another kind is a mapping of its own.
    let fails = |page: &usize| {
        // SAFETY: the pages are the region's own, and nobody uses them.
        unsafe { libc::mprotect(region.start.byte_add(*page), PAGE, libc::PROT_READ) != 0 }
    };
    let refused = pages.into_iter().find(fails);
    assert!(refused.is_some(), "this kernel has no limit to speak of");
    region
}

/// A mapping of pages that nobody may use.
struct Region {
    start: *mut libc::c_void,
    length: usize,
}

impl Region {
    fn new(length: usize) -> Region {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let nowhere = std::ptr::null_mut();
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing.
        let start = unsafe { libc::mmap(nowhere, length, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED, "{}", io::Error::last_os_error());
        Region { start, length }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is this region's own, and nobody uses it.
        unsafe { libc::munmap(self.start, self.length) };
    }
}

/// Spawns until there is no stack left and returns the greenlets and the error.
fn use_up_stacks<T>(freeze: impl FnOnce() -> T) -> (Vec<Greenlet<()>>, io::Error, T) {
    let mut greenlets = Vec::with_capacity(10_000);
    drop(spawn(|| sleep(0)).get());
    eventually(others_sleep);
    let frozen = freeze();
    loop {
        match Builder::new().spawn(|| sleep(3600)) {
            Ok(handle) => greenlets.push(handle.greenlet()),
            Err(error) => return (greenlets, error, frozen),
        }
    }
}

#[test]
fn without_address_space_for_a_stack_the_error_names_its_limit() {
    assert_error_names("no address space left", "raise RLIMIT_AS (ulimit -v)", || {
        freeze_memory(libc::RLIMIT_AS);
        on_drop(|| limit(libc::RLIMIT_AS, u64::MAX))
    });
}

#[test]
fn without_private_memory_for_a_stack_the_error_names_its_limit() {
    assert_error_names("no private memory left", "raise RLIMIT_DATA (ulimit -d)", || {
        freeze_memory(libc::RLIMIT_DATA);
        on_drop(|| limit(libc::RLIMIT_DATA, u64::MAX))
    });
}

#[test]
fn without_a_mapping_for_a_stack_the_error_names_the_kernels_limit() {
    assert_error_names("no mapping left", "raise vm.max_map_count", use_up_mappings);
}

/// Checks what a spawn says after `freeze`, and that the hub goes on until all is given back.
#[track_caller]
fn assert_error_names<T>(lack: &str, cure: &str, freeze: impl FnOnce() -> T) {
    elsewhere(|| {
        run(|| {
            let (mut stream, mut peer) = local_pair();
            let (greenlets, error, frozen) = use_up_stacks(freeze);
            assert_hub_goes_on(&mut stream, &mut peer);
            drop(frozen);
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
            let text = error.to_string();
            assert!(text.starts_with(lack) && text.contains(cure), "{text}");
            let more: Vec<_> = (0..100).map(|_| spawn(|| sleep(0.001))).collect();
            betterthreads::joinall(&more);
            betterthreads::killall(&greenlets);
        });
    });
}

#[test]
fn without_memory_for_a_stack_builder_spawn_is_an_error() {
    elsewhere(|| {
        run(|| {
            let (mut stream, mut peer) = local_pair();
            let (greenlets, error, ()) = use_up_stacks(|| freeze_memory(libc::RLIMIT_AS));
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
            assert_hub_goes_on(&mut stream, &mut peer);
            assert!(Builder::new().spawn(|| ()).is_err());
            // The stack of one that has ended serves the next.
            greenlets[0].kill();
            let next = Builder::new().spawn(|| 1).unwrap();
            assert_eq!(next.join().unwrap(), 1);
            limit(libc::RLIMIT_AS, u64::MAX);
            let more: Vec<_> = (0..100).map(|_| spawn(|| sleep(0.001))).collect();
            betterthreads::joinall(&more);
            betterthreads::killall(&greenlets);
        });
    });
}

#[test]
fn without_memory_for_a_stack_spawn_panics_and_says_why() {
    elsewhere(|| {
        run(|| {
            let (mut stream, mut peer) = local_pair();
            set_hook(Box::new(|_| {}));
            let (greenlets, ..) = use_up_stacks(|| freeze_memory(libc::RLIMIT_AS));
            let text = |panic: Box<dyn std::any::Any + Send>| *panic.downcast::<String>().unwrap();
            let dropped = Rc::new(());
            let captured = dropped.clone();
            let panic = catch_unwind(AssertUnwindSafe(|| spawn(move || drop(captured))));
            let panic = text(panic.unwrap_err());
            assert!(panic.starts_with("failed to spawn greenlet: "), "{panic}");
            assert!(panic.contains("raise RLIMIT_AS (ulimit -v)"), "{panic}");
            assert_eq!(Rc::strong_count(&dropped), 1, "the body is dropped");
            let panic = text(catch_unwind(|| thread::spawn(|| ())).unwrap_err());
            assert!(panic.starts_with("failed to spawn thread: "), "{panic}");
            assert!(panic.contains("raise RLIMIT_AS (ulimit -v)"), "{panic}");
            let panic = catch_unwind(|| betterthreads::spawn_later(1, || ())).unwrap_err();
            assert!(text(panic).starts_with("failed to spawn greenlet: "));
            assert_hub_goes_on(&mut stream, &mut peer);
            greenlets[0].kill();
            assert_eq!(spawn(|| 1).get().unwrap(), 1);
        });
    });
}

#[test]
fn writing_to_a_closed_connection_raises_no_signal() {
    elsewhere(|| {
        // SAFETY: no handler is installed; the signal gets the action that a C program has.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let check = || {
            let (mut stream, peer) = local_pair();
            drop(peer);
            assert_eq!(kind(stream.write(b"x")), ErrorKind::BrokenPipe);
            let parts = [IoSlice::new(b"x"), IoSlice::new(b"y")];
            assert_eq!(kind(stream.write_vectored(&parts)), ErrorKind::BrokenPipe);
        };
        check();
        run(|| {
            check();
            spawn(check).get().unwrap();
        });
    });
}
