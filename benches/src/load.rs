//! The load generator of the echo benchmarks: a closed loop over epoll, one request of 64 bytes
//! in flight on each active connection, a fixed number of requests, every answer checked.
//!
//! Its own speed is no result. It says `warm` when all connections work, waits for `go`, and
//! says `done` after the last answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::benchmark::Amount;
use crate::machine;
use crate::readiness::Readiness;

const LOAD_CORE: usize = 1;
const MESSAGE_BYTES: usize = 64;
/// A server that answers nobody for so long has failed.
const PATIENCE_MILLISECONDS: i32 = 10_000;
/// Warm-up requests are this part of the measured ones.
const WARM_UP_DIVISOR: usize = 10;

pub fn generate(address: SocketAddr, amount: Amount) -> io::Result<()> {
    machine::pin_to_core(LOAD_CORE)?;
    machine::raise_descriptor_limit()?;
    let mut load = Load::connect(address, amount)?;
    load.exchange(amount.operations() / WARM_UP_DIVISOR)?;
    println!("warm");
    io::stdin().read_line(&mut String::new())?;
    load.exchange(amount.operations())?;
    println!("done");
    Ok(())
}

struct Load {
    readiness: Readiness,
    clients: Vec<Client>,
    /// They stay open and were answered once.
    _idle: Vec<Client>,
}

struct Client {
    stream: TcpStream,
    message: [u8; MESSAGE_BYTES],
    answer: [u8; MESSAGE_BYTES],
    received: usize,
}

impl Load {
    /// Each connection is answered once before the next is made, so that no backlog overflows.
    /// The active ones are spread evenly among the idle ones.
    fn connect(address: SocketAddr, amount: Amount) -> io::Result<Self> {
        let readiness = Readiness::new()?;
        let idle_for_each = amount.idle / amount.tasks;
        let (mut clients, mut idle) = (Vec::new(), Vec::new());
        for index in 0..amount.tasks {
            let client = Client::connect(address, index as u8)?;
            readiness.add(&client.stream, index as u64)?;
            clients.push(client);
            for _ in 0..idle_for_each {
                idle.push(Client::connect(address, index as u8)?);
            }
        }
        Ok(Load { readiness, clients, _idle: idle })
    }

    /// Makes `requests` requests and returns when all are answered and no connection is busy.
    fn exchange(&mut self, requests: usize) -> io::Result<()> {
        let mut sent = requests.min(self.clients.len());
        for client in &mut self.clients[..sent] {
            client.send()?;
        }
        let mut answered = 0;
        while answered < requests {
            let mut is_silent = true;
            for token in self.readiness.wait(PATIENCE_MILLISECONDS)? {
                is_silent = false;
                let client = &mut self.clients[token as usize];
                if !client.receive()? {
                    continue;
                }
                answered += 1;
                if sent < requests {
                    client.send()?;
                    sent += 1;
                }
            }
            if is_silent {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

impl Client {
    fn connect(address: SocketAddr, filling: u8) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        let message = [filling; MESSAGE_BYTES];
        let mut client = Client { stream, message, answer: [0; MESSAGE_BYTES], received: 0 };
        client.send()?;
        client.stream.read_exact(&mut client.answer)?;
        client.check_answer()?;
        client.stream.set_nonblocking(true)?;
        Ok(client)
    }

    /// One message always fits the empty socket buffer of a connection that has none in flight.
    fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.message)
    }

    /// Whether the answer is complete now.
    fn receive(&mut self) -> io::Result<bool> {
        match self.stream.read(&mut self.answer[self.received..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.received += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.received < MESSAGE_BYTES {
            return Ok(false);
        }
        self.received = 0;
        self.check_answer()?;
        Ok(true)
    }

    fn check_answer(&self) -> io::Result<()> {
        if self.answer == self.message {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is not what was sent"))
        }
    }
}
