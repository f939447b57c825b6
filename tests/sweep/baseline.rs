//! What the process holds of the kernel's: descriptors, mappings, memory, threads.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread that was joined may be in the kernel's list, and its memory mapped.
const PATIENCE: Duration = Duration::from_secs(5);

/// Taken before and after the same work, and no more from the third time on.
#[derive(Debug)]
pub(crate) struct Baseline {
    descriptors: Vec<String>,
    mappings: usize,
    threads: usize,
}

impl Baseline {
    pub(crate) fn take() -> Baseline {
        Baseline { descriptors: descriptors(), mappings: mappings(), threads: threads() }
    }

    /// Checks that nothing was left over since.
    pub(crate) fn expect_again(&self) {
        let began = Instant::now();
        loop {
            let now = Baseline::take();
            if now.is_within(self) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "left over, from {self:#?} to {now:#?}");
            thread::yield_now();
        }
    }

    /// The one before may have counted a thread that was about to end.
    fn is_within(&self, before: &Baseline) -> bool {
        self.descriptors == before.descriptors
            && self.mappings <= before.mappings
            && self.threads <= before.threads
    }
}

/// What each descriptor refers to, without the numbers that the kernel gives to sockets and pipes.
pub(crate) fn descriptors() -> Vec<String> {
    let entries = fs::read_dir("/proc/self/fd").expect("the list of descriptors");
    let targets = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    let is_list = |target: &Path| target.to_string_lossy().ends_with("/fd");
    let mut targets: Vec<String> = targets
        .filter(|target| !is_list(target))
        .map(|target| target.to_string_lossy().split(":[").next().unwrap_or_default().into())
        .collect();
    targets.sort();
    targets
}

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").expect("the list of mappings").lines().count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").expect("the list of threads").count()
}

/// Resident memory in KiB.
pub(crate) fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the state of the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("a line with the resident memory")
}
