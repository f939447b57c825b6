//! Go: goroutines on one processor. The program is `peers/go`, built when there is a compiler.

use std::path::PathBuf;
use std::process::Command;

use super::{Means, Rival};
use crate::program::{self, Program};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/go");

pub const RIVAL: Rival = Rival {
    name: "go",
    notes: &[
        "GOMAXPROCS=1; the time includes its garbage collector",
        "a goroutine cannot be killed: it is told by a closed channel, or its socket is closed",
        "the unbounded channel has room for all that may be in it; the semaphore is a channel",
    ],
    means: Means::Program(Program { prepare, command: || Command::new(binary()) }),
    most_tasks: usize::MAX,
    slowness: 1,
};

fn prepare() -> Result<String, String> {
    let mut compiler = Command::new("go");
    compiler.current_dir(SOURCES).args(["build", "-buildvcs=false", "-o"]).arg(binary()).arg(".");
    program::output_of(&mut compiler)?;
    program::output_of(Command::new("go").arg("version"))
}

/// Beside this binary.
fn binary() -> PathBuf {
    std::env::current_exe().expect("/proc is mounted").with_file_name("go-peer")
}
