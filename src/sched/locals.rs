//! The values that are one greenlet's own, or one OS thread's.

use std::any::Any;
use std::rc::Rc;

/// Values by the addresses of their keys.
#[derive(Default)]
pub(crate) struct Locals {
    values: Vec<(usize, Rc<dyn Any>)>,
    /// The keys whose values were taken out at the end. They get none again: the destructor of a
    /// value that uses its own key would have no end.
    over: Vec<usize>,
}

impl Locals {
    pub(crate) const fn new() -> Locals {
        Locals { values: Vec::new(), over: Vec::new() }
    }

    /// Whether the value of `key` has been taken out.
    pub(crate) fn is_over(&self, key: usize) -> bool {
        self.over.contains(&key)
    }

    pub(crate) fn get(&self, key: usize) -> Option<Rc<dyn Any>> {
        self.values.iter().find(|(other, _)| *other == key).map(|(_, value)| value.clone())
    }

    /// Stores a value and returns the one before.
    pub(crate) fn put(&mut self, key: usize, value: Rc<dyn Any>) -> Option<Rc<dyn Any>> {
        match self.values.iter_mut().find(|(other, _)| *other == key) {
            Some((_, before)) => Some(std::mem::replace(before, value)),
            None => {
                self.values.push((key, value));
                None
            }
        }
    }

    /// Takes out the value made last, for good.
    pub(crate) fn pop(&mut self) -> Option<Rc<dyn Any>> {
        let (key, value) = self.values.pop()?;
        self.over.push(key);
        Some(value)
    }
}
