//! System calls that fail on demand.

use std::cell::RefCell;
use std::io;

use super::call::Call;

/// Tells with which error number a call is to fail, if it is to fail.
pub(crate) type Interceptor = Box<dyn FnMut(Call) -> Option<i32>>;

thread_local! {
    static INTERCEPTOR: RefCell<Option<Interceptor>> = const { RefCell::new(None) };
}

/// Asked before each system call; an error stands for the call's own.
///
/// # Errors
///
/// The one that the interceptor of this thread has chosen.
pub(crate) fn check(call: Call) -> io::Result<()> {
    let choose = |interceptor: &RefCell<Option<Interceptor>>| {
        let mut interceptor = interceptor.try_borrow_mut().ok()?;
        interceptor.as_mut()?(call)
    };
    // The locals of an ending thread may be gone.
    match INTERCEPTOR.try_with(choose).ok().flatten() {
        Some(number) => Err(io::Error::from_raw_os_error(number)),
        None => Ok(()),
    }
}

/// Replaces the interceptor of this thread.
pub(crate) fn intercept(interceptor: Option<Interceptor>) -> Option<Interceptor> {
    INTERCEPTOR.replace(interceptor)
}
