//! Withdraws files: their lines no longer count. `ingest` accepts their bytes again if a user names
//! the file.
//!
//! The engine subtracts readable records from every role. For unreadable records it restores the
//! state from the other segments and publishes every year whole.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::EngineError;
use super::again::with_read_again;
use super::open::{Engine, Request};
use super::outcome::{Observer, Unwatched};
use super::restore::State;
use super::running::Running;
use super::step::Step;
use crate::domain::types::Vintage;
use crate::home::{FileEntry, Home, Withdrawn};

/// Opens a home and withdraws files, even with damaged records. The caller then asks for
/// [`Engine::snapshot_if_due`].
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
    let home = Home::read(folder)?;
    let vintages = with_read_again(&home, &vintages)?;
    for file in files {
        if file.segment.damage(folder)?.is_some() {
            drop(home);
            let mut engine = Engine::closed(folder, request)?;
            engine.restore_without(&vintages, progress)?;
            let withdrawn = engine.withdraw_unread(&vintages)?;
            return Ok((engine, withdrawn));
        }
    }
    drop(home);
    let mut engine = Engine::open(folder, request, progress)?;
    let withdrawn = engine.withdraw(&vintages, &mut Unwatched)?;
    Ok((engine, withdrawn))
}

impl Engine {
    /// Withdraws files: their lines no longer count, and the same bytes are a new file if they
    /// arrive again. Each withdrawal has its own vintage; closed months stay closed.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a file's records cannot be read or the home cannot be written,
    /// [`EngineError::Worker`] if a worker died. No file is withdrawn then.
    pub fn withdraw(
        &mut self,
        files: &[Vintage],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Withdrawn>, EngineError> {
        let definition = Arc::clone(&self.definition);
        let running = self.running.as_mut().ok_or(EngineError::Empty)?;
        let mut at = self.home.last_vintage()?.unwrap_or_default();
        let mut step = Step::default();
        for &file in files {
            running.withdraw(self.home.folder(), &definition, file)?;
            at = Vintage(at.0 + 1);
            step.withdrawn.push(Withdrawn { file, at });
        }
        let withdrawn = step.withdrawn.clone();
        self.publish(&definition, step, observer)?;
        Ok(withdrawn)
    }

    /// Restores the state without some files.
    fn restore_without(
        &mut self,
        without: &[Vintage],
        progress: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let state = State::now(&self.home)?.ok_or(EngineError::Empty)?;
        let mut files = self.home.files()?;
        files.retain(|file| file.counts_now() && !without.contains(&file.vintage));
        let mut running = Running::start(&self.definition, state.calendar, self.n_workers)?;
        running.restore_files(self.home.folder(), &self.definition, files, progress)?;
        running.publish_all_whole();
        self.running = Some(running);
        Ok(())
    }

    /// Withdraws files that are not in the state.
    fn withdraw_unread(&mut self, files: &[Vintage]) -> Result<Vec<Withdrawn>, EngineError> {
        let last = self.home.last_vintage()?.unwrap_or_default().0;
        let withdrawn: Vec<Withdrawn> = (last + 1..)
            .zip(files)
            .map(|(at, &file)| Withdrawn { file, at: Vintage(at) })
            .collect();
        // Only the records of these files could subtract them from a snapshot, so all snapshots
        // become invalid.
        let step = Step::without_reading(withdrawn.clone());
        let definition = Arc::clone(&self.definition);
        self.publish(&definition, step, &mut Unwatched)?;
        Ok(withdrawn)
    }
}

/// The only counted file with a name.
///
/// # Errors
/// - [`EngineError::NoSuchFile`] if no counted file has the name.
/// - [`EngineError::SeveralFiles`] if several counted files have it.
pub fn file_named(home: &Home, name: &str) -> Result<FileEntry, EngineError> {
    let mut files = home.files()?;
    files.retain(|file| file.counts_now() && file.name == name);
    match files.len() {
        0 => Err(EngineError::NoSuchFile { name: name.to_owned() }),
        1 => Ok(files.remove(0)),
        _ => Err(EngineError::SeveralFiles {
            name: name.to_owned(),
            vintages: files.iter().map(|file| file.vintage).collect(),
        }),
    }
}
