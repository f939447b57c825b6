//! Clocks and memory of the measuring child process, and the line in which it reports a figure.
//!
//! Times are CPU time of the whole process (user + system, all threads): on a shared machine it
//! is steadier than elapsed time, which is printed beside it for the reader of the log.

use std::time::{Duration, Instant};

use crate::machine;

/// Names the caller to the system calls that want a process id.
pub const THIS_PROCESS: u32 = 0;
/// The most seconds a child process lives.
pub const TIME_LIMIT_SECONDS: u32 = 120;

/// Lets the kernel end this process (SIGALRM) when the time limit is over, whoever still watches.
pub fn end_by_itself() {
    // SAFETY: alarm takes a number and touches no memory.
    unsafe { libc::alarm(TIME_LIMIT_SECONDS) };
}

/// Touches that much memory and gives it back, so that the pages a rival touches first are not
/// also new to the host of a virtual machine, which would cost the rival that runs first several
/// times as much for each of them.
///
/// Fails where there is not as much: better than to bring the machine down.
pub fn touch_memory(bytes: usize) -> Result<(), String> {
    let available = machine::available_bytes();
    if bytes > available {
        return Err(format!("needs {} MB of memory, has {}", bytes >> 20, available >> 20));
    }
    drop(std::hint::black_box(vec![1_u8; bytes]));
    Ok(())
}

pub struct Stopwatch {
    process: u32,
    processor: Duration,
    elapsed: Instant,
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch::start_for(THIS_PROCESS)
    }

    /// Looks at the CPU time of another process.
    pub fn start_for(process: u32) -> Self {
        Stopwatch { process, processor: processor_time(process), elapsed: Instant::now() }
    }

    /// Prints what each of `operations` took since the start, in nanoseconds.
    pub fn report(&self, figure: &str, operations: usize) {
        let processor = processor_time(self.process) - self.processor;
        let elapsed = self.elapsed.elapsed();
        let each = |time: Duration| time.as_nanos() as f64 / operations as f64;
        println!("{figure} {:.2} {:.2}", each(processor), each(elapsed));
    }
}

/// Prints a figure that has no elapsed time beside it.
pub fn report(figure: &str, value: f64) {
    println!("{figure} {value:.2}");
}

/// User and system time of all threads of a process.
fn processor_time(process: u32) -> Duration {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: the pointer is to a live clock id, which the call fills.
    let result = unsafe { libc::clock_getcpuclockid(process as libc::pid_t, &raw mut clock) };
    assert_eq!(result, 0, "process {process} has no CPU clock");
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec, which the call fills.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(result, 0, "the CPU clock of process {process} is gone");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Memory of this process that is in RAM.
pub fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let resident: usize =
        pages.split(' ').nth(1).and_then(|field| field.parse().ok()).expect("statm is numbers");
    // SAFETY: sysconf takes a number and touches no memory of ours.
    resident * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize
}
