//! The kernel's side: readiness, the cross-thread waker, offload threads, bare system calls.
//!
//! The driver answers with tokens chosen by the hub and never names a greenlet.

pub(crate) mod offload;
pub(crate) mod poll;
pub(crate) mod sys;
