//! Memory that will be needed soon.
#![allow(unsafe_code)]

/// Has the processor fetch some bytes from `address` on into its caches, where it can be told to.
///
/// Any address will do: where there is no memory, nothing happens.
#[inline(always)]
pub(crate) fn prefetch<const BYTES: usize>(address: usize) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..BYTES).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let line = std::ptr::without_provenance(address.wrapping_add(offset));
        // SAFETY: the instruction is a hint: it reads nothing and faults nowhere.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
