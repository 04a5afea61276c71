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

/// What to publish when the amounts fed so far have gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Years whose set of closed months changed, the last ones of the calendar: published whole.
    pub whole: Vec<Year>,
    /// The last year of the calendar.
    pub last: Year,
    /// Whether rows are wanted at all; not when the state of an earlier run is restored.
    pub publish: bool,
}

/// Rows of an epoch, in portions, from one worker.
#[derive(Debug)]
pub enum Output {
    /// Rows of `city` of a year that is published whole.
    CityRows(Year, Vec<CityRow>),
    /// What changed in `city` in another year.
    CityChanges(Year, Vec<Change<CityRow>>),
    /// Facts of `plant` of a year that is published whole, whole firms at a time.
    PlantFacts(Year, Vec<PlantFacts>),
    /// What changed in the facts of `plant` in another year.
    PlantChanges(Year, Vec<Change<PlantFacts>>),
    /// All workers have handed on all rows of a year that is published whole.
    WholeYear(Year),
    /// Annual cells as they stand, in answer to [`Workers::cells`].
    Cells(Vec<(CellKey, Cell)>),
    /// The worker has handed on all that it was asked for.
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
    /// Completes an epoch and hands on changes.
    Epoch(Epoch),
    /// Hands on all rows of a year of the epoch.
    Whole(Year),
    /// Nothing more is asked about the epoch.
    End,
    Cells,
}

/// How many portions may wait in a channel.
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

    /// Hands amounts to a worker, in turn; they go to the worker of their firm from there.
    ///
    /// # Errors
    /// [`WorkerFailed`] if the worker is gone.
    pub fn feed(&mut self, amounts: Vec<(CellKey, Cell)>) -> Result<(), WorkerFailed> {
        self.next = (self.next + 1) % self.commands.len();
        self.commands[self.next].send(Command::Amounts(amounts)).map_err(|_| WorkerFailed)
    }

    /// Completes an epoch and hands on its rows as they are read: changes, then the whole years one
    /// after another. A worker that is ahead waits at the end of a year, so that rows of few years
    /// are in the making at a time.
    ///
    /// # Errors
    /// [`WorkerFailed`] if a worker died, or what `publish` returns.
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

    /// Hands on the annual cells as the last epoch left them; nothing may have been fed since.
    ///
    /// # Errors
    /// As for [`Workers::complete`].
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

    /// Sends each worker a command and hands on what they answer; gives what became of that.
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
                // After a failure the rest is still drained: a worker must never wait for a
                // publisher that is gone.
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
            // A worker that died leaves the others waiting for it for ever: then the process ends
            // with us.
            let failed = self.outputs.try_iter().any(|output| matches!(output, Output::Failed));
            if failed || std::thread::panicking() {
                std::mem::forget(guards);
            }
        }
    }
}

/// Says that the worker died if its thread unwinds.
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
            // The driver has the rows to make durable meanwhile.
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

/// Reads what an epoch changed and sends it; a driver that is gone ends it at the next command.
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
