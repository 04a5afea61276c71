//! Workers: long-lived threads that keep the dataflow, driven over channels.
//!
//! The driver feeds amounts and then asks for an epoch. Each worker steps until the epoch is
//! complete everywhere. It reads the rows of its firms and markets from its arrangements and sends
//! them. Channels are bounded: a worker that is ahead of the publisher waits.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use differential_dataflow::input::{Input, InputSession};
use timely::WorkerConfig;
use timely::communication::{Config as Communication, WorkerGuards};
use timely::dataflow::ProbeHandle;
use timely::worker::Worker;

use super::cells::{self, Cell, CellKey};
use super::lookup::Time;
use super::touched::Log;
use super::{Arrangements, Subject, build, facts, markets};
use crate::domain::rows::{Change, CityRow, PlantFacts};
use crate::domain::types::Year;

/// The years to publish after the amounts fed so far are processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Years whose set of closed months changed, the last years of the calendar; they are published
    /// whole.
    pub whole: Vec<Year>,
    /// The last year of the calendar.
    pub last: Year,
    /// True if rows are wanted; false during the restore of an earlier state.
    pub publish: bool,
}

/// Rows of an epoch, in portions, from one worker.
#[derive(Debug)]
pub enum Output {
    /// Rows of `city` of a year that is published whole.
    CityRows(Year, Vec<CityRow>),
    /// Changes of `city` in another year.
    CityChanges(Year, Vec<Change<CityRow>>),
    /// Facts of `plant` of a year that is published whole, whole firms at a time.
    PlantFacts(Year, Vec<PlantFacts>),
    /// Changes of the facts of `plant` in another year.
    PlantChanges(Year, Vec<Change<PlantFacts>>),
    /// All workers have sent all rows of a year that is published whole.
    WholeYear(Year),
    /// The current annual cells, in answer to [`Workers::cells`].
    Cells(Vec<(CellKey, Cell)>),
    /// The worker has sent all requested rows.
    Done,
    /// The worker died.
    Failed,
}

/// A worker stopped before its epoch was complete; its panic message is on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a worker thread stopped; nothing of this step was published: report the message above")]
pub struct WorkerFailed;

enum Command {
    Amounts(Vec<(CellKey, Cell)>),
    /// Completes an epoch and sends changes.
    Epoch(Epoch),
    /// Sends all rows of a year of the epoch.
    Whole(Year),
    /// No further request follows for the epoch.
    End,
    Cells,
}

/// The number of portions that may wait in a channel.
const PORTIONS_WAITING_MAX: usize = 4;

/// The running workers.
pub struct Workers {
    commands: Vec<SyncSender<Command>>,
    outputs: Receiver<Output>,
    next: usize,
    guards: Option<WorkerGuards<()>>,
}

impl Workers {
    /// Starts `n_workers` threads.
    ///
    /// # Errors
    /// [`WorkerFailed`] if timely cannot start them.
    #[expect(clippy::missing_panics_doc, reason = "what is expected is shown to hold")]
    pub fn start(n_workers: usize, subject: Subject) -> Result<Self, WorkerFailed> {
        let (commands, receivers): (Vec<_>, Vec<_>) =
            (0..n_workers).map(|_| sync_channel(PORTIONS_WAITING_MAX)).unzip();
        let receivers: Vec<_> = receivers.into_iter().map(Some).collect();
        let (output, outputs) = sync_channel(PORTIONS_WAITING_MAX * n_workers);
        let shared = Arc::new(Mutex::new((receivers, output)));
        let config = timely::Config {
            communication: Communication::Process(n_workers),
            worker: WorkerConfig::default(),
        };
        let guards = timely::execute(config, move |worker| {
            let (receiver, output) = {
                let mut shared = shared.lock().expect("no worker panics while it takes its ends");
                (shared.0[worker.index()].take(), shared.1.clone())
            };
            let commands = receiver.expect("each worker takes its end once");
            run(worker, subject, &commands, &output);
        })
        .map_err(|_| WorkerFailed)?;
        Ok(Self { commands, outputs, next: 0, guards: Some(guards) })
    }

    /// Sends amounts to the workers in turn. Each worker sends them on to the worker of their firm.
    ///
    /// # Errors
    /// [`WorkerFailed`] if the worker has stopped.
    pub fn feed(&mut self, amounts: Vec<(CellKey, Cell)>) -> Result<(), WorkerFailed> {
        self.next = (self.next + 1) % self.commands.len();
        self.commands[self.next].send(Command::Amounts(amounts)).map_err(|_| WorkerFailed)
    }

    /// Completes an epoch and passes its rows to `publish` as they are read: changes first, then
    /// the whole years one after another. A fast worker waits at the end of a year, so that the
    /// rows of few years are in memory at a time.
    ///
    /// # Errors
    /// [`WorkerFailed`] if a worker died, or the error of `publish`.
    pub fn complete<E: From<WorkerFailed>>(
        &mut self,
        epoch: &Epoch,
        mut publish: impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut result = self.ask(|| Command::Epoch(epoch.clone()), &mut publish)?;
        for &year in epoch.whole.iter().filter(|_| epoch.publish) {
            if result.is_ok() {
                result = self.ask(|| Command::Whole(year), &mut publish)?;
            }
            result = result.and_then(|()| publish(Output::WholeYear(year)));
        }
        self.tell(|| Command::End)?;
        result
    }

