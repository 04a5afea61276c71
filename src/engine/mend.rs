//! What to do about records that are damaged on the disk: put them back from the file they came
//! from, or withdraw that file without reading them.
//!
//! A file has the bytes that were accepted if their hash is the one on record; read under the
//! recorded definitions it gives the same records. Without the file, its withdrawal cannot take
//! back amounts that nobody knows any more: the state is made anew from the other segments, and
//! every year is published whole.

use std::ops::ControlFlow;
use std::path::Path;

use super::EngineError;
use super::intake::Step;
use super::open::{Engine, Request, calendar, home_of, recorded};
use super::outcome::{FileOutcome, Outcome, Unwatched};
use super::restore::State;
use super::running::{Home, Running};
use crate::archive::segment::{encode, sort};
use crate::archive::{Archive, ArchiveError, FileEntry, Withdrawn};
use crate::feed::decode::fingerprint;
use crate::feed::read::{ReadLimits, read};
use crate::feed::source::FeedFile;
use crate::types::{City, Vintage};

impl Engine {
    /// Opens a home as [`Engine::open`] does; where the records of files are damaged, and the files
    /// are among those given, they are put back first.
    ///
    /// # Errors
    /// Those of [`Engine::open`].
    pub fn open_or_mend(
        folder: &Path,
        request: Request,
        files: &[FeedFile],
        mut progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Self, EngineError> {
        match Self::open(folder, request.clone(), &mut progress) {
            Err(error @ EngineError::Records { .. }) => {
                let mended = mend(&mut Archive::open(folder)?, files, |_| true)?;
                if mended.is_empty() {
                    return Err(error);
                }
                let mut engine = Self::open(folder, request, progress)?;
                engine.restored.mended = mended;
                Ok(engine)
            }
            opened => opened,
        }
    }

    /// Puts back the records of files that were skipped, should they be damaged: a newer snapshot
    /// leaves them unread when the home is opened.
    pub(super) fn mend_skipped(
        &mut self,
        files: &[FeedFile],
        outcomes: &[FileOutcome],
    ) -> Result<(), EngineError> {
        let skipped = |outcome: &FileOutcome| match &outcome.outcome {
            Outcome::Skipped { accepted_as, .. } => Some(accepted_as.clone()),
            _ => None,
        };
        let skipped: Vec<String> = outcomes.iter().filter_map(skipped).collect();
        if skipped.is_empty() {
            return Ok(());
        }
        let mended = mend(&mut self.archive, files, |file| skipped.contains(&file.name))?;
        if let Some(running) = &mut self.running {
            let files = self.archive.files()?;
            for segment in &mut running.segments {
                let file = files.iter().find(|file| file.vintage == segment.vintage);
                file.inspect(|file| segment.stored = file.segment.clone());
            }
        }
        self.restored.mended.extend(mended);
        Ok(())
    }
}

/// Puts back damaged records of the files asked for; gives the files' names.
fn mend(
    archive: &mut Archive,
    files: &[FeedFile],
    is_asked: impl Fn(&FileEntry) -> bool,
) -> Result<Vec<String>, EngineError> {
    let Some((settings, definitions)) = recorded(archive)? else { return Ok(Vec::new()) };
    let home = home_of(settings, &definitions)?;
    let mut mended = Vec::new();
    for entry in archive.files()? {
        if !is_asked(&entry) || !is_damaged(archive, &entry)? {
            continue;
        }
        if mend_one(archive, &home, &entry, files)? {
            mended.push(entry.name);
        }
    }
    Ok(mended)
}

fn is_damaged(archive: &Archive, file: &FileEntry) -> Result<bool, EngineError> {
    match file.segment.open(archive.home()) {
        Ok(_) => Ok(false),
        Err(error) if error.is_damage() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Puts back the records of a file from one with its bytes; whether there is one.
fn mend_one(
    archive: &mut Archive,
    home: &Home,
    entry: &FileEntry,
    files: &[FeedFile],
) -> Result<bool, EngineError> {
    let profile = &home.settings.profile;
    let limits = ReadLimits {
        first_period: calendar(archive)?.map(|calendar| calendar.first()),
        max_rejected_share: 1.0,
        ..ReadLimits::default()
    };
    for file in files.iter().filter(|file| file.period == entry.period) {
        let found = fingerprint(&file.path, &profile.file, limits.max_bytes);
        if found.is_err() || found.is_ok_and(|found| found.hash != entry.hash) {
            continue;
        }
        let Ok(mut intake) = read(file, profile, &home.places, &limits) else { continue };
        if intake.hash != entry.hash || intake.counts != entry.counts {
            continue;
        }
        sort(&mut intake.records, intake.texts.firms.len());
        let code = |city: City| home.places.code(city);
        let records = encode(1, &intake.texts, &mut intake.records, &code)
            .map_err(|source| ArchiveError::encode(&file.path, source))?;
        archive.put_back(entry, &records)?;
        return Ok(true);
    }
    Ok(false)
}

/// Opens a home and withdraws files, also such whose records are damaged;
/// [`Engine::snapshot_if_due`] is for whoever called it to ask for then.
///
/// # Errors
/// Those of [`Engine::open`] and [`Engine::withdraw`].
pub fn withdraw(
    folder: &Path,
    request: Request,
    files: &[FileEntry],
    progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<(Engine, Vec<Withdrawn>), EngineError> {
    let vintages: Vec<Vintage> = files.iter().map(|file| file.vintage).collect();
    let archive = Archive::read(folder)?;
    for file in files {
        if is_damaged(&archive, file)? {
            drop(archive);
            let mut engine = Engine::closed(folder, request)?;
            engine.restore_without(&vintages, progress)?;
            let withdrawn = engine.withdraw_unread(&vintages)?;
            return Ok((engine, withdrawn));
        }
    }
    drop(archive);
    let mut engine = Engine::open(folder, request, progress)?;
    let withdrawn = engine.withdraw(&vintages, &mut Unwatched)?;
    Ok((engine, withdrawn))
}

impl Engine {
    /// Restores the state that is left when some files do not count.
    fn restore_without(
        &mut self,
        without: &[Vintage],
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let state = State::now(&self.archive)?.ok_or(EngineError::Empty)?;
        let mut files = self.archive.files()?;
        files.retain(|file| file.counts_now() && !without.contains(&file.vintage));
        let mut running = Running::start(&self.home, state.calendar, self.n_workers)?;
        running.restore_files(self.archive.home(), &self.home, files, progress)?;
        running.publish_all_whole();
        self.running = Some(running);
        Ok(())
    }

    /// Withdraws files that the state does not have.
    fn withdraw_unread(&mut self, files: &[Vintage]) -> Result<Vec<Withdrawn>, EngineError> {
        let last = self.archive.last_vintage()?.unwrap_or_default().0;
        let withdrawn: Vec<Withdrawn> = (last + 1..)
            .zip(files)
            .map(|(at, &file)| Withdrawn { file, at: Vintage(at) })
            .collect();
        // What is in the snapshots of these files could be taken back by their records only.
        let step = Step::without_reading(withdrawn.clone());
        let home = std::sync::Arc::clone(&self.home);
        self.publish(&home, step, &mut Unwatched)?;
        Ok(withdrawn)
    }
}
