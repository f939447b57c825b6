//! The scenarios on this crate's streams.

use betterthreads::io;

#[path = "../same.rs"]
pub(crate) mod same;
