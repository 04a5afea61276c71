//! Turns: of the requests for one answer, the first computes it, and the others wait and find it
//! held. Without turns, each publication would make every open page compute the same series.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Waiting, OwnedMutexGuard};

/// The number of keys from which those without a request are dropped.
const KEYS_MANY: usize = 256;

/// Who computes what.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<String, Weak<Waiting<()>>>>);

/// A turn; it ends when this is dropped.
pub type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits for the turn of a request.
    pub async fn wait(&self, key: &str) -> Turn {
        self.of(key).lock_owned().await
    }

    /// Waits for a turn on a thread that may block.
    pub fn wait_blocking(&self, key: &str) -> Turn {
        self.of(key).blocking_lock_owned()
    }

    fn of(&self, key: &str) -> Arc<Waiting<()>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = keys.get(key).and_then(Weak::upgrade) {
            return waiting;
        }
        if keys.len() >= KEYS_MANY {
            keys.retain(|_, waiting| waiting.strong_count() > 0);
        }
        let waiting = Arc::new(Waiting::new(()));
        keys.insert(key.to_owned(), Arc::downgrade(&waiting));
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_at_a_time_has_the_turn_of_a_key() {
        let turns = Turns::default();
        let first = turns.wait_blocking("a");
        assert!(turns.of("a").try_lock().is_err());
        let _other = turns.wait_blocking("b");
        drop(first);
        assert!(turns.of("a").try_lock().is_ok());
    }

    #[test]
    fn keys_without_a_request_are_dropped() {
        let turns = Turns::default();
        let held = turns.wait_blocking("held");
        for n in 0..3 * KEYS_MANY {
            drop(turns.wait_blocking(&n.to_string()));
        }
        assert!(turns.0.lock().expect("no panic").len() <= KEYS_MANY);
        assert!(turns.of("held").try_lock().is_err());
        drop(held);
    }
}
