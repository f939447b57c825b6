//! The report of a stack overflow.
//!
//! A greenlet that runs into its guard gets SIGSEGV, like a thread. std's own handler knows threads
//! only, so ours goes in front: a fault in the guard of the greenlet that runs is reported, with
//! name and size of stack, and ends the process; any other fault is the previous handler's.
//!
//! The handler runs on the thread's alternate stack, which may be as small as 8 KiB, and in the
//! middle of anything: it neither allocates nor waits.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use super::current;
use super::hub::Hub;

/// The handler that was there before ours.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler, once per process, and makes sure that this thread has an alternate stack.
pub(super) fn install() {
    ensure_alternate_stack();
    PREVIOUS.get_or_init(|| {
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: all bytes zero is a valid `sigaction`, both as the one to fill in and as the one
        // to be overwritten; `handle` has the type that SA_SIGINFO asks for and uses only what a
        // signal handler may.
        unsafe {
            let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = handle;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGSEGV, &raw const action, previous.as_mut_ptr());
            previous.assume_init()
        }
    });
}

/// std gives every thread of its own an alternate stack; a thread of foreign code may have none.
fn ensure_alternate_stack() {
    const SIZE: usize = 32 * 1024;
    // SAFETY: `sigaltstack` fills in what it is given. The memory of a new alternate stack is
    // leaked on purpose: the thread may fault until its very end.
    unsafe {
        let mut stack = MaybeUninit::<libc::stack_t>::zeroed().assume_init();
        libc::sigaltstack(ptr::null(), &raw mut stack);
        if stack.ss_flags & libc::SS_DISABLE != 0 {
            let memory = Box::leak(vec![0_u8; SIZE].into_boxed_slice());
            stack.ss_sp = memory.as_mut_ptr().cast();
            stack.ss_size = SIZE;
            stack.ss_flags = 0;
            libc::sigaltstack(&raw const stack, ptr::null_mut());
        }
    }
}

extern "C" fn handle(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `siginfo_t` to a SA_SIGINFO handler, and SIGSEGV's has an
    // address.
    let address = unsafe { (*info).si_addr() } as usize;
    let overflowed = current::with(|hub| {
        let guard = hub.running_local().guard();
        let overflowed = guard.contains(&address);
        if overflowed {
            report(hub);
        }
        overflowed
    });
    if overflowed == Some(true) {
        std::process::abort();
    }
    chain(signal, info, context);
}

fn report(hub: &Hub) {
    let control = hub.running();
    let kib = hub.running_local().class.get().usable() as u64 / 1024;
    let (mut id, mut size) = ([0; 20], [0; 20]);
    let (id, size) = (format_number(control.id(), &mut id), format_number(kib, &mut size));
    control.try_name(|name| {
        let name = name.unwrap_or("<unnamed>");
        let whom = ["\ngreenlet '", name, "' (#", id, ") has overflowed its stack of "];
        whom.into_iter().chain([size, " KiB\n"]).for_each(write_error);
    });
    write_error("fatal runtime error: stack overflow, aborting\n");
}

fn format_number(mut number: u64, digits: &mut [u8; 20]) -> &str {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[start..]).unwrap_or("?");
        }
    }
}

fn write_error(text: &str) {
    // SAFETY: the pointer and the length describe `text`. A failed write has nobody to be told.
    unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
}

/// Leaves the fault to the handler that was there before.
fn chain(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = PREVIOUS.get();
    let handler = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    let with_info = previous.is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: `handler` is what the kernel would have called, with the arguments it would have
    // passed; its flags say which of the two types it has. Without one, the default action is
    // restored and the faulting instruction runs into it again.
    unsafe {
        match handler {
            libc::SIG_DFL | libc::SIG_IGN => {
                libc::signal(signal, libc::SIG_DFL);
            }
            _ if with_info => {
                type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);
                let handler: Handler = std::mem::transmute(handler);
                handler(signal, info, context);
            }
            _ => {
                let handler: extern "C" fn(i32) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_allocation() {
        for number in [0, 7, 10, 12_345, u64::MAX] {
            assert_eq!(format_number(number, &mut [0; 20]), number.to_string());
        }
    }
}
