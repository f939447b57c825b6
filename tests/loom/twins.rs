//! The twins: places where the library can be made wrong, and the models that have to notice.

mod sched;
mod wait;

/// One place, and one way to be wrong there.
pub(crate) struct Twin {
    /// What is wrong.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    /// What stands there, once in the file. Where two overlap, the larger one comes first.
    pub(crate) right: &'static str,
    /// What is to stand there instead. Where it takes more than to run the one or the other, this
    /// is all that stands there, and asks `IS_BROKEN` itself.
    pub(crate) wrong: &'static str,
    /// The model, and a part of what it says when it fails.
    pub(crate) model: &'static str,
    pub(crate) failure: &'static str,
}

/// Loom's word for threads that nobody wakes.
const DEADLOCK: &str = "deadlock";

pub(crate) fn all() -> Vec<&'static Twin> {
    sched::TWINS.iter().chain(wait::TWINS).collect()
}
