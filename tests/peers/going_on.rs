//! Greenlets that would not let others run: loops that swallow their kill, loops that only yield,
//! long computations. Whatever else a hub has to do goes on.

use std::cell::Cell;
use std::io::{Read, Write};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::sync::mpsc::sync_channel;
use betterthreads::{
    Greenlet, checkpoint, getcurrent, joinall, sleep, spawn, thread, with_timeout,
};

use crate::common::{Journal, caught, hosted, listener, meanwhile, on_drop, parked, stream};

/// Answers a client on an OS thread that asks again and again.
fn answers() -> Greenlet<()> {
    const QUESTIONS: u8 = 20;
    let listener = listener();
    let address = listener.local_addr().expect("its address");
    let client = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(address).expect("a connection");
        for question in 0..QUESTIONS {
            stream.write_all(&[question]).expect("room for a byte");
            let mut answer = [0];
            stream.read_exact(&mut answer).expect("an answer");
            assert_eq!(answer, [question + 1]);
        }
    });
    spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client");
        for _ in 0..QUESTIONS {
            let mut question = [0];
            stream.read_exact(&mut question).expect("a question");
            stream.write_all(&[question[0] + 1]).expect("room for a byte");
        }
        client.join().expect("the client got its answers");
    })
}

/// Sleeps again and again.
fn sleeps() -> Greenlet<()> {
    spawn(|| (0..10).for_each(|_| sleep(0.001)))
}

/// Is woken again and again by an OS thread, which waits for it each time.
fn is_woken() -> Greenlet<()> {
    let (sender, items) = sync_channel(0);
    let sends = std::thread::spawn(move || (0..20).for_each(|item| sender.send(item).unwrap()));
    spawn(move || {
        assert!(items.iter().eq(0..20));
        sends.join().expect("it has sent everything");
    })
}

/// Spawns a greenlet that an OS thread starts.
fn is_started() -> Greenlet<()> {
    spawn(|| {
        let started = Greenlet::new(|| "ran");
        meanwhile(|| started.start());
        assert_eq!(started.get().unwrap(), "ran");
    })
}

/// Spawns a greenlet that an OS thread kills.
fn is_killed() -> Greenlet<()> {
    spawn(|| {
        let target = parked(|| sleep(3600));
        let victim = target.clone();
        let killer = std::thread::spawn(move || {
            victim.kill();
            victim.dead()
        });
        target.join();
        assert!(killer.join().unwrap());
    })
}

/// Everything that a hub does for others.
fn everything() -> [Greenlet<()>; 5] {
    [answers(), sleeps(), is_woken(), is_started(), is_killed()]
}

/// Runs `busy` until all of that is done beside it, and returns its value.
fn goes_on_beside<T: Clone + Send + 'static>(
    busy: impl FnOnce(&Cell<bool>) -> T + Send + 'static,
) -> T {
    hosted(|| {
        let enough = Rc::new(Cell::new(false));
        let ends = enough.clone();
        let busy = spawn(move || busy(&ends));
        for other in everything() {
            other.get().unwrap();
        }
        assert!(!busy.dead());
        enough.set(true);
        busy.get().unwrap()
    })
}

/// Waits for input that never comes.
fn read_nothing() {
    let (mut stream, _peer) = stream();
    drop(stream.read(&mut [0]));
}

#[test]
fn a_body_that_swallows_its_kill_in_a_loop_holds_nobody_up_and_ends_when_it_returns() {
    let yields: [fn(); 5] = [checkpoint, || sleep(0), || sleep(3600), thread::park, read_nothing];
    for yields in yields {
        let (value, raised) = goes_on_beside(move |enough| {
            getcurrent().kill_nowait();
            let mut raised = 0_u64;
            while !enough.get() {
                assert!(caught(yields).is_err(), "it is raised every time");
                raised += 1;
            }
            ("its value", raised)
        });
        assert_eq!(value, "its value");
        assert!(raised > 1);
    }
}

#[test]
fn many_bodies_that_swallow_their_kills_hold_nobody_up() {
    goes_on_beside(|enough| {
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    getcurrent().kill_nowait();
                    while !enough.get() {
                        drop(caught(|| sleep(3600)));
                    }
                });
            }
        });
    });
}

#[test]
fn a_loop_that_only_yields_holds_nobody_up() {
    let yields: [fn(); 2] = [|| sleep(0), thread::yield_now];
    for yields in yields {
        goes_on_beside(move |enough| {
            while !enough.get() {
                yields();
            }
        });
    }
}

#[test]
fn many_loops_that_only_yield_hold_nobody_up() {
    goes_on_beside(|enough| {
        thread::scope(|scope| {
            for _ in 0..300 {
                scope.spawn(|| {
                    while !enough.get() {
                        thread::yield_now();
                    }
                });
            }
        });
    });
}

#[test]
fn a_loop_that_only_yields_in_a_destructor_holds_nobody_up() {
    goes_on_beside(|enough| {
        let result = caught(|| {
            let _clean_up = on_drop(|| {
                while !enough.get() {
                    sleep(0);
                }
            });
            resume_unwind(Box::new("on purpose"));
        });
        assert!(result.is_err());
    });
}

/// Keeps the OS thread busy, as a computation does, until `moment`.
fn compute_until(moment: Instant) {
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
}

fn compute(milliseconds: u64) {
    compute_until(Instant::now() + Duration::from_millis(milliseconds));
}

