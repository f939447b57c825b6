//! An OS thread kills a greenlet that is blocked in `accept` on the main thread.
//!
//! The greenlet is woken, unwinds, and its listener is closed, all on its own thread. When `kill`
//! returns on the other one, the port can be bound again.

use std::io;
use std::thread;

use betterthreads::net::TcpListener;
use betterthreads::{sleep, spawn};

/// Says that it is dropped, which happens in the unwind.
struct Witness;

impl Drop for Witness {
    fn drop(&mut self) {
        println!("greenlet: unwinding");
    }
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = spawn(move || {
        let _witness = Witness;
        println!("greenlet: waiting in accept");
        listener.accept()
    });
    sleep(0); // lets it begin

    let killer = thread::spawn({
        let server = server.clone();
        move || {
            println!("thread: killing the greenlet");
            server.kill();
            println!("thread: the greenlet is dead: {}", server.dead());
            let again = TcpListener::bind(address)?;
            println!("thread: its port is free: {}", again.local_addr()? == address);
            io::Result::Ok(())
        }
    });

    // The greenlets of the main thread run while it waits here; std's `join` would block them.
    let end = server.untyped().get();
    killer.join().expect("the thread does not panic")?;
    match end {
        Ok(()) => println!("main: somebody connected"),
        Err(failure) => println!("main: {failure}"),
    }
    Ok(())
}
