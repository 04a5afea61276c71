//! A survey of a feed's files and lines, without a home.
//!
//! Input: the files of a feed and a request. Output: for each file the result of a reading as by
//! `ingest`, with findings in comparison with earlier files. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::EngineError;
use super::admission::thin_finding;
use super::codes_seen::{CodesSeen, WHOLE};
use super::names::Names;
use super::open::{Request, definition_of_new_home};
use super::sums::Sums;
use super::with_causes;
use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::record::{Exclusion, Intake, Rule};
use crate::domain::types::{Flow, Period};
use crate::feed::described::described;
use crate::feed::findings::same_lines::{self, Lines};
use crate::feed::formats::kind::Kind;
use crate::feed::profile::{Covers, Profile, Revision, TextEncoding};
use crate::feed::read::{ReadLimits, Room, read_in};
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::home::definition::Definition;
use crate::home::segment::sort;

/// The survey of a file.
#[derive(Debug, Default, Serialize)]
pub struct FileSurvey {
    /// The name.
    pub file: String,
    /// The format.
    pub format: String,
    /// The encoding of a text.
    pub encoding: Option<String>,
    /// The detected encoding, if it differs.
    pub looks_like: Option<String>,
    /// The first and the last month in its name; `None` if its lines decide.
    pub named_months: Option<[String; 2]>,
    /// The number of records by month, including excluded ones.
    pub months: BTreeMap<String, u64>,
    /// The number of records of exports, including excluded ones.
    pub exports: u64,
    /// The number of records of imports, including excluded ones.
    pub imports: u64,
    /// The number of lines read.
    pub lines: u64,
    /// The number of accepted lines.
    pub accepted: u64,
    /// Excluded lines by rule.
    pub excluded: Vec<RuleTexts>,
    /// Rejected lines by rule.
    pub rejected: Vec<RuleTexts>,
    /// The number of totals, notes and headers between lines.
    pub footers: u64,
    /// The number of records whose value was rounded to cents.
    pub rounded: u64,
    /// The findings about the file.
    pub findings: Vec<Finding>,
    /// The reason for a refusal by `ingest`.
    pub refused: Option<String>,
}

/// The lines that a rule excludes or rejects.
#[derive(Debug, Serialize)]
pub struct RuleTexts {
    /// The rule.
    pub rule: &'static str,
    /// The number of lines.
    pub lines: u64,
    /// The first lines.
    pub first: Vec<String>,
}

/// A survey of a feed's files, one after another.
pub struct Survey {
    definition: Definition,
    limits: ReadLimits,
    refuse: Vec<FindingKind>,
    revision: Revision,
    codes: CodesSeen,
    names: Names,
    room: Room,
    /// The lines of files that share months with other files.
    lines: Vec<(FeedFile, Lines)>,
}

impl Survey {
    /// Starts a survey of files in order, with the definition of a new home.
    ///
    /// # Errors
    /// [`EngineError::Places`], [`EngineError::Profile`] if a table or the profile is invalid.
    pub fn new(request: &Request, files: &[FeedFile]) -> Result<Self, EngineError> {
        let definition = definition_of_new_home(request)?;
        let limits = ReadLimits {
            first_period: files.iter().map(|file| file.first).min(),
            max_rejected_share: request.config.max_rejected_share.unwrap_or(0.05),
            ..ReadLimits::default()
        };
        Ok(Self {
            limits,
            refuse: request.config.refused_findings().to_vec(),
            revision: request.config.revision.unwrap_or(definition.profile.revision),
            codes: CodesSeen::default(),
            names: Names::default(),
            room: Room::new(1),
            lines: Vec::new(),
            definition,
        })
    }

