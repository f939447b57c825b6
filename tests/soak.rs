//! A soak: an ordinary program, a server with clients and a pool of workers, is kept busy for some
//! time while its greenlets are killed and replaced at random. It has to keep its promises all the
//! time, and to leave the process as a short run of it did before: no descriptor, thread, mapping
//! or memory more.
//!
//! Too long for every day, hence ignored; `ci/storm.sh` runs it. `BETTERTHREADS_FACTOR` multiplies
//! its time.

#[path = "common/chance.rs"]
mod chance;
#[path = "common/mod.rs"]
mod common;

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::thread as os;
use std::time::{Duration, Instant};

use betterthreads::event::AsyncResult;
use betterthreads::lock::Semaphore;
use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::queue::Queue;
use betterthreads::sync::Mutex;
use betterthreads::{Greenlet, run, sleep, spawn, with_timeout};

use chance::{Chance, by_chance, factor};
use common::on_drop;

/// How long it goes on, and the short run before it.
const SOAK: Duration = Duration::from_secs(20);
const WARM_UP: Duration = Duration::from_secs(3);
const BETWEEN_SAMPLES: Duration = Duration::from_millis(50);

const CLIENT_HUBS: usize = 2;
/// On each of those hubs.
const CLIENTS: usize = 100;
const ASKERS: usize = 20;
/// On a hub of their own.
const WORKERS: usize = 20;
/// Connections that are served at a time.
const SERVED: usize = 64;
/// Plain threads that kill.
const REAPERS: usize = 2;
const BETWEEN_KILLS: Duration = Duration::from_micros(300);

/// Mappings that may be there more: malloc gives a thread one of its arenas, of two mappings, or
/// makes a new one, and keeps them all.
const MAPPINGS: usize = 2 * (2 + CLIENT_HUBS + REAPERS);
/// KiB that may be used more, besides a twentieth.
const MEMORY: u64 = 2048;

/// What a client meets if whoever serves it is killed, if the server is the first to end, and,
/// where many connections have been, if the kernel still keeps their addresses.
const BROKEN: &[ErrorKind] = &[
    ErrorKind::ConnectionRefused,
    ErrorKind::UnexpectedEof,
    ErrorKind::ConnectionReset,
    ErrorKind::BrokenPipe,
    ErrorKind::AddrNotAvailable,
];

/// What was counted.
#[derive(Debug, Default)]
struct Figures {
    connections: AtomicU64,
    requests: AtomicU64,
    broken: AtomicU64,
    answers: AtomicU64,
    time_outs: AtomicU64,
    kills: AtomicU64,
    replaced: AtomicU64,
    jobs_made: AtomicU64,
    jobs_dropped: AtomicU64,
}

fn count(figure: &AtomicU64) {
    figure.fetch_add(1, SeqCst);
}

/// Something to be worked out, which counts itself.
struct Job {
    number: u64,
    answer: Arc<AsyncResult<u64>>,
    program: Arc<Program>,
}

impl Drop for Job {
    fn drop(&mut self) {
        count(&self.program.figures.jobs_dropped);
    }
}

/// What the hubs share.
struct Program {
    address: SocketAddr,
    served: Semaphore,
    jobs: Queue<Job>,
    worked: Mutex<u64>,
    /// Who may be killed.
    victims: StdMutex<Vec<Greenlet<()>>>,
    figures: Figures,
    is_over: AtomicBool,
    has_failed: AtomicBool,
}

type Part = fn(&Arc<Program>, &mut Chance);

impl Program {
    fn is_over(&self) -> bool {
        self.is_over.load(SeqCst)
    }

    /// Spawns a greenlet that may be killed at any time.
    fn spawn_victim(&self, body: impl FnOnce() + 'static) -> Greenlet<()> {
        let victim = spawn(body);
        let mut victims = self.victims.lock().unwrap_or_else(PoisonError::into_inner);
        if victims.len() >= 2 * CLIENT_HUBS * (CLIENTS + ASKERS) {
            victims.retain(|victim| !victim.dead());
        }
        victims.push(victim.clone());
        victim
    }

