//! Ingests files: their admission, their order, and their division into commits.

use std::sync::Arc;
use std::thread::Scope;

use super::EngineError;
use super::admission::Admission;
use super::codes_seen::{Compared, FileCodes, WHOLE, same_lines};
use super::names::Names;
use super::open::Engine;
use super::outcome::{FileOutcome, Observer, Outcome, Refusal};
use super::reading::{Read, ReadAhead, Reader, Taken, named};
use super::replace::Earlier;
use super::running::Running;
use super::span::{is_whole_year, months_of_year};
use super::step::{Step, Writing};
use super::sums::ABSOLUTE_CENTS_MAX;
use crate::dataflow::YEARS_MAX;
use crate::domain::calendar::{Calendar, OutOfOrder};
use crate::domain::record::KeptRejects;
use crate::domain::types::{Period, Vintage};
use crate::feed::profile::Revision;
use crate::feed::read::ReadLimits;
use crate::feed::source::FeedFile;
use crate::home::definition::Definition;
use crate::home::options::Close;
use crate::home::{Commit, Publication, Rebuilt, Seen, Summary};

/// The number of segments that may be in writing before the next file waits.
const WRITES_MAX: usize = 2;
impl Engine {
    /// Ingests files in order of period, closes months and publishes. An accepted file counts and
    /// is durable. The caller then asks for [`Engine::snapshot_if_due`].
    ///
    /// A file that cannot count is an outcome, not an error. Outcomes are fewer than files if the
    /// observer asked to stop.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the home cannot be written or read, [`EngineError::Worker`] if a
    /// worker died. Earlier commits persist; the current step is discarded.
    pub fn ingest(
        &mut self,
        files: &[FeedFile],
        observer: &mut dyn Observer,
    ) -> Result<Vec<FileOutcome>, EngineError> {
        let definition = Arc::clone(&self.definition);
        let n_workers = self.n_workers;
        let known = self.known()?;
        let first = self.running.as_ref().map(|running| running.calendar.first());
        let limits = ReadLimits {
            first_period: first.or_else(|| files.iter().map(|file| file.first).min()),
            max_rejected_share: self.options.max_rejected_share,
            ..ReadLimits::default()
        };
        let reader = Reader {
            profile: &definition.profile,
            places: &definition.places,
            successions: &definition.successions,
            limits,
            known: &known,
        };
        std::thread::scope(|scope| {
            let reads = ReadAhead::start(scope, files, reader, n_workers);
            let mut step = Step::default();
            let mut outcomes = Vec::with_capacity(files.len());
            for (at, (file, read)) in files.iter().zip(reads).enumerate() {
                if observer.stop_asked() {
                    break;
                }
                let any_refused = outcomes.iter().any(FileOutcome::is_refused);
                let hash = read.hash().map(str::to_owned);
                let outcome =
                    self.take_in(scope, &definition, file, read, any_refused, &mut step)?;
                outcomes.push(FileOutcome { path: file.path.clone(), hash, outcome });
                observer.file(&outcomes[outcomes.len() - 1]);
                let by_file = self.options.close == Close::File;
                if by_file && definition.profile.is_annual() && is_whole_year(files, at, &outcomes)
                {
                    self.close_year(&definition, file.period, &mut step)?;
                }
                if step.is_due() {
                    self.publish(&definition, std::mem::take(&mut step), observer)?;
                }
            }
            self.publish(&definition, step, observer)?;
            Ok(outcomes)
        })
        .and_then(|outcomes| {
            observer.rested(&mut self.home);
            self.mend_skipped(files, &outcomes)?;
            Ok(outcomes)
        })
    }

