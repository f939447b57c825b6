//! A first-in, first-out list from whose middle anything can be removed in O(1).
//!
//! Every waiter queue is one of these: gevent's lists make killing 50,000 waiters of one event
//! quadratic, this one keeps it linear.

use super::slab::{Key, Slab};

#[derive(Debug)]
struct Node<T> {
    value: T,
    previous: Option<Key>,
    next: Option<Key>,
}

/// A doubly linked list whose nodes live in one slab.
#[derive(Debug)]
pub(crate) struct List<T> {
    nodes: Slab<Node<T>>,
    first: Option<Key>,
    last: Option<Key>,
}

impl<T> List<T> {
    pub(crate) const fn new() -> List<T> {
        List { nodes: Slab::new(), first: None, last: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut next = self.first;
        std::iter::from_fn(move || {
            let node = self.nodes.get(next?)?;
            next = node.next;
            Some(&node.value)
        })
    }

    /// Takes the values out that `is_wanted`, in order.
    pub(crate) fn extract(&mut self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let mut wanted = Vec::new();
        let mut next = self.first;
        while let Some(key) = next {
            let Some(node) = self.nodes.get(key) else {
                break;
            };
            next = node.next;
            if is_wanted(&node.value) {
                wanted.extend(self.remove(key));
            }
        }
        wanted
    }

    pub(crate) fn push_back(&mut self, value: T) -> Key {
        let key = self.nodes.insert(Node { value, previous: self.last, next: None });
        match self.last.and_then(|last| self.nodes.get_mut(last)) {
            Some(last) => last.next = Some(key),
            None => self.first = Some(key),
        }
        self.last = Some(key);
        key
    }

    /// The first value, and its place, for which `f` has an answer.
    pub(crate) fn find_map<R>(&self, f: impl Fn(&T) -> Option<R>) -> Option<(Key, R)> {
        let mut next = self.first;
        while let Some(key) = next {
            let node = self.nodes.get(key)?;
            if let Some(answer) = f(&node.value) {
                return Some((key, answer));
            }
            next = node.next;
        }
        None
    }

    /// The value that would leave next.
    pub(crate) fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        self.first.and_then(|first| self.remove(first))
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let node = self.nodes.remove(key)?;
        match node.previous.and_then(|previous| self.nodes.get_mut(previous)) {
            Some(previous) => previous.next = node.next,
            None => self.first = node.next,
        }
        match node.next.and_then(|next| self.nodes.get_mut(next)) {
            Some(next) => next.previous = node.previous,
            None => self.last = node.previous,
        }
        Some(node.value)
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
