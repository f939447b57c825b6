//! A port scanner: a few threads, a limit for each attempt, and some ports to be found.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::platform::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use crate::platform::sync::Mutex;
use crate::platform::thread;

const SCANNERS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(5);

/// The addresses that accept a connection, in no order.
fn scan(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let next = AtomicUsize::new(0);
    let open = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..SCANNERS {
            scope.spawn(|| {
                while let Some(address) = addresses.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if TcpStream::connect_timeout(address, PATIENCE).is_ok() {
                        open.lock().unwrap().push(*address);
                    }
                }
            });
        }
    });
    open.into_inner().unwrap()
}

pub(crate) fn main() -> io::Result<()> {
    // Every third of them is closed again; by now, another program may listen there.
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let mut listeners = (0..300).map(bind).collect::<io::Result<Vec<_>>>()?;
    let local = |listeners: &[TcpListener]| -> io::Result<Vec<SocketAddr>> {
        listeners.iter().map(TcpListener::local_addr).collect()
    };
    let addresses = local(&listeners)?;
    let mut index = 0;
    listeners.retain(|_| {
        index += 1;
        index % 3 != 0
    });

    let found = scan(&addresses);
    let ours = local(&listeners)?;
    let missed = ours.iter().filter(|address| !found.contains(address)).count();
    println!("{} ports tried, {} known to be open, {missed} missed", addresses.len(), ours.len());
    Ok(())
}
