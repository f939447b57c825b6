//! Stacks: slabs of them from the kernel, a pool per hub, a guard below each.
//!
//! A slot of `size` bytes is a guard at its low end and the stack above it. Slots come 64 to a
//! mapping. Where the kernel has `MADV_GUARD_INSTALL` (Linux 6.13) the guards are marks inside that
//! one mapping; elsewhere they are `mprotect`ed and cost two mappings each, of which the kernel
//! allows `vm.max_map_count`, so those are counted and refused in time. Which one it is, a probe
//! decides, not a version number.
//!
//! Free stacks are taken last in, first out, so that a hot one is used again. A spawn *reserves* a
//! stack, which is when the kernel may say no, and takes it when the greenlet first runs: ten
//! thousand short greenlets spawned in a row share the one stack that is in the cache.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicIsize, Ordering};

use crate::driver::call::Call;
use crate::driver::faults;

/// Bytes of a greenlet's slot when nothing else is asked for: 240 KiB of stack and the guard.
pub(crate) const DEFAULT_SIZE: usize = 256 * 1024;

/// Bytes of a guard. C code need not probe every page of a large frame, hence four of them.
pub(crate) const GUARD: usize = 16 * 1024;

/// The smallest slot: as much stack as guard.
const MIN_CLASS: u32 = 15;
const SLOTS_PER_SLAB: usize = 64;
/// Neighbouring stacks start at different cache sets.
const COLOURS: usize = 16;
const COLOUR: usize = 64;

const MADV_GUARD_INSTALL: libc::c_int = 102;

/// The size of a slot as a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u32);

impl Class {
    pub(crate) const DEFAULT: Class = Class(DEFAULT_SIZE.trailing_zeros());
    /// For the helper coroutines of the panic ledger: an unwind and little else.
    pub(crate) const SMALL: Class = Class(MIN_CLASS);

    /// The smallest class with at least `bytes` of stack, if the address space has one.
    pub(crate) fn for_stack(bytes: usize) -> Option<Class> {
        let size = bytes.checked_add(GUARD)?.checked_next_power_of_two()?;
        (size <= isize::MAX as usize).then(|| Class(size.trailing_zeros().max(MIN_CLASS)))
    }

    fn size(self) -> usize {
        1 << self.0
    }
}

/// One slot: a stack and the guard below it. The memory belongs to the pool that made it.
#[derive(Debug)]
pub(crate) struct Stack {
    low: usize,
    class: Class,
}

impl Stack {
    /// The addresses of the guard.
    pub(crate) fn guard(&self) -> std::ops::Range<usize> {
        self.low..self.low + GUARD
    }

    fn top(&self) -> usize {
        let slot = self.low / self.class.size();
        self.low + self.class.size() - slot % COLOURS * COLOUR
    }
}

// SAFETY: `low..top` lies inside one slot of a slab, which is readable and writable but for the
// guard at its low end; a slot belongs to one `Stack` at a time; at least 15 KiB are left above the
// guard; both ends are multiples of 64, which is more than any ABI asks for.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.top()).unwrap_or(NonZeroUsize::MAX)
    }

    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.low).unwrap_or(NonZeroUsize::MAX)
    }
}

/// The free stacks of one class.
#[derive(Debug, Default)]
struct Shelf {
    free: VecDeque<Stack>,
    /// How many of `free` are promised to spawned greenlets that have not run yet.
    reserved: usize,
}

/// The stacks of one hub.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    shelves: Vec<Shelf>,
    slabs: Vec<Slab>,
}

impl Pool {
    fn shelf(&mut self, class: Class) -> &mut Shelf {
        let index = (class.0 - MIN_CLASS) as usize;
        if self.shelves.len() <= index {
            self.shelves.resize_with(index + 1, Shelf::default);
        }
        &mut self.shelves[index]
    }

    /// Promises a stack to a greenlet that will run later.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` when the kernel has no memory or no mapping left.
    pub(crate) fn reserve(&mut self, class: Class) -> io::Result<()> {
        let shelf = self.shelf(class);
        if shelf.free.len() == shelf.reserved {
            self.grow(class)?;
        }
        self.shelf(class).reserved += 1;
        Ok(())
    }

