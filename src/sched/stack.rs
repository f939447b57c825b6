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
//!
//! Free stacks are *warm*, with the memory that was touched, or *clean*, without. Of the warm ones
//! that nobody needed since the last [`trim`](Pool::trim) each trim cleans half, those first that
//! were not used for longest. Guards and mappings stay until the hub ends.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicIsize, Ordering};

use corosensei::stack::valgrind::ValgrindStackRegistration;

use super::shortage;
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

    /// The smallest class with at least `bytes` of stack.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` for more bytes than any address space has.
    pub(crate) fn for_stack(bytes: usize) -> io::Result<Class> {
        let size = bytes.checked_add(GUARD).and_then(usize::checked_next_power_of_two);
        let size = size.filter(|size| *size <= isize::MAX as usize);
        let size = size.ok_or_else(|| shortage::impossible(bytes))?;
        Ok(Class(size.trailing_zeros().max(MIN_CLASS)))
    }

    fn size(self) -> usize {
        1 << self.0
    }

    /// The bytes of a slot above its guard.
    pub(crate) fn usable(self) -> usize {
        self.size() - GUARD
    }
}

/// One slot: a stack and the guard below it. The memory belongs to the pool that made it.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Where it begins, downwards: read at every switch. Its colour below the end of the slot.
    top: NonZeroUsize,
    class: Class,
}

impl Stack {
    /// The stack in the slot that begins at `low`, which is the beginning of a page.
    fn in_slot(low: usize, class: Class) -> Stack {
        let colour = low / class.size() % COLOURS;
        let top = NonZeroUsize::new(low + class.size() - colour * COLOUR);
        Stack { top: top.unwrap_or(NonZeroUsize::MAX), class }
    }

    /// Where the slot begins.
    fn low(&self) -> usize {
        self.top.get().next_multiple_of(COLOURS * COLOUR) - self.class.size()
    }

    /// The addresses of the guard.
    pub(crate) fn guard(&self) -> std::ops::Range<usize> {
        self.low()..self.low() + GUARD
    }
}

// SAFETY: `low..top` lies inside one slot of a slab, which is readable and writable but for the
// guard at its low end; a slot belongs to one `Stack` at a time; at least 15 KiB are left above the
// guard; both ends are multiples of 64, which is more than any ABI asks for.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        self.top
    }

    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.low()).unwrap_or(NonZeroUsize::MAX)
    }
}

/// Warm stacks that a pool keeps of each class, whether they are needed or not.
const KEPT_WARM: usize = 64;

/// The most stacks that one trim cleans: a millisecond's work or two.
const TRIM_BATCH: usize = 1024;

/// The free stacks of one class.
#[derive(Debug, Default)]
struct Shelf {
    /// Those used last are at the back, the clean ones at the front.
    free: VecDeque<Stack>,
    clean: usize,
    /// How many of `free` are promised to spawned greenlets that have not run yet.
    reserved: usize,
    /// The fewest warm ones there were since the last trim: nobody needed those.
    unneeded: usize,
    /// How many of those are to be cleaned yet.
    surplus: usize,
}

impl Shelf {
    fn warm(&self) -> usize {
        self.free.len() - self.clean
    }

    fn take(&mut self) -> Option<Stack> {
        let stack = self.free.pop_back();
        self.clean = self.clean.min(self.free.len());
        self.unneeded = self.unneeded.min(self.warm());
        stack
    }

    fn trim(&mut self) -> Trimmed {
        if self.surplus == 0 {
            self.surplus = self.unneeded.saturating_sub(KEPT_WARM).div_ceil(2);
        }
        let count = self.surplus.min(self.unneeded).min(TRIM_BATCH);
        let mut batch: Vec<&Stack> = self.free.range(self.clean..self.clean + count).collect();
        batch.sort_unstable_by_key(|stack| stack.low());
        batch.chunk_by(|one, next| one.low() + one.class.size() == next.low()).for_each(clean);
        self.clean += count;
        self.unneeded -= count;
        self.surplus -= count;
        if count == TRIM_BATCH && self.surplus > 0 {
            return Trimmed::Partly;
        }
        self.surplus = 0;
        self.unneeded = self.warm();
        if self.warm() > KEPT_WARM { Trimmed::ForNow } else { Trimmed::Whole }
    }
}

/// Gives the memory of a row of neighboring stacks back to the kernel.
fn clean(row: &[&Stack]) {
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return };
    let length = last.low() + last.class.size() - first.low();
    if faults::check(Call::Advise).is_err() {
        return;
    }
    // SAFETY: the range is a row of slots that are free, so nobody uses their memory; guards, of
    // either kind, survive. An error leaves the memory as it is, which harms nobody.
    unsafe { libc::madvise(first.low() as *mut libc::c_void, length, libc::MADV_DONTNEED) };
}

