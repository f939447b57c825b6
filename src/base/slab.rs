//! A table whose keys never come back: slots are reused, keys are not.
//!
//! The generation in a [`Key`] is what makes a late event, a fired timer or a removed waiter
//! harmless: looking up a stale key finds nothing.

/// Names one entry of one [`Slab`] for as long as the entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// The key as one word, to travel through the kernel as an event's token.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The inverse of [`to_bits`](Key::to_bits).
    pub(crate) fn from_bits(bits: u64) -> Key {
        Key { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

#[derive(Debug)]
enum State<T> {
    Full(T),
    /// The next free slot, if any.
    Free(Option<u32>),
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    state: State<T>,
}

/// A growing table with O(1) insertion, look-up and removal.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Option<u32>,
    len: usize,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Slab<T> {
        Slab { slots: Vec::new(), free: None, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let Some(index) = self.free else {
            let index = u32::try_from(self.slots.len()).expect("a slab holds at most 2^32 entries");
            self.slots.push(Slot { generation: 0, state: State::Full(value) });
            return Key { index, generation: 0 };
        };
        let slot = &mut self.slots[index as usize];
        if let State::Free(next) = std::mem::replace(&mut slot.state, State::Full(value)) {
            self.free = next;
        }
        Key { index, generation: slot.generation }
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.index as usize) {
            Some(Slot { generation, state: State::Full(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.index as usize) {
            Some(Slot { generation, state: State::Full(value) })
                if *generation == key.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let slot = &mut self.slots[key.index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        let state = std::mem::replace(&mut slot.state, State::Free(self.free));
        self.free = Some(key.index);
        self.len -= 1;
        match state {
            State::Full(value) => Some(value),
            State::Free(_) => None,
        }
    }

    /// The entries in the order of their slots, which is no order a caller may rely on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match &slot.state {
            State::Full(value) => Some(value),
            State::Free(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_finds_nothing_even_after_its_slot_is_reused() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn a_key_survives_its_trip_through_a_word() {
        let mut slab = Slab::new();
        let first = slab.insert(1);
        slab.remove(first);
        let key = slab.insert(2);
        assert_eq!(Key::from_bits(key.to_bits()), key);
        assert_eq!(slab.get(Key::from_bits(key.to_bits())), Some(&2));
    }

    #[test]
    fn iteration_sees_what_is_left() {
        let mut slab = Slab::new();
        let keys: Vec<Key> = (0..4).map(|n| slab.insert(n)).collect();
        slab.remove(keys[1]);
        assert_eq!(slab.iter().copied().collect::<Vec<_>>(), [0, 2, 3]);
    }
}