    /// The profile of the files.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.definition.profile
    }

    /// Reads the next file; `has_others` is true if other files share its months.
    pub fn file(&mut self, file: &FeedFile, has_others: bool) -> FileSurvey {
        let mut survey = FileSurvey { file: file.name.clone(), ..FileSurvey::default() };
        self.describe(file, &mut survey);
        survey.named_months = match self.definition.profile.file.covers {
            Covers::Contents => None,
            Covers::Month => Some([file.period, file.period].map(|month| month.to_string())),
            Covers::Range | Covers::Year => {
                Some([file.first, file.period].map(|month| month.to_string()))
            }
        };
        let profile = &self.definition.profile;
        let places = &self.definition.places;
        let mut read = read_in(&mut self.room, file, profile, places, &self.limits);
        let refused = read.as_ref().err().map(|refused| with_causes(refused));
        if matches!(read, Err(Refused::Rejected { .. })) {
            // A file with too many rejected lines is described all the same.
            let limits = ReadLimits { max_rejected_share: 1.0, ..self.limits };
            read = read_in(&mut self.room, file, profile, places, &limits);
        }
        if let Ok(intake) = read {
            self.take(file, intake, has_others, &mut survey);
        }
        let is_refused = |finding: &&Finding| self.refuse.contains(&finding.kind);
        let finding = survey.findings.iter().find(is_refused).map(ToString::to_string);
        survey.refused = refused.or(finding);
        survey
    }

    fn describe(&self, file: &FeedFile, survey: &mut FileSurvey) {
        let layout = &self.definition.profile.of_month(file.period).file;
        let Ok(found) = described(file, layout, self.limits.max_bytes) else { return };
        let packed = if found.is_packed { ", packed" } else { "" };
        survey.format = format!("{}{packed}", found.kind.name());
        if found.kind != Kind::Text {
            return;
        }
        let looks_like = found.encoding.map(TextEncoding::Label).map(String::from);
        let declared = String::from(layout.encoding);
        survey.encoding = match (layout.encoding, &looks_like) {
            (TextEncoding::Detect, found) => Some(found.clone().unwrap_or("utf-8".to_owned())),
            _ => Some(declared.clone()),
        };
        survey.looks_like = looks_like.filter(|_| {
            layout.encoding != TextEncoding::Detect && {
                found.encoding.map(TextEncoding::Label) != Some(layout.encoding)
            }
        });
    }

    /// Counts a file's records, and finds its odd features.
    fn take(
        &mut self,
        file: &FeedFile,
        mut intake: Intake,
        has_others: bool,
        survey: &mut FileSurvey,
    ) {
        for record in &intake.records {
            *survey.months.entry(record.period.to_string()).or_insert(0) += 1;
            match record.flow {
                Flow::Export => survey.exports += 1,
                Flow::Import => survey.imports += 1,
            }
        }
        survey.lines = intake.counts.lines;
        survey.accepted = intake.counts.accepted;
        survey.footers = intake.counts.footers;
        survey.rounded = intake.counts.rounded;
        survey.excluded = excluded(&intake);
        survey.rejected = rejected(&intake);
        survey.findings.append(&mut intake.findings);
        let same = self.same_lines(file, &intake, has_others);
        let part = intake.coverage.as_ref().map_or(WHOLE, |coverage| &coverage.part).to_owned();
        if let (Some(coverage), Covers::Contents) =
            (&intake.coverage, self.definition.profile.file.covers)
        {
            survey.findings.extend(thin_finding(&coverage.by_month()));
        }
        let Intake { mut texts, mut records, .. } = intake;
        self.definition.successions.carry_over(&mut texts, &mut records);
        sort(&mut records, texts.firms.len());
        let mut sums = Sums::of(&texts, &records);
        let regions = texts.regions.list();
        let (findings, codes) = self.codes.find(&mut sums, regions, part, &self.names);
        survey.findings.extend(findings);
        survey.findings.extend(same);
        self.codes.add(codes, false);
        sums.shipments(&mut self.names, |_| {});
        (self.room.records, self.room.texts) = (records, texts);
    }

    /// Finds lines that an earlier file of the same months has, unless the file replaces it.
    fn same_lines(&mut self, file: &FeedFile, intake: &Intake, has_others: bool) -> Vec<Finding> {
        if !has_others || matches!(self.revision, Revision::Supersede | Revision::ReplacePeriods) {
            return Vec::new();
        }
        let lines = same_lines::lines(&intake.texts, &intake.records);
        let earlier = self.lines.iter().filter(|(other, _)| is_of_months(other, file));
        let found = earlier.filter_map(|(other, of)| same_lines::find(&lines, of, &other.name));
        let found = found.collect();
        self.lines.push((file.clone(), lines));
        found
    }
}

/// True if two files may have lines of the same months and flow.
#[must_use]
pub fn is_of_months(a: &FeedFile, b: &FeedFile) -> bool {
    let can_be_same = match (&a.part.flow, &b.part.flow) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    can_be_same && a.first <= b.period && b.first <= a.period
}

fn excluded(intake: &Intake) -> Vec<RuleTexts> {
    let of = |exclusion: Exclusion| {
        let lines = intake.counts.excluded[exclusion as usize];
        let records = intake.records.iter().filter(|record| record.exclusion == Some(exclusion));
        let first = records.take(SHOWN).map(|record| {
            let text = match exclusion {
                Exclusion::Country => intake.texts.countries.text(record.country),
                Exclusion::Intermediary => intake.texts.names.text(record.name),
                _ => intake.texts.regions.text(record.region),
            };
            format!("line {}: \"{text}\"", record.line)
        });
        RuleTexts { rule: exclusion.name(), lines, first: first.collect() }
    };
    Exclusion::ALL.into_iter().map(of).filter(|rule| rule.lines > 0).collect()
}

fn rejected(intake: &Intake) -> Vec<RuleTexts> {
    let of = |rule: Rule| {
        let lines = intake.counts.rejected[rule as usize];
        let shown = intake.shown.iter().filter(|(of, _)| *of == rule);
        let first = shown.take(SHOWN).map(|(_, text)| text.clone()).collect();
        RuleTexts { rule: rule.name(), lines, first }
    };
    Rule::ALL.into_iter().map(of).filter(|rule| rule.lines > 0).collect()
}

/// Months between the first and the last that no file covers.
#[must_use]
pub fn missing_months(months: &BTreeSet<Period>) -> Vec<Period> {
    let Some(last) = months.last().copied() else { return Vec::new() };
    let all = std::iter::successors(months.first().copied(), |month| Some(month.next()));
    all.take_while(|month| *month < last).filter(|month| !months.contains(month)).collect()
}
