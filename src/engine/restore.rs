//! Restores the state of the dataflow, for the newest state of the home or for a vintage.
//!
//! ```text
//! newest good snapshot ─▶ its cells ─▶ + files accepted since, − files withdrawn since,
//!   │ damaged: the previous one           + the roles that months gained by closing
//!   └ none: the empty state, with all files accepted since
//! ```
//! The difference between two states of the home has one definition, whether the first state is
//! a snapshot or empty. One path therefore serves both cases.

use std::ops::ControlFlow;
use std::path::Path;

use super::EngineError;
use super::again::CountsNow;
use super::recorded::{calendar, segment_of};
use super::running::{LiveSegment, Running};
use super::sums::Sums;
use crate::dataflow::{Cell, CellKey};
use crate::domain::calendar::{Calendar, Roles};
use crate::domain::record::PeriodFlow;
use crate::domain::types::{Country, Firm, Period, Vintage};
use crate::home::definition::Definition;
use crate::home::segment::{self, Fields};
use crate::home::snapshot::{self, OpenSnapshot, Snapshot};
use crate::home::{FileEntry, Home, HomeError, Publication};

/// A state of a home, now or at a vintage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The last vintage of the state. Files up to it count, without those withdrawn up to it.
    pub vintage: Vintage,
    /// The newest publication up to this vintage.
    pub publication: Publication,
    /// The closed months.
    pub calendar: Calendar,
    /// True if that publication published exactly this state.
    pub is_published: bool,
}

impl State {
    /// The current state of the home; `None` before its first file.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the manifest cannot be read.
    pub fn now(home: &Home) -> Result<Option<Self>, EngineError> {
        let Some(calendar) = calendar(home)? else { return Ok(None) };
        let (publication, vintage) = home.last_publication()?.unwrap_or_default();
        Ok(Some(Self { vintage, publication, calendar, is_published: true }))
    }

    /// The home after the file, withdrawal or rebuild of this number.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the manifest cannot be read.
    pub fn at(home: &Home, vintage: Vintage) -> Result<Option<Self>, EngineError> {
        let Some(newest) = calendar(home)? else { return Ok(None) };
        let publications = home.publications()?;
        let n_before = publications.iter().take_while(|(_, at)| *at <= vintage).count();
        let (publication, published) =
            n_before.checked_sub(1).map_or_else(Default::default, |last| publications[last]);
        let closed = home.closed()?;
        let last = closed.iter().filter(|(_, at)| *at <= publication).map(|(month, _)| *month);
        let mut calendar = Calendar::closed_through(newest.first(), last.max());
        let is_published = published == vintage;
        if let Some((step, _)) = publications.get(n_before).filter(|_| !is_published) {
            // Within a step, files close the months in their names, in order of vintage.
            let closed_by_step = |month| closed.contains(&(month, *step));
            let files = home.files()?;
            for file in files.iter().filter(|file| file.publication == *step) {
                if let Some(covered) = file.covered.as_ref().filter(|_| file.vintage <= vintage) {
                    let last = covered.closed_through.max(calendar.last_closed());
                    calendar = Calendar::closed_through(calendar.first(), last);
                    continue;
                }
                let is_next = file.period == calendar.next_to_close();
                if is_next && file.vintage <= vintage && closed_by_step(file.period) {
                    calendar.close(file.period)?;
                }
            }
        }
        Ok(Some(Self { vintage, publication, calendar, is_published }))
    }

    /// The empty home.
    fn nothing(first: Period) -> Self {
        let calendar = Calendar::starting(first);
        Self { vintage: Vintage(0), publication: Publication(0), calendar, is_published: false }
    }
}

/// The source of a restored state.
#[derive(Debug, Default)]
pub struct Restored {
    /// The snapshot; `None` for the segments alone.
    pub from: Option<Publication>,
    /// Snapshots that could not be used, the newest first, with the reason.
    pub damaged: Vec<(Publication, HomeError)>,
    /// Files whose damaged records were restored from their original files.
    pub mended: Vec<String>,
    /// Files with lines that count now, because the tables have their codes.
    pub counts_now: Vec<CountsNow>,
}