    /// Closes the next month (`close = "explicit"`), and publishes.
    ///
    /// # Errors
    /// [`EngineError::Empty`] before the first file, [`EngineError::OutOfOrder`] if another month
    /// is next, and those of [`Engine::ingest`].
    pub fn close(
        &mut self,
        period: Period,
        observer: &mut dyn Observer,
    ) -> Result<(), EngineError> {
        let definition = Arc::clone(&self.definition);
        let running = self.running.as_mut().ok_or(EngineError::Empty)?;
        let next = running.calendar.next_to_close();
        let closed = if definition.profile.is_annual() {
            let year = months_of_year(next);
            match year.last() {
                Some(last) if *last != period => {
                    return Err(OutOfOrder { asked: period, next: *last }.into());
                }
                _ => year,
            }
        } else {
            vec![period]
        };
        for month in &closed {
            running.close(self.home.folder(), &definition, *month)?;
        }
        self.publish(&definition, Step { closed, ..Step::default() }, observer)?;
        observer.rested(&mut self.home);
        Ok(())
    }

    /// Closes the months of a year, if it is the next one and has records.
    fn close_year(
        &mut self,
        definition: &Definition,
        last: Period,
        step: &mut Step<'_>,
    ) -> Result<(), EngineError> {
        let folder = self.home.folder();
        let Some(running) = self.running.as_mut() else { return Ok(()) };
        let next = running.calendar.next_to_close();
        if next.year() == last.year() && !running.files_of(last, step.writing()).is_empty() {
            for month in months_of_year(next) {
                step.close(running, (folder, definition), month, &[])?;
            }
        }
        Ok(())
    }

