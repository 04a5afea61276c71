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

/// A trace of keys with amounts as differences.
pub type KeyTrace<K, R> = KeySpine<K, Time, R>;

/// An arrangement's handle, as kept between epochs.
pub type Handle<K, R> = TraceAgent<KeyTrace<K, R>>;

/// Spreads firms over workers. The hash is multiplicative: dense numbers must not all go to one
/// worker.
#[must_use]
pub fn worker_of(firm: Firm) -> u64 {
    u64::from(firm.0).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}

/// Arranges keys at the worker of their firm. All input of a firm's rows is then at one worker.
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

/// Arranges keys at their current worker. Data derived from the cells of a firm are already at the
/// firm's worker.
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

/// The moment at which a sum is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the epoch, as published.
    Before,
    /// After the epoch's updates.
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
    /// Opens a cursor. The epoch must be complete, and no later epoch may have started.
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

    /// The key at the cursor; `None` at the end.
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

    /// The sum of a key's amounts at a moment; zero for an absent key.
    pub fn sum_of(&mut self, key: &K, moment: Moment) -> R {
        self.seek(key);
        if self.key() == Some(key) { self.sum(moment) } else { R::default() }
    }
}

/// Compacts the history of an arrangement before an epoch, after its rows have been read.
///
/// Times up to `epoch` become `epoch`, which still separates the next epoch's updates from older
/// ones. A handle that never advances keeps all history (269 ms against 21 ms after 200 epochs,
/// measured in the prototypes).
pub fn forget_before<K, R>(handle: &mut Handle<K, R>, epoch: Time)
where
    K: ExchangeData,
    R: ExchangeData + Semigroup,
{
    handle.set_logical_compaction(Antichain::from_elem(epoch).borrow());
    handle.set_physical_compaction(Antichain::from_elem(epoch + 1).borrow());
}
