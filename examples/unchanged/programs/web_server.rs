//! A web server with a pool of threads, and its clients.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::platform::net::{SocketAddr, TcpListener, TcpStream};
use crate::platform::sync::{Mutex, mpsc};
use crate::platform::thread;

const PATHS: [&str; 6] = ["/", "/slow", "/missing", "/", "/slow", "/"];

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs from one channel. Dropping it waits until all jobs are done.
struct ThreadPool {
    workers: Vec<thread::JoinHandle<()>>,
    jobs: Option<mpsc::Sender<Job>>,
}

impl ThreadPool {
    fn new(size: usize) -> ThreadPool {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let spawn_worker = |_| {
            let jobs = jobs.clone();
            thread::spawn(move || {
                loop {
                    let job = jobs.lock().unwrap().recv();
                    match job {
                        Ok(job) => job(),
                        Err(mpsc::RecvError) => break,
                    }
                }
            })
        };
        ThreadPool { workers: (0..size).map(spawn_worker).collect(), jobs: Some(sender) }
    }

    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        let jobs = self.jobs.as_ref().expect("the pool is not over");
        jobs.send(Box::new(job)).expect("a worker is left");
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for worker in self.workers.drain(..) {
            worker.join().unwrap();
        }
    }
}

fn handle(mut stream: TcpStream) -> io::Result<()> {
    let mut request = String::new();
    let mut reader = BufReader::new(&stream);
    reader.read_line(&mut request)?;
    while reader.by_ref().lines().next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {
    }
    let (status, page) = match request.split(' ').nth(1) {
        Some("/") => ("200 OK", "Hello!"),
        Some("/slow") => {
            thread::sleep(Duration::from_millis(20));
            ("200 OK", "Good things take time.")
        }
        _ => ("404 NOT FOUND", "Oops."),
    };
    let length = page.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{page}")
}

/// The first and the last line of what the server answers.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let first = answer.lines().next().unwrap_or_default();
    let last = answer.lines().last().unwrap_or_default();
    Ok(format!("{path}: {first}: {last}"))
}

pub(crate) fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || {
        let pool = ThreadPool::new(4);
        for stream in listener.incoming().take(PATHS.len()) {
            let stream = stream?;
            pool.execute(|| {
                if let Err(error) = handle(stream) {
                    eprintln!("a client has gone: {error}");
                }
            });
        }
        io::Result::Ok(())
    });
    let clients = PATHS.map(|path| thread::spawn(move || get(address, path)));
    for client in clients {
        println!("{}", client.join().unwrap()?);
    }
    server.join().unwrap()
}