    /// Gives a promise back.
    pub(crate) fn release(&mut self, class: Class) {
        self.shelf(class).reserved -= 1;
    }

    /// Takes the stack that was promised.
    pub(crate) fn take_reserved(&mut self, class: Class) -> Option<Stack> {
        let shelf = self.shelf(class);
        shelf.reserved -= 1;
        shelf.free.pop_back()
    }

    /// Takes back the stack of a greenlet whose root has returned.
    pub(crate) fn put(&mut self, stack: Stack) {
        self.shelf(stack.class).free.push_back(stack);
    }

    /// Stacks in use and stacks that are free.
    #[cfg(feature = "testing")]
    pub(crate) fn count(&self) -> (usize, usize) {
        let all: usize = self.slabs.iter().map(|slab| slab.slots).sum();
        let free = self.shelves.iter().map(|shelf| shelf.free.len()).sum();
        (all - free, free)
    }

    /// Stacks that wait for a greenlet.
    #[cfg(test)]
    fn free(&mut self, class: Class) -> usize {
        self.shelf(class).free.len()
    }

    #[cold]
    fn grow(&mut self, class: Class) -> io::Result<()> {
        let slab = Slab::map(class)?;
        let stacks =
            (0..slab.slots).map(|slot| Stack { low: slab.low + slot * class.size(), class });
        let shelf = self.shelf(class);
        // At the cold end: a stack that has been in use is preferred.
        stacks.for_each(|stack| shelf.free.push_front(stack));
        self.slabs.push(slab);
        Ok(())
    }
}

/// Maps one stack that is never unmapped.
pub(crate) fn leak_one(class: Class) -> io::Result<Stack> {
    let slab = Slab::map_slots(class, 1)?;
    let stack = Stack { low: slab.low, class };
    std::mem::forget(slab);
    Ok(stack)
}

/// One mapping full of guarded slots.
#[derive(Debug)]
struct Slab {
    start: usize,
    length: usize,
    /// The first slot; `start` rounded up to a multiple of the slot's size.
    low: usize,
    slots: usize,
}

impl Slab {
    /// As many slots as the kernel gives at once.
    fn map(class: Class) -> io::Result<Slab> {
        let mut slots = match guard_kind() {
            GuardKind::Marker => SLOTS_PER_SLAB,
            GuardKind::Protection => 1,
        };
        loop {
            match Slab::map_slots(class, slots) {
                Err(_) if slots > 1 => slots /= 2,
                result => return result,
            }
        }
    }

