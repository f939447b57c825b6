//! The load generator of the echo benchmarks: a closed loop over epoll, one request of 64 bytes
//! in flight on each active connection, a fixed number of requests, every answer checked.
//!
//! Its own speed is no result. It says `warm` when all connections work, waits for `go`, and
//! says `done` after the last answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::benchmark::Amount;
use crate::machine;
use crate::readiness::Readiness;

const LOAD_CORE: usize = 1;
const MESSAGE_BYTES: usize = 64;
/// Fewer than the shortest backlog of a server.
const CONNECTING_AT_ONCE: usize = 100;
/// A server that answers nobody for so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);
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
    /// Each connection is answered once before more are made, so that no backlog overflows. The
    /// active ones are spread evenly among the idle ones.
    fn connect(address: SocketAddr, amount: Amount) -> io::Result<Self> {
        let readiness = Readiness::new()?;
        let spacing = 1 + amount.idle / amount.tasks;
        let (mut clients, mut idle) = (Vec::new(), Vec::new());
        let mut missing = amount.tasks + amount.idle;
        while missing > 0 {
            let count = missing.min(CONNECTING_AT_ONCE);
            missing -= count;
            for mut client in Client::connect_many(address, count)? {
                client.be_answered()?;
                let is_active = (clients.len() + idle.len()).is_multiple_of(spacing);
                if is_active && clients.len() < amount.tasks {
                    readiness.add(&client.stream, clients.len() as u64)?;
                    clients.push(client);
                } else {
                    idle.push(client);
                }
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
        let mut heard = Instant::now();
        while answered < requests {
            let mut is_silent = true;
            // Without sleeping: the server would pay for waking the load, as it does not for a
            // client elsewhere, and the more often the faster the load is compared to it.
            for token in self.readiness.wait(0)? {
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
            if !is_silent {
                heard = Instant::now();
            } else if heard.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

impl Client {
    /// Each has its first message under way.
    fn connect_many(address: SocketAddr, count: usize) -> io::Result<Vec<Self>> {
        let connect = |index| {
            let stream = TcpStream::connect(address)?;
            let message = [index as u8; MESSAGE_BYTES];
            let mut client = Client { stream, message, answer: [0; MESSAGE_BYTES], received: 0 };
            client.send().map(|()| client)
        };
        (0..count).map(connect).collect()
    }

    fn be_answered(&mut self) -> io::Result<()> {
        self.stream.read_exact(&mut self.answer)?;
        self.check_answer()?;
        self.stream.set_nonblocking(true)
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