    /// Has something done by one greenlet after the other; each is made when the last has ended.
    fn keep_doing(
        self: &Arc<Program>,
        chance: &mut Chance,
        part: impl Fn(&Arc<Program>, &mut Chance) + Clone + 'static,
    ) {
        let (program, mut chance) = (self.clone(), chance.fork());
        spawn(move || {
            loop {
                let (own, part, mut chance) = (program.clone(), part.clone(), chance.fork());
                let victim = program.spawn_victim(move || part(&own, &mut chance));
                victim.join();
                let failure = victim.exception();
                if failure.is_some_and(|failure| failure.is_panicked()) {
                    program.has_failed.store(true, SeqCst);
                }
                count(&program.figures.replaced);
            }
        });
    }

    fn wait_for_the_end(&self) {
        while !self.is_over() {
            sleep(0.01);
        }
    }

    /// Checks the books, when the hubs are gone.
    fn check(&self) {
        while self.jobs.get_nowait().is_ok() {}
        println!("{:#?}", self.figures);
        assert!(!self.has_failed.load(SeqCst), "a greenlet has panicked");
        assert_eq!((self.served.counter(), self.served.linkcount()), (SERVED, 0), "permits");
        let Figures { jobs_made, jobs_dropped, .. } = &self.figures;
        assert_eq!(jobs_made.load(SeqCst), jobs_dropped.load(SeqCst), "jobs made, and dropped");
        let victims = self.victims.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(victims.iter().all(Greenlet::dead), "a greenlet outlived its hub");
        let Figures { requests, broken, answers, time_outs, kills, .. } = &self.figures;
        for figure in [requests, broken, answers, time_outs, kills] {
            assert!(figure.load(SeqCst) > 100, "the program was busy with everything");
        }
    }
}

/// Hosts some greenlets for each of some parts until it is over; `run` kills what is left then.
fn host_parts(program: &Arc<Program>, parts: &[(Part, usize)], mut chance: Chance) {
    run(|| {
        for &(part, number) in parts {
            (0..number).for_each(|_| program.keep_doing(&mut chance, part));
        }
        program.wait_for_the_end();
    });
}

/// Hosts the server, whose acceptors are killed as well.
fn host_server(program: &Arc<Program>, listener: TcpListener, mut chance: Chance) {
    let listener = Arc::new(listener);
    run(|| {
        for _ in 0..2 {
            let listener = listener.clone();
            let part = move |program: &_, chance: &mut _| accept(program, &listener, chance);
            program.keep_doing(&mut chance, part);
        }
        program.wait_for_the_end();
    });
}

/// Accepts connections, with a greenlet for each.
fn accept(program: &Arc<Program>, listener: &TcpListener, chance: &mut Chance) {
    loop {
        let (stream, _) = listener.accept().expect("a connection");
        let (own, mut chance) = (program.clone(), chance.fork());
        program.spawn_victim(move || {
            own.served.with(|| {
                // The client may have broken off.
                let _ = echo(stream, &mut chance);
            });
        });
    }
}

fn echo(mut stream: TcpStream, chance: &mut Chance) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        if chance.one_in(500) {
            // Longer than a client waits.
            sleep(0.2);
        }
        stream.write_all(&buffer[..length])?;
    }
}

/// One client after the other.
fn be_clients(program: &Arc<Program>, chance: &mut Chance) {
    loop {
        match with_timeout(0.1, || be_client(program, chance)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                assert!(BROKEN.contains(&error.kind()), "{error}");
                count(&program.figures.broken);
            }
            Err(_) => count(&program.figures.time_outs),
        }
        sleep(chance.nanos(20_000_000));
    }
}

fn be_client(program: &Program, chance: &mut Chance) -> io::Result<()> {
    let mut stream = TcpStream::connect(program.address)?;
    count(&program.figures.connections);
    for _ in 0..=chance.below(4) {
        let question: Vec<u8> = (0..=chance.below(2000)).map(|_| chance.next() as u8).collect();
        let mut answer = vec![0; question.len()];
        stream.write_all(&question)?;
        stream.read_exact(&mut answer)?;
        assert!(question == answer, "the echo of a request differs");
        count(&program.figures.requests);
    }
    Ok(())
}

/// Has things worked out by the workers.
fn ask(program: &Arc<Program>, chance: &mut Chance) {
    loop {
        let (number, answer) = (chance.below(1 << 32), Arc::new(AsyncResult::new()));
        count(&program.figures.jobs_made);
        let job = Job { number, answer: answer.clone(), program: program.clone() };
        let is_put = program.jobs.put_timeout(job, 0.01).is_ok();
        match is_put.then(|| answer.get_timeout(0.02).ok()).flatten() {
            Some(square) => {
                assert_eq!(square, number * number);
                count(&program.figures.answers);
            }
            // The workers are busy, or the one who had it was killed.
            None => count(&program.figures.time_outs),
        }
        sleep(chance.nanos(5_000_000));
    }
}

