//! Stands in for the report of stack overflows: there are no stacks.

pub(super) fn install() {}