    fn map_slots(class: Class, slots: usize) -> io::Result<Slab> {
        let size = class.size();
        let length = slots.checked_mul(size).ok_or(io::ErrorKind::OutOfMemory)?;
        faults::check(Call::Map)?;
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let slab = Slab { start: start as usize, length, low: start as usize, slots };
        for slot in 0..slots {
            install_guard(slab.low + slot * size)?;
        }
        Ok(slab)
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        if let GuardKind::Protection = guard_kind() {
            GUARDS_LEFT.fetch_add(self.slots as isize, Ordering::Relaxed);
        }
        // SAFETY: the mapping is this slab's own; a pool is dropped only when no greenlet is left,
        // so nothing runs on it and no `Stack` of it is in use.
        unsafe { libc::munmap(self.start as *mut libc::c_void, self.length) };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GuardKind {
    Marker,
    Protection,
}

/// Guards that `mprotect` may still make before the kernel runs out of mappings.
static GUARDS_LEFT: AtomicIsize = AtomicIsize::new(0);

fn guard_kind() -> GuardKind {
    static KIND: OnceLock<GuardKind> = OnceLock::new();
    *KIND.get_or_init(|| {
        if !cfg!(betterthreads_mprotect) && markers_work() {
            return GuardKind::Marker;
        }
        GUARDS_LEFT.store(mapping_budget(), Ordering::Relaxed);
        GuardKind::Protection
    })
}

fn install_guard(low: usize) -> io::Result<()> {
    let address = low as *mut libc::c_void;
    let result = match guard_kind() {
        GuardKind::Marker => {
            faults::check(Call::Advise)?;
            // SAFETY: the range is the low end of a slot that was mapped just now and is used by
            // nobody.
            unsafe { libc::madvise(address, GUARD, MADV_GUARD_INSTALL) }
        }
        GuardKind::Protection => {
            if GUARDS_LEFT.fetch_sub(1, Ordering::Relaxed) <= 0 {
                return Err(io::Error::new(
                    io::ErrorKind::OutOfMemory,
                    "no mapping left for a stack's guard page: raise vm.max_map_count",
                ));
            }
            faults::check(Call::Protect)?;
            // SAFETY: as above.
            unsafe { libc::mprotect(address, GUARD, libc::PROT_NONE) }
        }
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether guard markers really guard: asks the kernel to read a marked page for us. Emulators and
/// system call filters have been seen to answer success and do nothing.
fn markers_work() -> bool {
    const PAGE: usize = GUARD;
    // SAFETY: the mapping is new and private to this function; `access` only reads through the
    // pointers it is given and answers EFAULT where it cannot.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let read_write = libc::PROT_READ | libc::PROT_WRITE;
        let start = libc::mmap(ptr::null_mut(), 2 * PAGE, read_write, flags, -1, 0);
        if start == libc::MAP_FAILED {
            return false;
        }
        let faults = |address: *mut libc::c_void| {
            libc::access(address.cast(), libc::F_OK) == -1
                && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
        };
        let works = libc::madvise(start, PAGE, MADV_GUARD_INSTALL) == 0
            && faults(start)
            && !faults(start.byte_add(PAGE));
        libc::munmap(start, 2 * PAGE);
        works
    }
}

/// How many guards of two mappings each this process may have, with some left for everybody else.
fn mapping_budget() -> isize {
    const RESERVE: isize = 1000;
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<isize>().ok())
        .unwrap_or(65_530);
    let used = fs::read_to_string("/proc/self/maps").map_or(0, |maps| maps.lines().count());
    (limit - used.cast_signed()) / 2 - RESERVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_for_what_was_asked() {
        assert_eq!(Class::for_stack(0), Some(Class(MIN_CLASS)));
        assert_eq!(Class::for_stack(DEFAULT_SIZE - GUARD), Some(Class::DEFAULT));
        assert_eq!(Class::for_stack(DEFAULT_SIZE), Some(Class(19)));
        assert_eq!(Class::for_stack(usize::MAX), None);
        assert_eq!(Class::for_stack(isize::MAX as usize), None);
    }

    #[test]
    fn the_stack_used_last_is_used_next() {
        let mut pool = Pool::default();
        pool.reserve(Class::SMALL).unwrap();
        let first = pool.take_reserved(Class::SMALL).unwrap();
        let low = first.low;
        pool.put(first);
        pool.reserve(Class::SMALL).unwrap();
        assert_eq!(pool.take_reserved(Class::SMALL).unwrap().low, low);
    }

    #[test]
    fn a_reservation_is_a_promise_that_growth_keeps() {
        let mut pool = Pool::default();
        for _ in 0..SLOTS_PER_SLAB + 1 {
            pool.reserve(Class::SMALL).unwrap();
        }
        assert!(pool.free(Class::SMALL) > SLOTS_PER_SLAB);
        let stacks: Vec<Stack> =
            (0..=SLOTS_PER_SLAB).map(|_| pool.take_reserved(Class::SMALL).unwrap()).collect();
        let mut lows: Vec<usize> = stacks.iter().map(|stack| stack.low).collect();
        lows.sort_unstable();
        assert!(lows.windows(2).all(|pair| pair[1] - pair[0] >= Class::SMALL.size()));
    }

    #[test]
    fn a_stack_of_an_impossible_size_is_an_error() {
        let mut pool = Pool::default();
        let class = Class::for_stack(1 << 46).unwrap();
        assert_eq!(pool.reserve(class).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
