//! The codes of earlier files: finds codes of a new file that are unseen or similar to known ones.

use std::collections::BTreeSet;
use std::path::Path;

use super::names::Names;
use super::reading::Taken;
use super::replace::Earlier;
use super::running::LiveSegment;
use super::sums::{Codes, Sums};
use crate::domain::dictionary::TextList;
use crate::domain::finding::{Finding, SHOWN};
use crate::domain::types::Period;
use crate::feed::findings::near_codes::Spellings;
use crate::feed::findings::same_lines;
use crate::feed::findings::unseen::{History, NewCodes, UNSEEN};
use crate::feed::source::FeedFile;
use crate::home::definition::Definition;
use crate::home::segment::{self, Fields};
use crate::home::{FileEntry, Home};

/// The codes of earlier files.
#[derive(Debug, Default)]
pub(super) struct CodesSeen {
    history: History,
    regions: BTreeSet<String>,
    firms: Spellings,
    countries: Spellings,
}

/// The codes that a file adds.
#[derive(Debug)]
pub(super) struct FileCodes {
    part: String,
    codes: [NewCodes; UNSEEN.len()],
    new_regions: Vec<String>,
}

/// The key of a file that is a whole month, among files of the same months.
pub(super) const WHOLE: &str = "/";

impl CodesSeen {
    /// The codes of a home; those of firms and countries are in the running state.
    pub(super) fn of(home: &Home) -> crate::home::Result<Self> {
        let mut history = History::default();
        for file in home.files()?.iter().filter(|file| FileEntry::counts_now(file)) {
            let part = file.covered.as_ref().map_or(WHOLE, |covered| &covered.part);
            history.add(part, &file.found.codes);
        }
        Ok(Self { history, regions: home.seen_regions()?, ..Self::default() })
    }

    /// Finds odd codes of a file, and the codes that it adds.
    pub(super) fn find(
        &mut self,
        sums: &mut Sums,
        regions: &TextList,
        part: String,
        names: &Names,
    ) -> (Vec<Finding>, FileCodes) {
        let Codes { n_firms, new_firms, n_countries, new_countries } = sums.look_up(names);
        let sums = &*sums;
        let new_regions: Vec<String> = regions
            .iter()
            .filter(|region| !self.regions.contains(*region))
            .map(str::to_owned)
            .collect();
        let count = |n_codes, n_new: usize| NewCodes { n_codes, n_new: n_new as u64 };
        let codes = [
            count(n_firms, new_firms.len()),
            count(n_countries, new_countries.len()),
            count(regions.len() as u64, new_regions.len()),
        ];
        let firms = || new_firms.iter().map(|at| sums.firm(*at));
        let countries = || new_countries.iter().map(|at| sums.countries.text(*at));
        let unseen = |at: usize| {
            self.history.find(&part, at, codes[at], || match at {
                0 => quoted(firms()),
                1 => quoted(countries()),
                _ => quoted(new_regions.iter().map(String::as_str)),
            })
        };
        let mut findings: Vec<Finding> = (0..UNSEEN.len()).filter_map(unseen).collect();
        findings.extend(self.firms.find("firm_id", &names.firms, firms()));
        findings.extend(self.countries.find("country", &names.countries, countries()));
        (findings, FileCodes { part, codes, new_regions })
    }

    /// Adds the codes of an accepted file. A file that replaces another does not change the usual
    /// shares.
    pub(super) fn add(
        &mut self,
        file: FileCodes,
        replaces: bool,
    ) -> (Option<[NewCodes; UNSEEN.len()]>, Vec<String>) {
        let FileCodes { part, codes, new_regions } = file;
        self.regions.extend(new_regions.iter().cloned());
        if replaces {
            return (None, new_regions);
        }
        self.history.add(&part, &codes);
        (Some(codes), new_regions)
    }
}

fn quoted<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts.take(SHOWN).map(|text| format!("\"{text}\"")).collect()
}

/// A file for comparison with others of its months.
pub(super) struct Compared<'a> {
    pub(super) file: &'a FeedFile,
    pub(super) taken: &'a Taken,
    pub(super) definition: &'a Definition,
}

impl Compared<'_> {
    /// The counted files of the same months, in order; files of another flow share no line with it.
    fn others<'s>(&self, segments: &'s [LiveSegment]) -> Vec<&'s LiveSegment> {
        let coverage = self.taken.coverage.as_ref();
        let own = |month: Period| match coverage {
            None => month == self.file.period,
            Some(of) => (of.first..=of.last).contains(&month),
        };
        let flow = |part: &str| part.split('/').next().unwrap_or_default().to_owned();
        let own_flow = coverage.map_or_else(String::new, |of| flow(&of.part));
        let is_other = |segment: &&LiveSegment| match &segment.covered {
            None => own(segment.period),
            Some(covered) => {
                let other = flow(&covered.part);
                let can_be_same = own_flow.is_empty() || other.is_empty() || own_flow == other;
                can_be_same && segment.months.iter().any(|month| own(*month))
            }
        };
        segments.iter().filter(is_other).collect()
    }
}

/// Finds lines that other files of the months contain, and that the file does not replace. A file
/// with unreadable records is left out; `verify` reports it.
pub(super) fn same_lines(
    compared: &Compared<'_>,
    folder: &Path,
    segments: &[LiveSegment],
    replaces: &[Earlier],
) -> Vec<Finding> {
    let is_replaced = |segment: &LiveSegment| {
        replaces.iter().any(|of| of.vintage == segment.vintage && of.cells.is_none())
    };
    let mut others = compared.others(segments);
    others.retain(|segment| !is_replaced(segment));
    if others.is_empty() {
        return Vec::new();
    }
    let Compared { file, taken, definition } = compared;
    let city_of = |code: &str| definition.places.city(code);
    let Ok((texts, records)) = taken.segment.records(&file.path, &city_of) else {
        return Vec::new();
    };
    let lines = same_lines::lines(&texts, &records);
    let earlier = others.into_iter().filter_map(|other| {
        let read = segment::read(folder, &other.stored, Fields::All, &city_of);
        let (texts, mut records) = read.ok()?;
        other.retain_counting(&mut records);
        same_lines::find(&lines, &same_lines::lines(&texts, &records), &other.name)
    });
    earlier.collect()
}
