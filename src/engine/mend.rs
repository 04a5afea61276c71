//! Restores damaged records from their original file.
//!
//! A file has the accepted bytes if their hash is the recorded one. The recorded definitions then
//! give the same records. Without such a file, `withdraw` removes the records.

use std::ops::ControlFlow;
use std::path::Path;

use super::EngineError;
use super::open::{Engine, Request};
use super::outcome::{FileOutcome, Outcome};
use super::recorded::{calendar, recorded};
use crate::domain::types::City;
use crate::feed::decode::fingerprint;
use crate::feed::read::{ReadLimits, read};
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::home::definition::Definition;
use crate::home::segment::{encode, sort};
use crate::home::{FileEntry, Home, HomeError, Seen};

impl Engine {
    /// Opens a home as [`Engine::open`] does. If records are damaged and `files` has their original
    /// files, it restores the records first.
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
                let mended = mend(&mut Home::open(folder)?, files, |_| true)?;
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

    /// Restores damaged records of skipped or left-out files. The opening of the home does not find
    /// such damage if a newer snapshot replaces the records.
    pub(super) fn mend_skipped(
        &mut self,
        files: &[FeedFile],
        outcomes: &[FileOutcome],
    ) -> Result<(), EngineError> {
        let skipped = |outcome: &FileOutcome| match &outcome.outcome {
            Outcome::Seen(
                Seen::Known { accepted_as, .. } | Seen::Withdrawn { accepted_as, .. },
            ) => Some(accepted_as.clone()),
            _ => None,
        };
        let skipped: Vec<String> = outcomes.iter().filter_map(skipped).collect();
        if skipped.is_empty() {
            return Ok(());
        }
        let mended = mend(&mut self.home, files, |file| skipped.contains(&file.name))?;
        if let Some(running) = &mut self.running {
            let files = self.home.files()?;
            for segment in &mut running.segments {
                let file = files.iter().find(|file| file.vintage == segment.vintage);
                file.inspect(|file| segment.stored = file.segment.clone());
            }
        }
        self.restored.mended.extend(mended);
        Ok(())
    }
}

/// Restores damaged records of the requested files; returns the names of the files.
fn mend(
    home: &mut Home,
    files: &[FeedFile],
    is_asked: impl Fn(&FileEntry) -> bool,
) -> Result<Vec<String>, EngineError> {
    let Some(definition) = recorded(home)? else { return Ok(Vec::new()) };
    let mut mended = Vec::new();
    for entry in home.files()? {
        if !is_asked(&entry) || entry.segment.damage(home.folder())?.is_none() {
            continue;
        }
        if mend_one(home, &definition, &entry, files)? {
            mended.push(entry.name);
        }
    }
    Ok(mended)
}

/// Restores the records of a file from a file with the same bytes; returns false if there is none.
fn mend_one(
    home: &mut Home,
    definition: &Definition,
    entry: &FileEntry,
    files: &[FeedFile],
) -> Result<bool, EngineError> {
    let profile = &definition.profile;
    let limits = ReadLimits {
        first_period: calendar(home)?.map(|calendar| calendar.first()),
        max_rejected_share: 1.0,
        ..ReadLimits::default()
    };
    for file in files.iter().filter(|file| file.name == entry.name || file.period == entry.period) {
        // The intake reports problems of the file as a file of the feed. A system error must not
        // look like an absent file.
        let unread = |refused: Refused| {
            let name = entry.name.clone();
            EngineError::NotMended { name, vintage: entry.vintage, source: Box::new(refused) }
        };
        let found = match fingerprint(file, &profile.file, limits.max_bytes) {
            Err(refused) if refused.is_of_system() => return Err(unread(refused)),
            found => found,
        };
        if found.map_or(true, |found| file.hash_with_name(profile, found.hash) != entry.hash) {
            continue;
        }
        let mut intake = match read(file, profile, &definition.places, &limits) {
            Err(refused) if refused.is_of_system() => return Err(unread(refused)),
            Err(_) => continue,
            Ok(intake) => intake,
        };
        if intake.hash != entry.hash || intake.counts != entry.counts {
            continue;
        }
        sort(&mut intake.records, intake.texts.firms.len());
        let code = |city: City| definition.places.code(city);
        let records = encode(1, &intake.texts, &mut intake.records, &code)
            .map_err(|source| HomeError::encode(&file.path, source))?;
        home.put_back(entry, &records)?;
        return Ok(true);
    }
    Ok(false)
}