    fn take_in<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        definition: &Arc<Definition>,
        file: &FeedFile,
        read: Read,
        any_refused: bool,
        step: &mut Step<'scope>,
    ) -> Result<Outcome, EngineError> {
        let taken = match read {
            Read::Refused(refused) => {
                self.keep_rejects(file, refused.kept())?;
                return Ok(Outcome::Refused(self.before_first(file).unwrap_or(refused.into())));
            }
            Read::Known { seen, .. } => return Ok(Outcome::Seen(seen)),
            Read::Failed(error) => return Err(error.into()),
            Read::Whole(taken) => taken,
        };
        if let Some(seen) = self.seen(file, &taken.summary, step)? {
            return Ok(Outcome::Seen(seen));
        }
        if let (Some(_), Some(running)) = (&taken.coverage, &mut self.running) {
            step.settle(running, 0)?;
        }
        let mut admission = match self.admit(file, &taken, any_refused, step)? {
            Ok(admission) => admission,
            Err(refusal) => return self.refuse(file, refusal, taken.summary),
        };
        let mut taken = *taken;
        let codes = self.find(definition, (file, &mut taken), &mut admission, step)?;
        let findings = taken.summary.findings.clone();
        if let Some(refusal) = Refusal::by_finding(file, &findings, &self.options.refuse) {
            return self.refuse(file, refusal, taken.summary);
        }
        let counts = taken.summary.counts.clone();
        let vintage = self.accept(scope, definition, file, (taken, codes), admission, step)?;
        Ok(Outcome::Accepted { vintage, counts, findings })
    }

    /// Refuses a file that was read, and keeps its rejected lines unless it only comes too early.
    fn refuse(
        &mut self,
        file: &FeedFile,
        refusal: Refusal,
        taken: Summary,
    ) -> Result<Outcome, EngineError> {
        let comes_too_early = matches!(refusal, Refusal::Gap { .. } | Refusal::FirstRefused { .. });
        let rejects = (!comes_too_early).then(|| KeptRejects::of(taken.rejects));
        self.keep_rejects(file, rejects.as_ref())?;
        Ok(Outcome::Refused(refusal))
    }

    fn keep_rejects(
        &mut self,
        file: &FeedFile,
        rejects: Option<&KeptRejects>,
    ) -> Result<(), EngineError> {
        let Some(rejects) = rejects else { return Ok(()) };
        Ok(self.home.keep_refused(&file.name, file.period, rejects)?)
    }

    /// Adds to the findings of a file what the home says of it.
    fn find(
        &mut self,
        definition: &Definition,
        (file, taken): (&FeedFile, &mut Taken),
        admission: &mut Admission,
        step: &mut Step<'_>,
    ) -> Result<FileCodes, EngineError> {
        let none = Names::default();
        let names = self.running.as_ref().map_or(&none, |running| &running.names);
        let part = taken.coverage.as_ref().map_or(WHOLE, |coverage| &coverage.part).to_owned();
        let Taken { sums, regions, .. } = &mut *taken;
        let (mut findings, codes) = self.codes.find(sums, regions, part, names);
        findings.extend(admission.thin.take());
        let is_covered = |running: &Running, step: &Step<'_>| {
            taken.coverage.is_some() || !running.files_of(file.period, step.writing()).is_empty()
        };
        if let Some(running) = &mut self.running
            && is_covered(running, step)
        {
            step.settle(running, 0)?;
            let (folder, taken) = (self.home.folder(), &*taken);
            let compared = Compared { file, taken, definition };
            let segments = &running.segments;
            findings.extend(same_lines(&compared, folder, segments, &admission.replaces));
        }
        taken.summary.findings.extend(findings);
        Ok(codes)
    }

    /// The earlier outcome of a file's bytes, if they are not ingested again. A withdrawn file is
    /// ingested again if a user names it.
    fn seen(
        &self,
        file: &FeedFile,
        taken: &Summary,
        step: &Step<'_>,
    ) -> Result<Option<Seen>, EngineError> {
        let is_same = |(hash, name): &(&str, &str)| {
            *hash == taken.hash && (taken.counts.lines > 0 || *name == file.name)
        };
        if let Some((_, name)) = step.hashes().find(is_same) {
            return Ok(Some(Seen::Known { accepted_as: name.to_owned(), superseded_by: None }));
        }
        let seen = self.home.seen(&file.name, &taken.hash)?;
        Ok(seen.filter(|seen| !(file.is_named && matches!(seen, Seen::Withdrawn { .. }))))
    }

    /// Decides whether a file may count, and which files it replaces.
    fn admit(
        &self,
        file: &FeedFile,
        taken: &Taken,
        any_refused: bool,
        step: &Step<'_>,
    ) -> Result<Result<Admission, Refusal>, EngineError> {
        let (path, period) = (file.path.clone(), file.period);
        let refused = |refusal| Ok(Err(refusal));
        if let Some(refusal) = self.before_first(file) {
            return refused(refusal);
        }
        let in_step: i128 = step.absolute_cents();
        let total =
            self.home.absolute_cents()? + in_step + i128::from(taken.summary.absolute_cents);
        if total > ABSOLUTE_CENTS_MAX {
            return refused(Refusal::Range { file: path });
        }
        let n_known = self.running.as_ref().map_or(0, |running| running.names.countries.len());
        if n_known + taken.sums.countries.len() > usize::from(u16::MAX) {
            return refused(Refusal::TooManyCountries { file: path });
        }
        if self.running.is_none() && any_refused {
            return refused(Refusal::FirstRefused { file: path });
        }
        if let Some(coverage) = &taken.coverage {
            return Ok(self.admit_covering(file, coverage));
        }
        let Some(running) = &self.running else {
            return Ok(Ok(Admission {
                closes: self.closing(period, period),
                ..Admission::default()
            }));
        };
        let first = running.calendar.first();
        if period.year().0 - first.year().0 >= YEARS_MAX - 1 {
            return refused(Refusal::TooManyYears { file: path, period });
        }
        let next = running.calendar.next_to_close();
        if self.options.close == Close::File && period > next {
            let is_there = !running.files_of(next, step.writing()).is_empty();
            return refused(Refusal::Gap { file: path, period, next, is_there });
        }
        let earlier = running.files_of(period, step.writing());
        let replaces = match self.options.revision {
            _ if earlier.is_empty() => Vec::new(),
            Revision::Refuse => return refused(Refusal::HasFile { file: path, period }),
            Revision::Append => Vec::new(),
            Revision::Supersede | Revision::ReplacePeriods => {
                let whole = |vintage| Earlier { vintage, cells: None };
                earlier.into_iter().map(whole).collect()
            }
        };
        Ok(Ok(Admission { replaces, closes: self.closing(period, next), thin: None }))
    }

    /// Adds a file's records to the state, and starts to write its segment.
    fn accept<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        definition: &Arc<Definition>,
        file: &FeedFile,
        (taken, codes): (Taken, FileCodes),
        admission: Admission,
        step: &mut Step<'scope>,
    ) -> Result<Vintage, EngineError> {
        let folder = self.home.folder().to_owned();
        let vintage = Vintage(self.last_vintage(step)?.0 + 1);
        let Taken { summary, sums, segment, run, coverage, .. } = taken;
        let (new_codes, new_regions) = self.codes.add(codes, !admission.replaces.is_empty());
        if self.running.is_none() {
            let calendar = coverage
                .as_ref()
                .map_or_else(|| Calendar::starting(file.period), |of| self.calendar_of(of));
            self.running = Some(Running::start(definition, calendar, self.n_workers)?);
        }
        let running = self.running.as_mut().expect("it was started above");
        let Admission { replaces, closes, .. } = admission;
        // A file of one month replaces earlier files before its month closes. A file of several
        // months withdraws the replaced records from their current roles.
        let is_withdrawn = coverage.is_none() && !closes.is_empty();
        let withdraws = if is_withdrawn { &replaces[..] } else { &[] };
        if coverage.is_none() && !replaces.is_empty() {
            step.settle(running, 0)?;
        }
        for month in &closes {
            step.close(running, (folder.as_path(), &**definition), *month, withdraws)?;
        }
        let segment = named(scope, "writing", {
            let folder = folder.clone();
            move || Ok((segment.store(&folder, vintage)?, run.store(&folder, vintage)?))
        });
        if replaces.is_empty() || is_withdrawn {
            running.feed(&sums)?;
        } else {
            running.replace(&folder, definition, &replaces, &sums)?;
        }
        let (mut supersedes, mut replaced) = (Vec::new(), Vec::new());
        for Earlier { vintage, cells } in replaces {
            match cells {
                None => supersedes.push(vintage),
                Some(cells) => replaced.push((vintage, cells)),
            }
        }
        step.writing.push_back(Writing {
            path: file.path.clone(),
            vintage,
            supersedes,
            replaces: replaced,
            coverage: coverage.map(|coverage| (coverage, running.calendar.last_closed())),
            summary,
            segment,
            new_codes,
            new_regions,
        });
        step.settle(running, WRITES_MAX)?;
        Ok(vintage)
    }

    fn last_vintage(&self, step: &Step<'_>) -> Result<Vintage, EngineError> {
        let in_step = step.writing.back().map(|writing| writing.vintage);
        match in_step.or_else(|| step.files.last().map(|file| file.vintage)) {
            Some(vintage) => Ok(vintage),
            None => Ok(self.home.last_vintage()?.unwrap_or_default()),
        }
    }

    /// Publishes a step and commits it.
    pub(super) fn publish(
        &mut self,
        definition: &Arc<Definition>,
        mut step: Step<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(), EngineError> {
        let Some(running) = self.running.as_mut().filter(|_| !step.is_empty()) else {
            return Ok(());
        };
        let last = self.home.last_publication()?.map_or(0, |(last, _)| last.0);
        let publication = Publication(last + 1);
        observer.publishing(publication);
        let parts = running.publish(self.home.folder(), definition, publication)?;
        step.settle(running, 0)?;
        let first = step.files.first().map(|file| file.vintage).filter(|_| self.has_additions);
        let rebuilt = first.map(|at| Rebuilt {
            at,
            definition: self.definition.texts.clone(),
            reclassified: Vec::new(),
        });
        let has_recorded = rebuilt.is_some();
        let commit = Commit {
            publication,
            files: step.files,
            closed: step.closed,
            parts,
            definition: (!self.is_recorded).then(|| self.definition.texts.clone()),
            withdrawn: step.withdrawn,
            rebuilt,
            void_snapshots: step.void_snapshots,
        };
        self.home.commit(&commit)?;
        self.is_recorded = true;
        self.has_additions &= !has_recorded;
        observer.committed(&mut self.home, &commit.closed);
        Ok(())
    }
}
