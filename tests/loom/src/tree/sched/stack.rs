//! Stands in for stacks: in the models a greenlet runs on that of its hub.

use std::io;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Class;

impl Class {
    pub(crate) const DEFAULT: Class = Class;
}

#[derive(Debug)]
pub(crate) struct Stack;

/// How many stacks are promised.
#[derive(Default)]
pub(crate) struct Pool(usize);

impl Pool {
    pub(crate) fn reserve(&mut self, _: Class) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }

    pub(crate) fn release(&mut self, _: Class) {
        self.0 -= 1;
    }

    pub(crate) fn take_reserved(&mut self, _: Class) -> Option<Stack> {
        self.0 -= 1;
        Some(Stack)
    }

    pub(crate) fn put(&mut self, _: Stack) -> bool {
        false
    }

    pub(crate) fn trim(&mut self) -> Trimmed {
        Trimmed::Whole
    }

    pub(crate) fn stock(&self) -> Stock {
        Stock
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Trimmed {
    Whole,
    ForNow,
    Partly,
}

pub(crate) struct Stock;
