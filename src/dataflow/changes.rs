//! Sums as data: each change of a key's sum removes the old sum and adds the new one.
//!
//! A closing year changes a cell of every plant and country at once. In one piece, the changes
//! would wait in channels until the last one, and take a third of the memory of an epoch. The
//! operator emits them in portions, and readers work in between.

use std::collections::VecDeque;

use differential_dataflow::difference::Semigroup;
use differential_dataflow::operators::arrange::Arranged;
use differential_dataflow::trace::cursor::{CursorList, cursor_list};
use differential_dataflow::trace::{Cursor, Navigable, TraceReader};
use differential_dataflow::{AsCollection, ExchangeData, VecCollection};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::CapabilitySet;
use timely::dataflow::operators::generic::operator::Operator;
use timely::progress::{Antichain, Timestamp};

use super::lookup::{Batch, Handle, Time};

/// The number of keys that are read before other operators run.
const KEYS_AT_A_TIME: usize = 1 << 13;

/// A sum of a key that is removed or added.
type Change<K, R> = ((K, R), Time, i64);

/// Updates that are read in order of their keys.
struct Updates<K: ExchangeData, R: ExchangeData + Semigroup> {
    cursor: CursorList<<Batch<K, R> as Navigable>::Cursor>,
    batches: Vec<Batch<K, R>>,
}

/// A batch of an arrangement that is not yet emitted completely.
struct Waiting<K: ExchangeData, R: ExchangeData + Semigroup> {
    capabilities: CapabilitySet<Time>,
    new: Updates<K, R>,
    before: Updates<K, R>,
}

/// The changes of an arrangement's sums, in order of their keys.
///
/// # Incremental
/// Keeps no state after an epoch is complete; reads the changed keys of the arrangement.
pub fn changes<'scope, K, R>(
    sums: &Arranged<'scope, Handle<K, R>>,
) -> VecCollection<'scope, Time, (K, R), i64>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    let mut trace = sums.trace.clone();
    let scope = sums.stream.scope();
    let changes = sums.stream.clone().unary_frontier(Pipeline, "changes", |_, operator| {
        let again = scope.activator_for(operator.address);
        let mut upper = Antichain::from_elem(Time::minimum());
        let mut waiting: VecDeque<Waiting<K, R>> = VecDeque::new();
        move |(input, _), output| {
            let lower = upper.clone();
            let (mut capabilities, mut batches) = (CapabilitySet::new(), Vec::new());
            input.for_each(|capability, spans| {
                for capability in capability.retain_stamp(0).iter() {
                    capabilities.insert(capability.clone());
                }
                for span in spans.drain(..) {
                    upper.clone_from(span.upper());
                    batches.extend(span.inner);
                }
            });
            if !batches.is_empty() {
                let before = trace.batches_through(lower.borrow());
                let before = Updates::of(before.expect("it was not compacted past what was read"));
                waiting.push_back(Waiting { capabilities, new: Updates::of(batches), before });
            }
            if let Some(Waiting { capabilities, new, before }) = waiting.front_mut() {
                let mut session = output.session(&*capabilities);
                let is_last = hand_on(new, before, |change| session.give(change));
                drop(session);
                if is_last {
                    waiting.pop_front();
                }
            }
            if !waiting.is_empty() {
                again.activate();
            }
            trace.advance_upper(&mut upper);
            trace.set_logical_compaction(upper.borrow());
            trace.set_physical_compaction(upper.borrow());
        }
    });
    changes.as_collection()
}

impl<K, R> Updates<K, R>
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    fn of(batches: Vec<Batch<K, R>>) -> Self {
        let (cursor, batches) = cursor_list(batches);
        Self { cursor, batches }
    }

    /// The sum of a key's updates. Callers ask for keys in order.
    fn sum_of(&mut self, key: &K) -> R {
        let mut sum = R::default();
        self.cursor.seek_key(&self.batches, key);
        if self.cursor.get_key(&self.batches) == Some(key) {
            self.cursor.map_times(&self.batches, |_, amounts| sum.plus_equals(amounts));
        }
        sum
    }
}

/// Passes on a portion of changes; returns true for the last portion.
fn hand_on<K, R>(
    new: &mut Updates<K, R>,
    before: &mut Updates<K, R>,
    mut give: impl FnMut(Change<K, R>),
) -> bool
where
    K: ExchangeData,
    R: ExchangeData + Semigroup + Default,
{
    let Updates { cursor, batches } = new;
    for _ in 0..KEYS_AT_A_TIME {
        let Some(key) = cursor.get_key(batches) else { return true };
        let mut sum = before.sum_of(key);
        cursor.map_times(batches, |time, amounts| {
            if !sum.is_zero() {
                give(((key.clone(), sum.clone()), *time, -1));
            }
            sum.plus_equals(amounts);
            if !sum.is_zero() {
                give(((key.clone(), sum.clone()), *time, 1));
            }
        });
        cursor.step_key(batches);
    }
    false
}