#[test]
fn sleepers_whose_deadlines_pass_during_a_computation_wake_when_it_is_over() {
    hosted(|| {
        let woken = Rc::new(Cell::new(0));
        let sleepers: [_; 5] = std::array::from_fn(|number| {
            let counts = woken.clone();
            let milliseconds = [25, 5, 20, 10, 15][number];
            spawn(move || {
                sleep(Duration::from_millis(milliseconds));
                counts.set(counts.get() + 1);
            })
        });
        sleep(0); // They lie down.
        let latest = Instant::now() + Duration::from_millis(25);
        let computes = spawn(move || {
            sleep(0.001);
            compute_until(latest);
            sleep(0.001); // Its own deadline is later than theirs.
            woken.get()
        });
        assert_eq!(computes.get().unwrap(), 5);
        joinall(&sleepers);
    });
}

#[test]
fn a_kill_by_an_os_thread_during_a_computation_is_raised_at_its_next_yield() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = spawn(move || {
            sleep(0.001);
            let me = getcurrent();
            meanwhile(move || me.kill_nowait());
            noted.note("computed");
            sleep(0);
            noted.note("survived");
        });
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["computed"]);
    });
}

#[test]
fn a_kill_by_an_os_thread_during_anothers_computation_is_raised_when_that_is_over() {
    hosted(|| {
        let target = parked(|| sleep(3600));
        let victim = target.clone();
        let computes = spawn(move || {
            sleep(0.001);
            meanwhile(|| victim.kill_nowait());
            sleep(0.001);
            victim.dead()
        });
        assert!(computes.get().unwrap());
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_limit_that_passes_during_a_computation_is_raised_at_its_next_wait() {
    hosted(|| {
        let (silent, _peer) = stream();
        let event = Event::new();
        let waits: [&dyn Fn(); 4] = [
            &|| sleep(3600),
            &|| drop((&silent).read(&mut [0])),
            &|| assert!(event.wait()),
            &checkpoint,
        ];
        for wait in waits {
            let computed = Cell::new(false);
            let result = with_timeout(0.001, || {
                compute(5);
                computed.set(true);
                wait();
            });
            assert!(computed.get(), "a computation is not interrupted");
            assert!(result.is_err());
        }
        assert_eq!(event.linkcount(), 0);
    });
}

/// After how many long computations with a yield between them the hub has looked at the world, at
/// the latest: it looks at the clock now and then, and at the world when that has taken long.
const FEW: u32 = 40;

/// Computes and yields in turn for ever, and counts the computations.
fn computes_and_yields(rounds: &AtomicU32) {
    loop {
        compute(2);
        rounds.fetch_add(1, Ordering::SeqCst);
        sleep(0);
    }
}

/// Asserts that `wait`, beside such a loop, waits for a few computations only. It returns how many
/// there were when its wait could have ended.
fn waits_for_a_few(wait: impl FnOnce(&Arc<AtomicU32>) -> u32 + Send + 'static) {
    hosted(|| {
        let rounds = Arc::new(AtomicU32::new(0));
        let counts = rounds.clone();
        let busy = spawn(move || {
            sleep(0.001);
            computes_and_yields(&counts);
        });
        let began = wait(&rounds);
        let ended = rounds.load(Ordering::SeqCst);
        assert!(ended.saturating_sub(began) <= FEW, "from {began} to {ended}");
        busy.kill();
    });
}

/// Lets an OS thread end the wait of `wait` by `end`, and returns how many computations there were
/// by then.
fn ended_elsewhere(
    rounds: &Arc<AtomicU32>,
    end: impl FnOnce() + Send + 'static,
    wait: impl FnOnce(),
) -> u32 {
    let rounds = rounds.clone();
    let other = std::thread::spawn(move || {
        while rounds.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now(); // From then on the hub is in the middle of a turn.
        }
        end();
        rounds.load(Ordering::SeqCst)
    });
    wait();
    other.join().expect("it has ended the wait")
}

#[test]
fn a_sleeper_beside_a_loop_of_computations_oversleeps_a_few_only() {
    waits_for_a_few(|_| {
        sleep(0.003);
        0
    });
}

#[test]
fn a_wake_up_by_an_os_thread_waits_for_a_few_computations_only() {
    waits_for_a_few(|rounds| {
        let event = Arc::new(Event::new());
        let sets = event.clone();
        ended_elsewhere(rounds, move || sets.set(), || assert!(event.wait()))
    });
}

#[test]
fn a_kill_by_an_os_thread_waits_for_a_few_computations_only() {
    waits_for_a_few(|rounds| {
        let target = parked(|| sleep(3600));
        let victim = target.clone();
        ended_elsewhere(rounds, move || victim.kill_nowait(), || target.join())
    });
}

#[test]
fn input_waits_for_a_few_computations_only() {
    waits_for_a_few(|rounds| {
        let (mut stream, mut peer) = stream();
        let end = move || peer.write_all(b"x").unwrap();
        ended_elsewhere(rounds, end, || stream.read_exact(&mut [0]).unwrap())
    });
}

#[test]
fn a_limit_on_a_loop_of_computations_ends_it_after_a_few() {
    hosted(|| {
        let rounds = AtomicU32::new(0);
        assert!(with_timeout(0.003, || computes_and_yields(&rounds)).is_err());
        let rounds = rounds.into_inner();
        assert!(rounds <= FEW, "{rounds}");
    });
}
