//! gevent: greenlets of Python. The program is `peers/gevent`, run when python3 can import gevent.

use std::process::Command;

use super::{Means, Rival};
use crate::program::{self, Program};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/gevent/peer.py");
const VERSIONS: &str = "import gevent, platform; \
                        print('gevent', gevent.__version__, 'Python', platform.python_version())";

pub const RIVAL: Rival = Rival {
    name: "gevent",
    notes: &[
        "most of the time is the interpreter's",
        "10,000 tasks at most, a tenth of the yields, messages and requests, because they take so \
         long",
    ],
    means: Means::Program(Program {
        prepare: || program::output_of(&mut python(&["-c", VERSIONS])),
        command: || python(&[SCRIPT]),
    }),
    most_tasks: 10_000,
    slowness: 10,
};

/// -B: the repository is no place for compiled files.
fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg("-B").args(arguments);
    command
}
