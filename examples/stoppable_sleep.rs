//! The article's first program: a thread that would go on for ever, stopped from outside.
//!
//! `stoppable_sleep [seconds]` lets a thread work for one second, or as long as it is told, and
//! then stops it in the middle of its sleep. Ctrl-C stops it sooner, in the same way: the thread
//! unwinds, cleans up, and is over when `stop` returns.

use std::env;
use std::error::Error;

use betterthreads::signal::catch_keyboard_interrupt;
use betterthreads::{Run, Thread, sleep};

struct Worker;

impl Run for Worker {
    fn run(&mut self) {
        for round in 1.. {
            println!("Working: round {round}");
            sleep(0.3);
        }
    }

    fn shutdown(&mut self) {
        println!("Cleaning up");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds: f64 = env::args().nth(1).as_deref().unwrap_or("1").parse()?;
    let worker = Thread::new(Worker);
    worker.start()?;
    match catch_keyboard_interrupt(|| worker.join_timeout(seconds)) {
        Ok(waited) => waited?,
        Err(interrupt) => println!("\n{interrupt}"),
    }
    println!("Alive before the stop: {}", worker.is_alive());
    worker.stop()?;
    println!("Alive after it: {}", worker.is_alive());
    Ok(())
}
