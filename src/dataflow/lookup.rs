//! Arrangements at the worker of a firm, and their state before and after an epoch.
//!
//! The engine reads rows from the arrangements at the end of an epoch instead of joining them: see
//! ARCHITECTURE, "Decisions". [`Lookup`] is a cursor that gives the sum of a key [`Moment::Before`]
//! and [`Moment::After`] the epoch.

use differential_dataflow::difference::Semigroup;
use differential_dataflow::operators::arrange::arrangement::arrange_core;
use differential_dataflow::operators::arrange::{Arranged, TraceAgent};
use differential_dataflow::trace::cursor::{CursorList, cursor_list};
use differential_dataflow::trace::implementations::{KeyBatcher, KeySpine};
use differential_dataflow::trace::{Cursor, Navigable, TraceReader};
use differential_dataflow::{ExchangeData, VecCollection};
use timely::dataflow::channels::pact::{Exchange, ParallelizationContract, Pipeline};
use timely::dataflow::operators::vec::Map;
use timely::progress::Antichain;

use crate::domain::types::Firm;

/// The dataflow's time: the number of an epoch, one for each publication. Never a year or a month.
pub type Time = u32;

/// A trace of keys whose differences carry amounts.
pub type KeyTrace<K, R> = KeySpine<K, Time, R>;

/// An arrangement's handle, as kept between epochs.
pub type Handle<K, R> = TraceAgent<KeyTrace<K, R>>;

/// Spreads firms over workers. A multiplicative hash: dense numbers must not all fall on one
/// worker.
#[must_use]
pub fn worker_of(firm: Firm) -> u64 {
    u64::from(firm.0).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

/// Arranges keys at the worker of their firm, so that all that a firm's rows read is in one place.
pub fn arrange_by_firm<'scope, K, R>(
    collection: VecCollection<'scope, Time, K, R>,
    name: &str,
    firm_of: impl Fn(&K) -> Firm + 'static,
) -> Arranged<'scope, Handle<K, R>>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    let by_firm =
        Exchange::new(move |((key, ()), _, _): &((K, ()), Time, R)| worker_of(firm_of(key)));
    arrange(collection, by_firm, name)
}

/// Arranges keys at the worker they are at: what follows from the cells of a firm is at its worker
/// already.
pub fn arrange_here<'scope, K, R>(
    collection: VecCollection<'scope, Time, K, R>,
    name: &str,
) -> Arranged<'scope, Handle<K, R>>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    arrange(collection, Pipeline, name)
}

fn arrange<'scope, K, R>(
    collection: VecCollection<'scope, Time, K, R>,
    to_worker: impl ParallelizationContract<Time, Vec<((K, ()), Time, R)>>,
    name: &str,
) -> Arranged<'scope, Handle<K, R>>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    let updates = collection.inner.map(|(key, time, diff)| ((key, ()), time, diff));
    arrange_core::<_, _, _, KeyTrace<K, R>>(updates, to_worker, name, KeyBatcher::<K, Time, R>::new)
}

/// As of when a sum is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// As published before the epoch.
    Before,
    /// With the epoch's updates.
    After,
}

/// A batch of an arrangement's updates.
pub type Batch<K, R> = <KeyTrace<K, R> as TraceReader>::Batch;

/// A cursor over an arrangement right after an epoch.
///
/// # Incremental
/// Keeps the arrangement's batches alive while it lives; drop it before the next epoch.
pub struct Lookup<K, R>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup,
{
    cursor: CursorList<<Batch<K, R> as Navigable>::Cursor>,
    batches: Vec<Batch<K, R>>,
    epoch: Time,
}

impl<K, R> Lookup<K, R>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    /// Opens a cursor. The epoch must be complete, and no later one may have begun.
    #[must_use]
    pub fn open(handle: &Handle<K, R>, epoch: Time) -> Self {
        let mut batches = Vec::new();
        handle.map_spans(|span| batches.extend(span.inner.clone()));
        let (cursor, batches) = cursor_list(batches);
        Self { cursor, batches, epoch }
    }

    /// Moves to the first key not below `key`. Cheap when keys are asked for in order.
    pub fn seek(&mut self, key: &K) {
        if self.cursor.get_key(&self.batches).is_none_or(|current| current > key) {
            self.cursor.rewind_keys(&self.batches);
        }
        self.cursor.seek_key(&self.batches, key);
    }

    /// The key the cursor stands on; none at the end.
    #[must_use]
    pub fn key(&self) -> Option<&K> {
        self.cursor.get_key(&self.batches)
    }

    /// Moves to the next key.
    pub fn step(&mut self) {
        self.cursor.step_key(&self.batches);
    }

    /// The sum of the current key's amounts at a moment.
    pub fn sum(&mut self, moment: Moment) -> R {
        let mut sum = R::default();
        let epoch = self.epoch;
        self.cursor.map_times(&self.batches, |time, amounts| {
            if moment == Moment::After || *time < epoch {
                sum.plus_equals(amounts);
            }
        });
        sum
    }

    /// The sum of a key's amounts at a moment; zero if it is not there.
    pub fn sum_of(&mut self, key: &K, moment: Moment) -> R {
        self.seek(key);
        if self.key() == Some(key) { self.sum(moment) } else { R::default() }
    }
}

/// Lets an arrangement forget what happened before an epoch, once its rows have been read.
///
/// Times up to `epoch` become `epoch`, so that the next epoch's updates can still be told from
/// older ones. A handle that is never advanced pins history (measured in the prototypes: 269 ms
/// against 21 ms after 200 epochs).
pub fn forget_before<K, R>(handle: &mut Handle<K, R>, epoch: Time)
where
    K: ExchangeData,
    R: ExchangeData + Semigroup,
{
    handle.set_logical_compaction(Antichain::from_elem(epoch).borrow());
    handle.set_physical_compaction(Antichain::from_elem(epoch + 1).borrow());
}