impl Running {
    /// Brings an empty dataflow to a state of the home; publishes nothing.
    ///
    /// `progress` is called for each file of the home and for each portion of a snapshot, with
    /// the number of files completed since the last call. It may stop the restore.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a segment cannot be read, [`EngineError::Worker`] if a worker
    /// dies. A damaged snapshot is not an error.
    pub fn restore(
        &mut self,
        home: &Home,
        definition: &Definition,
        state: &State,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Restored, EngineError> {
        let (snapshot, restored) = newest_good(home, state)?;
        let mut before = State::nothing(state.calendar.first());
        if let Some((of_snapshot, open)) = snapshot {
            self.feed_snapshot(definition, open, &mut progress)?;
            before = of_snapshot;
        }
        for file in home.files()? {
            self.recent.forget_through(file.period);
            self.feed_from(home.folder(), definition, &file, &before, state)?;
            if file.counted_at(state.vintage) {
                let gone = file.gone_at(state.vintage);
                self.segments.push(LiveSegment { gone, ..segment_of(file) });
            }
            go_on(progress(1))?;
        }
        self.complete(false, |_| Ok(()))?;
        Ok(restored)
    }

    /// Brings an empty dataflow to the state of some files alone, which no snapshot has; publishes
    /// nothing.
    ///
    /// # Errors
    /// Those of [`Running::restore`].
    pub(super) fn restore_files(
        &mut self,
        folder: &Path,
        definition: &Definition,
        files: Vec<FileEntry>,
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        for file in files {
            self.recent.forget_through(file.period);
            let segment = segment_of(file);
            self.feed_segment(folder, definition, &segment, |calendar, month| {
                (calendar.roles(month), 1)
            })?;
            self.segments.push(segment);
            go_on(progress(1))?;
        }
        self.complete(false, |_| Ok(()))
    }

    fn feed_snapshot(
        &mut self,
        definition: &Definition,
        open: OpenSnapshot,
        progress: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let city_of = |code: &str| definition.places.city(code);
        let Self { names, workers, .. } = self;
        open.read(&mut names.firms, &mut names.countries, &city_of, |cells| {
            let updates = cells.iter().map(|cell| {
                let country = u16::try_from(cell.country).expect("fewer countries than 2^16");
                let key = CellKey {
                    year: cell.year,
                    firm: Firm(cell.firm),
                    country: Country(country),
                    city: cell.city,
                };
                let [cur, base, import] = cell.cents;
                (key, Cell { cur, base, import })
            });
            workers.feed(updates.collect())?;
            go_on(progress(0))
        })
    }

    /// Feeds the difference of a file's amounts between two states.
    fn feed_from(
        &mut self,
        folder: &Path,
        definition: &Definition,
        file: &FileEntry,
        before: &State,
        after: &State,
    ) -> Result<(), EngineError> {
        let of = |gone| LiveSegment { gone, ..segment_of(file.clone()) };
        let (then, now) = (file.gone_at(before.vintage), file.gone_at(after.vintage));
        match (file.counted_at(before.vintage), file.counted_at(after.vintage)) {
            (false, false) => Ok(()),
            (false, true) => self.feed_segment(folder, definition, &of(now), |_, month| {
                (after.calendar.roles(month), 1)
            }),
            (true, false) => self.feed_segment(folder, definition, &of(then), |_, month| {
                (before.calendar.roles(month), -1)
            }),
            (true, true) => {
                let went = |cell: &PeriodFlow| !then.contains(cell) && now.contains(cell);
                let gained = |month| gained(&before.calendar, &after.calendar, month);
                let is_needed =
                    |month: &Period| any(gained(*month)) || now.iter().any(|of| of.0 == *month);
                let months: Vec<Period> = file.months.iter().copied().filter(is_needed).collect();
                if months.is_empty() {
                    return Ok(());
                }
                let of = of(then.clone());
                let city_of = |code: &str| definition.places.city(code);
                let fields = Fields::Figures;
                let read = segment::read_months(folder, &of.stored, fields, &months, &city_of);
                let (mut texts, mut records) = read.map_err(|source| of.not_read(source))?;
                definition.successions.carry_over(&mut texts, &mut records);
                of.retain_counting(&mut records);
                self.feed_sums(&Sums::of(&texts, &records), |_, shipment| {
                    if went(&(shipment.period, shipment.flow)) {
                        (before.calendar.roles(shipment.period), -1)
                    } else {
                        (gained(shipment.period), 1)
                    }
                })
            }
        }
    }
}

fn go_on(how: ControlFlow<()>) -> Result<(), EngineError> {
    if how.is_break() { Err(EngineError::Stopped) } else { Ok(()) }
}

/// The roles of a month's records in a later calendar that they do not have in an earlier one.
fn gained(before: &Calendar, after: &Calendar, month: Period) -> Roles {
    let (before, after) = (before.roles(month), after.roles(month));
    Roles { cur: after.cur && !before.cur, base: after.base && !before.base }
}

fn any(roles: Roles) -> bool {
    roles.cur || roles.base
}

type Found = (Option<(State, OpenSnapshot)>, Restored);

/// The newest good snapshot up to a state from which the state can be reached.
fn newest_good(home: &Home, state: &State) -> Result<Found, EngineError> {
    let mut restored = Restored::default();
    for snapshot in home.snapshots()? {
        if snapshot.publication > state.publication {
            continue;
        }
        let before = of_snapshot(home, &snapshot, state.calendar.first())?;
        match open_good(home, &snapshot, &before, state)? {
            Ok(open) => {
                restored.from = Some(snapshot.publication);
                return Ok((Some((before, open)), restored));
            }
            Err(error) => restored.damaged.push((snapshot.publication, error)),
        }
    }
    Ok((None, restored))
}

/// True if the tables at a vintage need the records of a file: they were not published, and no
/// snapshot replaces these records.
///
/// # Errors
/// [`EngineError::Home`] if the manifest or a snapshot cannot be read.
pub fn needs_records(home: &Home, file: &FileEntry, vintage: Vintage) -> Result<bool, EngineError> {
    let Some(after) = State::at(home, vintage)?.filter(|state| !state.is_published) else {
        return Ok(false);
    };
    let (snapshot, _) = newest_good(home, &after)?;
    let nothing = || State::nothing(after.calendar.first());
    let before = snapshot.map_or_else(nothing, |(before, _)| before);
    let gains = |month: &Period| any(gained(&before.calendar, &after.calendar, *month));
    Ok(match (file.counted_at(before.vintage), file.counted_at(after.vintage)) {
        (false, false) => false,
        (true, true) => {
            file.months.iter().any(gains)
                || file.gone_at(before.vintage) != file.gone_at(after.vintage)
        }
        _ => true,
    })
}

/// The state of a snapshot.
fn of_snapshot(home: &Home, snapshot: &Snapshot, first: Period) -> Result<State, EngineError> {
    let publication = snapshot.publication;
    let published = home.publications()?;
    let vintage = published.iter().find(|(at, _)| *at == publication);
    let vintage = vintage.map_or(Vintage(0), |(_, vintage)| *vintage);
    // Months closed by command give several publications with one vintage.
    let closed = home.closed()?;
    let closed = closed.iter().filter(|(_, at)| *at <= publication);
    let calendar = Calendar::closed_through(first, closed.map(|(month, _)| *month).max());
    Ok(State { vintage, publication, calendar, is_published: true })
}

/// Opens an undamaged snapshot. The records of all files withdrawn since must be undamaged too:
/// only they can be subtracted from the snapshot's sums.
fn open_good(
    home: &Home,
    snapshot: &Snapshot,
    before: &State,
    state: &State,
) -> Result<Result<OpenSnapshot, HomeError>, EngineError> {
    let went = |file: &FileEntry| {
        let is_replaced = file.gone_at(state.vintage) != file.gone_at(before.vintage);
        file.counted_at(before.vintage) && (is_replaced || !file.counted_at(state.vintage))
    };
    for file in home.files()?.into_iter().filter(went) {
        if let Some(damage) = file.segment.damage(home.folder())? {
            return Ok(Err(damage));
        }
    }
    Ok(snapshot::open(home.folder(), snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_gains_each_role_once() {
        let month = |text: &str| text.parse::<Period>().expect("a month");
        let through = |last| Calendar::closed_through(month("200001"), Some(month(last)));
        let (before, after) = (through("200101"), through("200103"));
        let gained = |text| {
            let Roles { cur, base } = gained(&before, &after, month(text));
            (cur, base)
        };
        assert_eq!(gained("200001"), (false, false));
        assert_eq!(gained("200002"), (false, true));
        assert_eq!(gained("200103"), (true, false));
        assert_eq!(gained("200104"), (false, false));
    }
}
