//! A list that most of the time holds nothing or one value, which it then keeps in place.

use super::list::List;
use super::slab::Key;

/// A [`List`] without an allocation for its first value.
#[derive(Debug, Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    /// Under the key that is the first of every list, so that it can move into one.
    One(T),
    Many(Box<List<T>>),
}

impl<T> Few<T> {
    pub(crate) fn push_back(&mut self, value: T) -> Key {
        match std::mem::take(self) {
            Few::None => {
                *self = Few::One(value);
                Key::FIRST
            }
            Few::One(first) => {
                let mut list = Box::new(List::new());
                list.push_back(first);
                let key = list.push_back(value);
                *self = Few::Many(list);
                key
            }
            Few::Many(mut list) => {
                let key = list.push_back(value);
                *self = Few::Many(list);
                key
            }
        }
    }

    /// A key must not be used again once its value is gone.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        match self {
            Few::One(_) if key == Key::FIRST => std::mem::take(self).pop_front(),
            Few::None | Few::One(_) => None,
            Few::Many(list) => list.remove(key),
        }
    }

    fn pop_front(&mut self) -> Option<T> {
        match std::mem::take(self) {
            Few::None => None,
            Few::One(value) => Some(value),
            Few::Many(mut list) => {
                let value = list.pop_front();
                *self = Few::Many(list);
                value
            }
        }
    }

    /// The values in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self {
            Few::None => (None, None),
            Few::One(value) => (Some(value), None),
            Few::Many(list) => (None, Some(list)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|list| list.iter()))
    }

    /// Takes the values out that `is_wanted`, in order.
    pub(crate) fn extract(&mut self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        match self {
            Few::One(value) if is_wanted(value) => std::mem::take(self).collect(),
            Few::None | Few::One(_) => Vec::new(),
            Few::Many(list) => list.extract(is_wanted),
        }
    }
}

/// The values in order.
impl<T> Iterator for Few<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_good_when_one_becomes_many() {
        let mut few = Few::default();
        let keys: Vec<Key> = (0..3).map(|n| few.push_back(n)).collect();
        assert_eq!(few.iter().copied().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(few.remove(keys[0]), Some(0));
        assert_eq!(few.remove(keys[2]), Some(2));
        assert_eq!(few.remove(keys[2]), None);
        assert_eq!(few.collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn the_only_value_can_be_removed_and_replaced() {
        let mut few = Few::default();
        let key = few.push_back("first");
        assert_eq!(few.remove(key), Some("first"));
        assert_eq!(few.remove(key), None);
        let key = few.push_back("second");
        assert_eq!(few.extract(|_| false), [""; 0]);
        assert_eq!(few.extract(|_| true), ["second"]);
        assert_eq!(few.remove(key), None);
        assert_eq!(few.next(), None);
    }
}
