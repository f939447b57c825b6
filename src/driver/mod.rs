//! The kernel's side: readiness, the cross-thread waker, offload threads, bare system calls.
//!
//! The driver answers with tokens chosen by the hub and never names a greenlet. With the feature
//! `testing` two twins take the place of empty ones: a simulated world, and system calls that fail.

pub(crate) mod call;
#[cfg(feature = "testing")]
pub(crate) mod faults;
#[cfg(not(feature = "testing"))]
#[path = "no_faults.rs"]
pub(crate) mod faults;
pub(crate) mod file;
pub(crate) mod offload;
pub(crate) mod poll;
pub(crate) mod process;
#[cfg(feature = "testing")]
pub(crate) mod simulation;
#[cfg(not(feature = "testing"))]
#[path = "no_simulation.rs"]
pub(crate) mod simulation;
pub(crate) mod socket;
pub(crate) mod sys;
