//! What a process does with its standard streams, on std's and on this crate's.

pub(crate) mod on_ours;
pub(crate) mod on_std;