fn work(program: &Arc<Program>, chance: &mut Chance) {
    loop {
        let job = program.jobs.get();
        (0..chance.below(4)).for_each(|_| sleep(0));
        *program.worked.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        // Clean-up that waits, in an unwind every now and then.
        let _pause = on_drop(|| sleep(chance.nanos(50_000)));
        job.answer.set(job.number * job.number);
        sleep(0);
    }
}

/// Kills one after the other.
fn reap(program: &Program, chance: &mut Chance) {
    while !program.is_over() {
        let victim = {
            let victims = program.victims.lock().unwrap_or_else(PoisonError::into_inner);
            (!victims.is_empty()).then(|| chance.pick(&victims).clone())
        };
        if let Some(victim) = victim.filter(|victim| !victim.dead()) {
            match chance.below(8) {
                0 => victim.kill(),
                1 => victim.throw("reaped"),
                _ => victim.kill_nowait(),
            }
            count(&program.figures.kills);
        }
        os::sleep(BETWEEN_KILLS); // real time: the rate of the kills
    }
}

/// What a process has.
#[derive(Debug)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    mappings: usize,
}

impl Holdings {
    fn now() -> Holdings {
        let entries = |folder| fs::read_dir(folder).expect("a folder of the kernel's").count();
        let maps = fs::read_to_string("/proc/self/maps").expect("the mappings");
        Holdings {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            mappings: maps.lines().count(),
        }
    }
}

/// Memory in use, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Runs the program from its beginning to its end. Returns the memory in use over the time.
fn run_program(time: Duration, chance: &mut Chance) -> Vec<u64> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let program = Arc::new(Program {
        address: listener.local_addr().expect("its address"),
        served: Semaphore::new(SERVED),
        jobs: Queue::bounded(ASKERS),
        worked: Mutex::new(0),
        victims: StdMutex::default(),
        figures: Figures::default(),
        is_over: AtomicBool::new(false),
        has_failed: AtomicBool::new(false),
    });
    let mut threads = Vec::new();
    let mut start = |body: Box<dyn FnOnce(Arc<Program>, Chance) + Send>| {
        let (program, chance) = (program.clone(), chance.fork());
        threads.push(os::spawn(move || body(program, chance)));
    };
    start(Box::new(|program, chance| host_server(&program, listener.into(), chance)));
    start(Box::new(|program, chance| host_parts(&program, &[(work, WORKERS)], chance)));
    for _ in 0..CLIENT_HUBS {
        let parts: &[(Part, usize)] = &[(be_clients, CLIENTS), (ask, ASKERS)];
        start(Box::new(move |program, chance| host_parts(&program, parts, chance)));
    }
    for _ in 0..REAPERS {
        start(Box::new(|program, mut chance| reap(&program, &mut chance)));
    }
    let mut samples = Vec::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        samples.push(resident());
        os::sleep(BETWEEN_SAMPLES); // real time: the time of the soak
    }
    program.is_over.store(true, SeqCst);
    for thread in threads {
        thread.join().unwrap_or_else(|payload| resume_unwind(payload));
    }
    program.check();
    samples
}

/// The mean of one quarter of the samples, the first being number zero.
fn quarter(samples: &[u64], number: usize) -> u64 {
    let length = samples.len() / 4;
    let quarter = &samples[number * length..(number + 1) * length];
    quarter.iter().sum::<u64>() / length as u64
}

#[test]
#[ignore = "takes long"]
fn a_busy_program_leaves_nothing_behind() {
    by_chance(60, |chance| {
        run_program(WARM_UP, chance);
        let before = Holdings::now();
        let samples = run_program(SOAK * factor() as u32, chance);
        let after = Holdings::now();
        let (second, last) = (quarter(&samples, 1), quarter(&samples, 3));
        println!("before: {before:?}, {} KiB\nafter: {after:?}, {} KiB", samples[0], resident());
        println!("memory in use: {second} KiB in the second quarter, {last} KiB in the last");
        assert_eq!(after.descriptors, before.descriptors);
        assert_eq!(after.threads, before.threads);
        let mappings = before.mappings + MAPPINGS;
        assert!(after.mappings <= mappings, "{} mappings, {mappings} allowed", after.mappings);
        assert!(last <= second + second / 20 + MEMORY, "memory in use grows");
    });
}