/// How far a trim has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trimmed {
    /// There is nothing left to clean.
    Whole,
    /// The rest may be needed; a later trim will know.
    ForNow,
    /// There is more to clean at once.
    Partly,
}

/// What a pool has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) used: usize,
    pub(crate) warm: usize,
    pub(crate) clean: usize,
    pub(crate) mapped_bytes: usize,
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
        shelf.take()
    }

    /// Takes back the stack of a greenlet whose root has returned. Tells whether there are now more
    /// warm ones than are kept in any case.
    pub(crate) fn put(&mut self, stack: Stack) -> bool {
        let shelf = self.shelf(stack.class);
        shelf.free.push_back(stack);
        shelf.warm() > KEPT_WARM
    }

    /// Cleans half of the stacks that nobody has needed since the last time.
    pub(crate) fn trim(&mut self) -> Trimmed {
        self.shelves.iter_mut().map(Shelf::trim).max().unwrap_or(Trimmed::Whole)
    }

    /// Counts what there is.
    pub(crate) fn stock(&self) -> Stock {
        let free: usize = self.shelves.iter().map(|shelf| shelf.free.len()).sum();
        let warm = self.shelves.iter().map(Shelf::warm).sum();
        let all: usize = self.slabs.iter().map(|slab| slab.slots).sum();
        let mapped_bytes = self.slabs.iter().map(|slab| slab.length).sum();
        Stock { used: all - free, warm, clean: free - warm, mapped_bytes }
    }

    #[cold]
    fn grow(&mut self, class: Class) -> io::Result<()> {
        let slab = Slab::map(class)?;
        let stacks =
            (0..slab.slots).map(|slot| Stack::in_slot(slab.start + slot * class.size(), class));
        let shelf = self.shelf(class);
        // At the cold end: a stack that has been in use is preferred.
        stacks.for_each(|stack| shelf.free.push_front(stack));
        shelf.clean += slab.slots;
        self.slabs.push(slab);
        Ok(())
    }
}

/// Maps one stack that is never unmapped.
pub(crate) fn leak_one(class: Class) -> io::Result<Stack> {
    let mut slab = Slab::map_slots(class, 1)?;
    let stack = Stack::in_slot(slab.start, class);
    // The stack stays registered; the list of it is not needed any more.
    slab.registrations.drain(..).for_each(std::mem::forget);
    slab.registrations.shrink_to_fit();
    std::mem::forget(slab);
    Ok(stack)
}

