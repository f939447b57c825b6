//! Rivals in other languages: each is one program that is told the work and the amounts, and
//! prints the same lines as a measuring child. An echo server prints its address instead.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::benchmark::{Amount, Work};
use crate::echo::Announcement;

pub struct Program {
    /// Sees to it that it can be run; the version, or why it cannot.
    pub prepare: fn() -> Result<String, String>,
    pub command: fn() -> Command,
}

impl Program {
    /// Takes one measurement; the program's output is this process's.
    pub fn run(&self, work: Work, amount: Amount) -> Result<(), String> {
        let mut command = (self.command)();
        command.args([work.name(), &amount.tasks.to_string(), &amount.each.to_string()]);
        end_with_parent(&mut command);
        let result = match work {
            Work::Echo => serve(&mut command, amount),
            _ => complete(&mut command),
        };
        result.map_err(|error| format!("{:?}: {error}", command.get_program()))
    }
}

fn complete(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// Measures from outside while the program serves, then ends it.
fn serve(command: &mut Command, amount: Amount) -> Result<(), String> {
    let announcement = Announcement::pinned(amount);
    let mut server = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
    let output = server.stdout.take().ok_or("no pipe from the server")?;
    let mut line = String::new();
    let read = BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string());
    let result = read.and_then(|_| {
        let address = line.trim().parse().map_err(|_| format!("no address: {line:?}"))?;
        announcement.measure(address, server.id()).map_err(|error| error.to_string())
    });
    let killed = server.kill().and_then(|()| server.wait());
    killed.map_err(|error| error.to_string())?;
    result
}

/// The time limit ends only the process that set it; Go ignores the alarm.
fn end_with_parent(command: &mut Command) {
    let die = || {
        // SAFETY: prctl is a bare system call that takes two numbers here.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(die) };
}

/// What a program that ends at once prints, or why it cannot be run.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_string());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason");
    Err(format!("{program}: {}: {last}", output.status))
}
