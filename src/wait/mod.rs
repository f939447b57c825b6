//! Every way to block, in safe code, on one door to sleep: [`park`].
//!
//! A wait is armed, its waker is left where somebody will find it, and the greenlet parks. It
//! learns from one atomic word how the wait ended. Whoever waits also knows how to leave: on a
//! time-out or an exception it takes its waker back out before it goes on.

pub(crate) mod any;
pub(crate) mod channel;
pub(crate) mod clock;
pub(crate) mod connect;
pub(crate) mod file;
pub(crate) mod flag;
pub(crate) mod flock;
pub(crate) mod io;
pub(crate) mod join;
pub(crate) mod notify;
pub(crate) mod offload;
pub(crate) mod output;
pub(crate) mod packet;
pub(crate) mod park;
pub(crate) mod parker;
pub(crate) mod pipe;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod reentrant;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod select;
pub(crate) mod semaphore;
pub(crate) mod shared;
pub(crate) mod signal;
pub(crate) mod sleep;
pub(crate) mod stdio;
pub(crate) mod task;
pub(crate) mod timeout;
