//! The bodies that are compiled four times.

use super::{hosted, net, support, thread};

mod addresses;
mod datagram;
mod listener;
mod room;
mod stream;

/// Lets what was spawned come to its first wait; on OS threads that is a matter of luck.
fn settle() {
    for _ in 0..3 {
        thread::yield_now();
    }
}
