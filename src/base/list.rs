//! A first-in, first-out list from whose middle anything can be removed in O(1).
//!
//! Every waiter queue is one of these: gevent's lists make killing 50,000 waiters of one event
//! quadratic, this one keeps it linear.

use super::slab::{Key, Slab};

/// A value and its neighbours, by their places in the slab.
#[derive(Debug)]
struct Node<T> {
    value: T,
    previous: u32,
    next: u32,
}

/// Where there is no neighbour: no slab has so many places.
const END: u32 = u32::MAX;

/// A doubly linked list whose nodes live in one slab.
#[derive(Debug)]
pub(crate) struct List<T> {
    nodes: Slab<Node<T>>,
    first: u32,
    last: u32,
}

impl<T> List<T> {
    pub(crate) const fn new() -> List<T> {
        List { nodes: Slab::new(), first: END, last: END }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The values in order, with their keys.
    fn entries(&self) -> impl Iterator<Item = (Key, &T)> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            let (key, node) = self.nodes.entry_at(next)?;
            next = node.next;
            Some((key, &node.value))
        })
    }

    /// The values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries().map(|(_, value)| value)
    }

    /// Takes the values out that `is_wanted`, in order.
    pub(crate) fn extract(&mut self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let wanted = self.entries().filter(|(_, value)| is_wanted(value));
        let keys: Vec<Key> = wanted.map(|(key, _)| key).collect();
        keys.into_iter().filter_map(|key| self.remove(key)).collect()
    }

    #[inline]
    pub(crate) fn push_back(&mut self, value: T) -> Key {
        let key = self.nodes.insert(Node { value, previous: self.last, next: END });
        match self.nodes.at_mut(self.last) {
            Some(last) => last.next = key.index(),
            None => self.first = key.index(),
        }
        self.last = key.index();
        key
    }

    /// The first value, and its place, for which `f` has an answer.
    pub(crate) fn find_map<R>(&self, f: impl Fn(&T) -> Option<R>) -> Option<(Key, R)> {
        self.entries().find_map(|(key, value)| Some((key, f(value)?)))
    }

    /// The value that would leave next.
    pub(crate) fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<T> {
        self.nodes.remove_at(self.first).map(|node| self.unlink(node))
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.nodes.remove(key).map(|node| self.unlink(node))
    }

    fn unlink(&mut self, node: Node<T>) -> T {
        match self.nodes.at_mut(node.previous) {
            Some(previous) => previous.next = node.next,
            None => self.first = node.next,
        }
        match self.nodes.at_mut(node.next) {
            Some(next) => next.previous = node.previous,
            None => self.last = node.previous,
        }
        node.value
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::new()
    }
}

/// The values in order.
impl<T> Iterator for List<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(list: &mut List<i32>) -> Vec<i32> {
        list.collect()
    }

    #[test]
    fn values_leave_in_the_order_they_came() {
        let mut list = List::new();
        (0..3).for_each(|n| {
            list.push_back(n);
        });
        assert_eq!(list.len(), 3);
        assert_eq!(drain(&mut list), [0, 1, 2]);
        assert_eq!(list.len(), 0);
    }

    #[test]
    fn extraction_leaves_the_others_where_they_are() {
        let mut list = List::new();
        let keys: Vec<Key> = (0..6).map(|n| list.push_back(n)).collect();
        assert_eq!(list.extract(|n| n % 2 == 0), [0, 2, 4]);
        assert_eq!(list.iter().copied().collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(list.remove(keys[3]), Some(3));
        assert_eq!(drain(&mut list), [1, 5]);
    }

    #[test]
    fn removal_at_the_front_the_middle_and_the_back_keeps_the_rest_in_order() {
        let mut list = List::new();
        let keys: Vec<Key> = (0..5).map(|n| list.push_back(n)).collect();
        for n in [2, 0, 4] {
            assert_eq!(list.remove(keys[n]), Some(n as i32));
            assert_eq!(list.remove(keys[n]), None);
        }
        list.push_back(5);
        assert_eq!(drain(&mut list), [1, 3, 5]);
    }
}
