//! The library's data structures and errors.

#[path = "../../../../src/base/expired.rs"]
pub(crate) mod expired;
#[path = "../../../../src/base/failure.rs"]
pub(crate) mod failure;
#[path = "../../../../src/base/few.rs"]
pub(crate) mod few;
#[path = "../../../../src/base/heap.rs"]
pub(crate) mod heap;
#[path = "../../../../src/base/list.rs"]
pub(crate) mod list;
#[path = "../../../../src/base/lock.rs"]
pub(crate) mod lock;
#[path = "../../../../src/base/payload.rs"]
pub(crate) mod payload;
#[path = "../../../../src/base/prefetch.rs"]
pub(crate) mod prefetch;
#[path = "../../../../src/base/slab.rs"]
pub(crate) mod slab;
