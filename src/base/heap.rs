//! The timers of one hub: a 4-ary min-heap whose entries know their place.
//!
//! Every read with a time-out makes a timer and cancels it, nearly always before it fires. A
//! cancelled entry is removed at once, so the heap holds live timers only; because a new deadline
//! is usually later than most, both ends of its life touch only the bottom of the heap. Entries
//! with equal deadlines leave in the order they came.

use std::time::Instant;

use super::slab::{Key, Slab};

const ARITY: usize = 4;

#[derive(Debug)]
struct Entry<T> {
    /// Where in `order` this entry stands.
    place: usize,
    value: T,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rank {
    deadline: Instant,
    sequence: u64,
    key: Key,
}

impl Rank {
    fn before(&self, other: &Rank) -> bool {
        (self.deadline, self.sequence) < (other.deadline, other.sequence)
    }
}

/// A priority queue by deadline with O(log n) insertion and removal by key.
#[derive(Debug)]
pub(crate) struct Heap<T> {
    order: Vec<Rank>,
    entries: Slab<Entry<T>>,
    sequence: u64,
}

impl<T> Heap<T> {
    pub(crate) const fn new() -> Heap<T> {
        Heap { order: Vec::new(), entries: Slab::new(), sequence: 0 }
    }

    pub(crate) fn insert(&mut self, deadline: Instant, value: T) -> Key {
        let place = self.order.len();
        let key = self.entries.insert(Entry { place, value });
        self.sequence += 1;
        self.order.push(Rank { deadline, sequence: self.sequence, key });
        self.rise(place);
        key
    }

    #[cfg(feature = "testing")]
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.entries.get(key).is_some()
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.remove(key)?;
        let last = self.order.len() - 1;
        self.order.swap(entry.place, last);
        self.order.pop();
        if entry.place < last {
            self.settle(entry.place);
            self.sink(entry.place);
            self.rise(entry.place);
        }
        Some(entry.value)
    }

    /// The earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.order.first().map(|rank| rank.deadline)
    }

    /// Takes the earliest entry out if its deadline is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let first = *self.order.first()?;
        if first.deadline > now { None } else { self.remove(first.key) }
    }

    /// The latest of the entries with a value that `is_one` accepts.
    #[cfg(feature = "testing")]
    pub(crate) fn find_last(&self, is_one: impl Fn(&T) -> bool) -> Option<Key> {
        let is_one = |rank: &&Rank| self.entries.get(rank.key).is_some_and(|e| is_one(&e.value));
        let ranks = self.order.iter().filter(is_one);
        ranks.max_by_key(|rank| (rank.deadline, rank.sequence)).map(|rank| rank.key)
    }

    /// Tells the entry at `place` where it stands.
    fn settle(&mut self, place: usize) {
        if let Some(entry) = self.entries.get_mut(self.order[place].key) {
            entry.place = place;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.order.swap(a, b);
        self.settle(a);
        self.settle(b);
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / ARITY;
            if !self.order[place].before(&self.order[parent]) {
                return;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = place * ARITY + 1..(place * ARITY + 1 + ARITY).min(self.order.len());
            let Some(least) = children.min_by_key(|&child| {
                let rank = self.order[child];
                (rank.deadline, rank.sequence)
            }) else {
                return;
            };
            if !self.order[least].before(&self.order[place]) {
                return;
            }
            self.swap(place, least);
            place = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn entries_fire_by_deadline_and_then_by_age() {
        let start = Instant::now();
        let mut heap = Heap::new();
        for (n, millis) in [30, 10, 20, 10, 0].into_iter().enumerate() {
            heap.insert(start + Duration::from_millis(millis), n);
        }
        assert_eq!(heap.next_deadline(), Some(start));
        let due = start + Duration::from_millis(20);
        let fired: Vec<usize> = std::iter::from_fn(|| heap.pop_due(due)).collect();
        assert_eq!(fired, [4, 1, 3, 2]);
        assert_eq!(heap.pop_due(due), None);
    }

    #[test]
    fn any_mix_of_insertions_and_removals_keeps_the_order() {
        let start = Instant::now();
        let mut heap = Heap::new();
        let mut model: Vec<(u64, u64, Key)> = Vec::new();
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for step in 0..20_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let roll = random >> 33;
            if model.is_empty() || !roll.is_multiple_of(3) {
                let millis = roll % 1000;
                let key = heap.insert(start + Duration::from_millis(millis), step);
                model.push((millis, step, key));
            } else {
                let (_, value, key) = model.swap_remove(roll as usize % model.len());
                assert_eq!(heap.remove(key), Some(value));
                assert_eq!(heap.remove(key), None);
            }
        }
        model.sort_by_key(|&(millis, step, _)| (millis, step));
        let far = start + Duration::from_secs(10);
        let fired: Vec<u64> = std::iter::from_fn(|| heap.pop_due(far)).collect();
        assert_eq!(fired, model.iter().map(|entry| entry.1).collect::<Vec<_>>());
    }
}
