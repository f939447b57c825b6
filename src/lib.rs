#![doc = include_str!("../README.md")]

#[cfg(not(target_os = "linux"))]
compile_error!("betterthreads supports Linux; other systems are yet to come");

#[cfg(panic = "abort")]
compile_error!("a kill is an unwind: betterthreads needs a profile without `panic = \"abort\"`");

mod base;
mod driver;
mod sched;
mod wait;
mod dropin;
mod gevent;
#[cfg(feature = "testing")]
pub mod testing;

pub use base::duration::IntoDuration;
pub use base::failure::{Failure, GreenletExit};
pub use dropin::{fs, io, net, os, process, sync, thread, time};
pub use gevent::threading::{Run, Thread};
pub use gevent::timeout::{Timeout, with_timeout};
pub use gevent::{
    Greenlet, Link, checkpoint, event, getcurrent, joinall, joinall_timeout, kill, killall,
    killall_nowait, killall_timeout, lock, pool, queue, run, select, shield, shield_for, signal,
    sleep, spawn, spawn_later, threading, timeout, try_joinall, util,
};

/// The code in the documents is compiled and run with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/PORTING.md")]
mod porting {}

/// So are programs that must not compile.
#[cfg(doctest)]
#[doc = include_str!("../tests/compile_fail.md")]
mod compile_fail {}
