//! An echo server with one greenlet for each client, for thousands of them.
//!
//! `echo_server [address]` listens there, or on a free port of this machine, until Ctrl-C. The
//! clients' greenlets do not outlive the server: `run` kills those that are left, each unwinds out
//! of its `read`, and its connection is closed.

use std::env;
use std::io;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::signal::catch_keyboard_interrupt;
use betterthreads::{sleep, spawn};

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:0");
    let served = betterthreads::run(|| serve(address))?;
    println!("Served {served} connections");
    Ok(())
}

/// Serves until Ctrl-C; returns how many connections there were.
fn serve(address: &str) -> io::Result<u64> {
    let listener = TcpListener::bind(address)?;
    println!("Listening on {}", listener.local_addr()?);
    let mut served = 0;
    let result = catch_keyboard_interrupt(|| {
        for stream in listener.incoming() {
            match stream {
                Ok(stream) => {
                    served += 1;
                    spawn(move || echo(&stream));
                }
                Err(error) => {
                    eprintln!("a connection could not be accepted: {error}");
                    // Out of descriptors, most likely: some clients may leave.
                    sleep(0.1);
                }
            }
        }
    });
    if let Err(interrupt) = result {
        println!("\n{interrupt}");
    }
    Ok(served)
}

/// Sends everything back until the client closes its side. One that breaks off is its own affair.
fn echo(stream: &TcpStream) -> io::Result<u64> {
    io::copy(&mut &*stream, &mut &*stream)
}
