//! The article's last program: a server that Ctrl-C stops.
//!
//! A thread blocked in `accept` cannot be stopped from outside. This one can: it is a greenlet. It
//! listens on a free port, prints it, and accepts; Ctrl-C in the main thread stops it, which
//! unwinds it out of `accept`, closes its listener, and lets it clean up. The port is free again at
//! once.

use std::io::{self, Write};

use betterthreads::net::TcpListener;
use betterthreads::signal::catch_keyboard_interrupt;
use betterthreads::{Run, Thread, sleep, spawn};

struct Server {
    listener: TcpListener,
}

impl Run for Server {
    fn run(&mut self) {
        for stream in self.listener.incoming() {
            match stream {
                Ok(mut stream) => drop(spawn(move || stream.write_all(b"hello\n"))),
                Err(error) => {
                    eprintln!("a connection could not be accepted: {error}");
                    sleep(0.1);
                }
            }
        }
    }

    fn shutdown(&mut self) {
        println!("Shutting down cleanly...");
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("Listening on {}", listener.local_addr()?);
    let server = Thread::new(Server { listener });
    let result = catch_keyboard_interrupt(|| {
        server.start()?;
        server.join()
    });
    match result {
        Ok(ended) => ended.map_err(io::Error::other),
        Err(interrupted) => {
            println!("\n{interrupted}");
            server.stop().map_err(io::Error::other)
        }
    }
}
