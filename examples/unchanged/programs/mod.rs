//! The programs by name. `crate::platform` is std or betterthreads.

use std::io;
use std::process::ExitCode;

mod chat;
mod grep;
mod pipeline;
mod port_scanner;
mod web_server;
mod work_queue;

type Program = fn() -> io::Result<()>;

const PROGRAMS: &[(&str, Program)] = &[
    ("chat", chat::main),
    ("grep", grep::main),
    ("pipeline", pipeline::main),
    ("port_scanner", port_scanner::main),
    ("web_server", web_server::main),
    ("work_queue", work_queue::main),
];

pub(crate) fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let Some((_, program)) = PROGRAMS.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
        eprintln!("which program? {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{wanted}: {error}");
            ExitCode::FAILURE
        }
    }
}
