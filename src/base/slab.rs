//! A table whose keys never come back: slots are reused, keys are not.
//!
//! The generation in a [`Key`] is what makes a late event, a fired timer or a removed waiter
//! harmless: looking up a stale key finds nothing.

use std::num::NonZeroU32;

/// Names one entry of one [`Slab`] for as long as the entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: Generation,
}

/// Counts the lives of a slot; never zero, so that an optional key is no larger than a key.
type Generation = NonZeroU32;

impl Key {
    /// The key of the first entry of every slab.
    pub(crate) const FIRST: Key = Key { index: 0, generation: Generation::MIN };

    /// Where the entry is, for those who know that it is still there.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    /// The key as one word, to travel through the kernel as an event's token.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.index)
    }

    /// The inverse of [`to_bits`](Key::to_bits); none for what is no key.
    pub(crate) fn from_bits(bits: u64) -> Option<Key> {
        let generation = Generation::new((bits >> 32) as u32)?;
        Some(Key { index: bits as u32, generation })
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
    generation: Generation,
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
            let generation = Generation::MIN;
            self.slots.push(Slot { generation, state: State::Full(value) });
            return Key { index, generation };
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

    /// The entry in slot `index`, for one who knows whose it is.
    pub(super) fn entry_at(&self, index: u32) -> Option<(Key, &T)> {
        match self.slots.get(index as usize)? {
            Slot { generation, state: State::Full(value) } => {
                Some((Key { index, generation: *generation }, value))
            }
            Slot { state: State::Free(_), .. } => None,
        }
    }

    /// The same, to be changed.
    #[inline]
    pub(super) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        match self.slots.get_mut(index as usize) {
            Some(Slot { state: State::Full(value), .. }) => Some(value),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        match self.slots.get(key.index as usize) {
            Some(slot) if slot.generation == key.generation => self.remove_at(key.index),
            _ => None,
        }
    }

    /// Takes the value out of slot `index`, for one who knows whose it is.
    #[inline]
    pub(super) fn remove_at(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        if let State::Free(_) = slot.state {
            return None;
        }
        slot.generation = slot.generation.checked_add(1).unwrap_or(Generation::MIN);
        self.len -= 1;
        match std::mem::replace(&mut slot.state, State::Free(self.free.replace(index))) {
            State::Full(value) => Some(value),
            State::Free(_) => None,
        }
    }

    /// The keys of all entries, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        let slots = (0..).zip(&self.slots);
        slots
            .filter(|(_, slot)| matches!(slot.state, State::Full(_)))
            .map(|(index, slot)| Key { index, generation: slot.generation })
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
        assert_eq!(Key::from_bits(key.to_bits()), Some(key));
        assert_eq!(Key::from_bits(0), None);
    }

    #[test]
    fn iteration_sees_what_is_left() {
        let mut slab = Slab::new();
        let keys: Vec<Key> = (0..4).map(|n| slab.insert(n)).collect();
        slab.remove(keys[1]);
        assert_eq!(slab.iter().copied().collect::<Vec<_>>(), [0, 2, 3]);
    }
}
