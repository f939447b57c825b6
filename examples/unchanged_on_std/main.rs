//! The programs of the example `unchanged` on std's own threads and sockets.

use std as platform;

#[path = "../unchanged/programs/mod.rs"]
mod programs;

fn main() -> std::process::ExitCode {
    programs::main()
}
