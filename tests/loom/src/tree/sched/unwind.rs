//! Stands in for the panic boundary, without the hook: a panic in a model is a failure.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

pub(crate) type Payload = Box<dyn Any + Send>;

pub(crate) fn catch<T>(f: impl FnOnce() -> T) -> Result<T, Payload> {
    panic::catch_unwind(AssertUnwindSafe(f))
}

pub(crate) fn raise(payload: Payload) -> ! {
    panic::resume_unwind(payload)
}

pub(crate) fn install_hook() {}
