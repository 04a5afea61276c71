//! Values by key, at most a number of bytes; the value that was used longest ago leaves first.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Values by key with a limit of bytes.
#[derive(Debug)]
pub struct Cache<K, V> {
    held: Mutex<Held<K, V>>,
    n_bytes_max: usize,
}

#[derive(Debug)]
struct Held<K, V> {
    values: HashMap<K, Entry<V>>,
    /// The keys by last use.
    uses: BTreeMap<u64, K>,
    next_use: u64,
    n_bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    held: V,
    n_bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache.
    #[must_use]
    pub fn new(n_bytes_max: usize) -> Self {
        let (values, uses) = (HashMap::new(), BTreeMap::new());
        Self { held: Mutex::new(Held { values, uses, next_use: 0, n_bytes: 0 }), n_bytes_max }
    }

    /// A value.
    pub fn get(&self, key: &K) -> Option<V> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = &mut *held;
        let entry = held.values.get_mut(key)?;
        held.uses.remove(&entry.used);
        entry.used = held.next_use;
        held.uses.insert(held.next_use, key.clone());
        held.next_use += 1;
        Some(entry.held.clone())
    }

    /// Adds a value of a size; a value above an eighth of the limit is not held.
    pub fn insert(&self, key: K, value: V, n_bytes: usize) {
        if n_bytes > self.n_bytes_max / 8 {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&key);
        while held.n_bytes + n_bytes > self.n_bytes_max {
            let Some((_, oldest)) = held.uses.pop_first() else { break };
            held.remove(&oldest);
        }
        let used = held.next_use;
        held.next_use += 1;
        held.uses.insert(used, key.clone());
        held.n_bytes += n_bytes;
        held.values.insert(key, Entry { held: value, n_bytes, used });
    }
}

impl<K: Eq + Hash, V> Held<K, V> {
    fn remove(&mut self, key: &K) {
        if let Some(value) = self.values.remove(key) {
            self.uses.remove(&value.used);
            self.n_bytes -= value.n_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_that_was_used_longest_ago_leaves_first() {
        let cache = Cache::new(80);
        for key in 0..8 {
            cache.insert(key, key * 10, 10);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.insert(8, 80, 10);
        assert_eq!(cache.get(&1), None, "0 was used after it");
        assert_eq!((cache.get(&0), cache.get(&8)), (Some(0), Some(80)));
        cache.insert(9, 90, 11);
        assert_eq!(cache.get(&9), None, "too large");
        cache.insert(8, 81, 5);
        assert_eq!(cache.get(&8), Some(81));
        let held = cache.held.lock().expect("no panic");
        assert_eq!(held.n_bytes, held.values.values().map(|value| value.n_bytes).sum::<usize>());
        assert_eq!(held.uses.len(), held.values.len());
    }
}