    /// Passes on the annual cells of the last epoch; no amounts may have been fed since.
    ///
    /// # Errors
    /// Those of [`Workers::complete`].
    pub fn cells<E: From<WorkerFailed>>(
        &mut self,
        mut take: impl FnMut(Output) -> Result<(), E>,
    ) -> Result<(), E> {
        self.ask(|| Command::Cells, &mut take)?
    }

    fn tell(&self, command: impl Fn() -> Command) -> Result<(), WorkerFailed> {
        let mut commands = self.commands.iter();
        commands.try_for_each(|commands| commands.send(command()).map_err(|_| WorkerFailed))
    }

    /// Sends each worker a command and passes their answers to `publish`; returns its result.
    fn ask<E>(
        &mut self,
        command: impl Fn() -> Command,
        publish: &mut impl FnMut(Output) -> Result<(), E>,
    ) -> Result<Result<(), E>, WorkerFailed> {
        self.tell(command)?;
        let mut n_done = 0;
        let mut result = Ok(());
        while n_done < self.commands.len() {
            match self.outputs.recv().map_err(|_| WorkerFailed)? {
                Output::Done => n_done += 1,
                Output::Failed => return Err(WorkerFailed),
                // After a failure the remaining answers are still drained: a worker must never wait
                // for a publisher that has stopped.
                rows if result.is_ok() => result = publish(rows),
                _ => {}
            }
        }
        Ok(result)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.commands.clear();
        if let Some(guards) = self.guards.take() {
            // The other workers would wait for a dead worker forever; the process then ends with
            // this thread.
            let failed = self.outputs.try_iter().any(|output| matches!(output, Output::Failed));
            if failed || std::thread::panicking() {
                std::mem::forget(guards);
            }
        }
    }
}

/// Reports the death of a worker if its thread unwinds.
struct Obituary<'a>(&'a SyncSender<Output>);

impl Drop for Obituary<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(Output::Failed);
        }
    }
}

fn run(
    worker: &mut Worker,
    subject: Subject,
    commands: &Receiver<Command>,
    output: &SyncSender<Output>,
) {
    let _obituary = Obituary(output);
    let log = Rc::new(RefCell::new(Log::default()));
    let probe = ProbeHandle::new();
    let (mut input, mut arrangements): (InputSession<Time, CellKey, Cell>, _) = worker
        .dataflow::<Time, _, _>(|scope| {
            let (input, amounts) = scope.new_collection();
            (input, build(amounts, subject, &log, &probe))
        });
    let mut time: Time = 1;
    input.advance_to(time);
    while let Ok(command) = commands.recv() {
        match command {
            Command::Amounts(amounts) => {
                for (key, cell) in amounts {
                    input.update(key, cell);
                }
                worker.step();
                continue;
            }
            Command::Epoch(epoch) => {
                let whole_from = epoch.whole.first().copied().unwrap_or(epoch.last.next());
                log.borrow_mut().begin(epoch.publish.then_some(whole_from));
                input.advance_to(time + 1);
                input.flush();
                worker.step_or_park_while(None, || probe.less_than(&(time + 1)));
                if epoch.publish {
                    publish_changes(&arrangements, &epoch, time, &mut log.borrow_mut(), output);
                }
            }
            Command::Whole(year) => publish_whole(&arrangements, year, time, output),
            // The driver makes the rows durable in the meantime.
            Command::End => {
                arrangements.forget_before(time);
                time += 1;
                continue;
            }
            Command::Cells => {
                cells::portions(&arrangements.cells, time, |portion| {
                    let _ = output.send(Output::Cells(portion));
                });
            }
        }
        if output.send(Output::Done).is_err() {
            return;
        }
    }
}

/// Reads the changes of an epoch and sends them. If the driver has stopped, the next command ends
/// the worker.
fn publish_changes(
    arrangements: &Arrangements,
    epoch: &Epoch,
    time: Time,
    log: &mut Log,
    output: &SyncSender<Output>,
) {
    for (year, changes) in log.take_city_changes() {
        let _ = output.send(Output::CityChanges(year, changes));
    }
    for (year, touched) in log.take_touched(arrangements.first_indicator_year, epoch.last) {
        facts::changed(arrangements, year, time, &touched, |changes| {
            let _ = output.send(Output::PlantChanges(year, changes));
        });
    }
}

/// Reads all rows of a year and sends them.
fn publish_whole(arrangements: &Arrangements, year: Year, time: Time, output: &SyncSender<Output>) {
    markets::of_year(&arrangements.markets, year, time, |rows| {
        let _ = output.send(Output::CityRows(year, rows));
    });
    facts::of_year(arrangements, year, time, |facts| {
        let _ = output.send(Output::PlantFacts(year, facts));
    });
}
