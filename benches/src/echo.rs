//! The server's side of the echo benchmarks: pinning, starting the load generator, and the
//! CPU time of the server's process per request.
//!
//! The server itself is the rival's. The load generator is another process on another core
//! (`load`); the two agree on the moments to look at the clock in words over its pipes.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::benchmark::Amount;
use crate::machine;
use crate::measure::{Stopwatch, THIS_PROCESS};

/// What every server binds to; the port is the kernel's choice.
pub const ADDRESS: &str = "127.0.0.1:0";
/// What every server reads into, one buffer per connection where it needs one.
pub const BUFFER_BYTES: usize = 4096;

const SERVER_CORE: usize = 0;

/// To be handed in by a rival when its server is bound. Its process ends when all is measured.
pub struct Announcement {
    amount: Amount,
}

impl Announcement {
    /// Pins this process, before the rival starts any thread, to the server's core.
    pub fn pinned(amount: Amount) -> Self {
        machine::pin_to_core(SERVER_CORE).expect("the machine has this core");
        Announcement { amount }
    }

    /// For a server in this process: measures in a thread, and returns.
    pub fn listening_at(self, address: SocketAddr) {
        std::thread::spawn(move || {
            let code = match self.measure(address, THIS_PROCESS) {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("echo: {error}");
                    1
                }
            };
            std::process::exit(code);
        });
    }

    /// Starts the load generator and looks at the CPU time that the server's process takes.
    pub fn measure(&self, address: SocketAddr, server: u32) -> Result<(), Box<dyn Error>> {
        let mut load = self.start_load(address)?;
        let mut answers = BufReader::new(load.stdout.take().ok_or("no pipe from the load")?);
        let mut commands = load.stdin.take().ok_or("no pipe to the load")?;
        expect(&mut answers, "warm")?;
        let clock = Stopwatch::start_for(server);
        commands.write_all(b"go\n")?;
        expect(&mut answers, "done")?;
        clock.report("time", self.amount.operations());
        load.wait()?;
        Ok(())
    }

    fn start_load(&self, address: SocketAddr) -> std::io::Result<Child> {
        let Amount { tasks, each, idle } = self.amount;
        Command::new(std::env::current_exe()?)
            .args(["--load", &address.to_string()])
            .args([tasks, each, idle].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    }
}

fn expect(answers: &mut impl BufRead, word: &str) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if line.trim() == word {
        Ok(())
    } else {
        Err(format!("the load generator said {line:?} instead of {word}").into())
    }
}