/// One mapping full of guarded slots.
#[derive(Debug)]
struct Slab {
    /// Where the first slot begins.
    start: usize,
    length: usize,
    slots: usize,
    /// Under valgrind, makes a jump to a stack a switch. It would be taken for a huge frame, as
    /// stacks lie side by side, and all memory between for unset. Elsewhere it does nothing.
    registrations: Vec<ValgrindStackRegistration>,
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
                Err(error) => return Err(shortage::explain(error, class.usable(), class.size())),
                slab => return slab,
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
        let (start, registrations) = (start as usize, Vec::with_capacity(slots));
        let mut slab = Slab { start, length, slots, registrations };
        for low in (0..slots).map(|slot| start + slot * size) {
            install_guard(low)?;
            let lowest = ptr::without_provenance_mut(low + GUARD);
            slab.registrations.push(ValgrindStackRegistration::new(lowest, size - GUARD));
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
                    "no mapping left for the guard of a stack: raise vm.max_map_count",
                ));
            }
            faults::check(Call::Protect)?;
            // SAFETY: as above.
            unsafe { libc::mprotect(address, GUARD, libc::PROT_NONE) }
        }
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether guard markers really guard: asks the kernel to write to a marked page for us. Emulators
/// and system call filters have been seen to answer success and do nothing.
///
/// By `uname`, because valgrind passes that on. Where a system call reads a text, it looks itself,
/// and dies of the fault.
fn markers_work() -> bool {
    const PAGE: usize = GUARD;
    // SAFETY: the mapping is new and private to this function; `uname` writes less than a kilobyte
    // to where it is told and answers EFAULT where it cannot.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let read_write = libc::PROT_READ | libc::PROT_WRITE;
        let start = libc::mmap(ptr::null_mut(), 2 * PAGE, read_write, flags, -1, 0);
        if start == libc::MAP_FAILED {
            return false;
        }
        let faults = |address: *mut libc::c_void| {
            libc::uname(address.cast()) == -1
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
    let (used, allowed) = shortage::mappings();
    (allowed.cast_signed() - used.cast_signed()) / 2 - RESERVE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_for_what_was_asked() {
        assert_eq!(Class::for_stack(0).unwrap(), Class(MIN_CLASS));
        assert_eq!(Class::for_stack(DEFAULT_SIZE - GUARD).unwrap(), Class::DEFAULT);
        assert_eq!(Class::for_stack(DEFAULT_SIZE).unwrap(), Class(19));
        for size in [isize::MAX as usize, usize::MAX - GUARD, usize::MAX] {
            assert_eq!(Class::for_stack(size).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
        }
    }

    #[test]
    fn the_stack_used_last_is_used_next() {
        let mut pool = Pool::default();
        pool.reserve(Class::SMALL).unwrap();
        let first = pool.take_reserved(Class::SMALL).unwrap();
        let low = first.low();
        pool.put(first);
        pool.reserve(Class::SMALL).unwrap();
        assert_eq!(pool.take_reserved(Class::SMALL).unwrap().low(), low);
    }

    #[test]
    fn a_reservation_is_a_promise_that_growth_keeps() {
        let mut pool = Pool::default();
        for _ in 0..SLOTS_PER_SLAB + 1 {
            pool.reserve(Class::SMALL).unwrap();
        }
        assert!(pool.stock().clean > SLOTS_PER_SLAB);
        let stacks: Vec<Stack> =
            (0..=SLOTS_PER_SLAB).map(|_| pool.take_reserved(Class::SMALL).unwrap()).collect();
        let mut lows: Vec<usize> = stacks.iter().map(Stack::low).collect();
        lows.sort_unstable();
        assert!(lows.windows(2).all(|pair| pair[1] - pair[0] >= Class::SMALL.size()));
    }

    /// Takes `count` stacks, writes to each, and gives them back.
    fn use_at_once(pool: &mut Pool, count: usize) -> Vec<usize> {
        (0..count).for_each(|_| pool.reserve(Class::SMALL).unwrap());
        let stacks: Vec<Stack> =
            (0..count).map(|_| pool.take_reserved(Class::SMALL).unwrap()).collect();
        let bytes: Vec<usize> = stacks.iter().map(|stack| stack.top.get() - 1).collect();
        // SAFETY: the byte is in a stack that this test has taken.
        bytes.iter().for_each(|byte| unsafe { *(*byte as *mut u8) = 1 });
        for stack in stacks {
            pool.put(stack);
        }
        bytes
    }

    #[test]
    fn trims_clean_half_of_what_is_not_needed_until_little_is_left() {
        let mut pool = Pool::default();
        let bytes = use_at_once(&mut pool, 264);
        assert_eq!(pool.trim(), Trimmed::ForNow);
        assert_eq!(pool.stock().warm, 264, "all of them were needed just now");
        assert_eq!(pool.trim(), Trimmed::ForNow);
        assert_eq!(pool.stock().warm, 164);
        while pool.trim() == Trimmed::ForNow {}
        assert_eq!(pool.stock().warm, KEPT_WARM);
        // SAFETY: the slots are mapped until the pool is dropped.
        let warm = bytes.iter().filter(|byte| unsafe { *(**byte as *const u8) } == 1).count();
        assert_eq!(warm, KEPT_WARM, "the memory of the others is the kernel's again");
    }

    #[test]
    fn a_large_trim_takes_several_steps() {
        let mut pool = Pool::default();
        use_at_once(&mut pool, 4 * TRIM_BATCH);
        pool.trim();
        assert_eq!(pool.trim(), Trimmed::Partly);
        assert_eq!(pool.stock().warm, 3 * TRIM_BATCH);
        assert_eq!(pool.trim(), Trimmed::ForNow);
        assert_eq!(pool.stock().warm, 2 * TRIM_BATCH + KEPT_WARM / 2);
    }

    #[test]
    fn what_is_needed_meanwhile_is_not_cleaned() {
        let mut pool = Pool::default();
        use_at_once(&mut pool, 200);
        pool.trim();
        use_at_once(&mut pool, 190);
        pool.trim();
        assert_eq!(pool.stock().warm, 200, "only ten were left over, fewer than are kept");
    }

    #[test]
    fn a_stack_that_is_not_to_be_had_is_an_error() {
        let mut pool = Pool::default();
        let class = Class::for_stack(1 << 46).unwrap();
        assert_eq!(pool.reserve(class).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    }
}
