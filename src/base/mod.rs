//! Pure data and errors: nothing here waits, switches or calls the kernel.

pub(crate) mod duration;
pub(crate) mod expired;
pub(crate) mod failure;
pub(crate) mod few;
pub(crate) mod heap;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod payload;
pub(crate) mod prefetch;
#[cfg(feature = "testing")]
pub(crate) mod random;
pub(crate) mod slab;
