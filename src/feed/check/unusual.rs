//! Rare cases: texts outside of the plain form, and lines that are not part of the table.

use super::{Checker, Fault, NoRecord, text_of};
use crate::domain::dictionary::Key;
use crate::domain::record::{Exclusion, Rule};
use crate::domain::types::{Flow, Period};
use crate::feed::columns::Field;
use crate::feed::frame::Line;
use crate::feed::header::{TextLine, texts_of};
use crate::feed::number::{Written, written};
use crate::feed::text::trimmed;

impl Checker<'_> {
    /// The end of a line that breaks a rule: some lines are not part of the table.
    #[cold]
    pub(super) fn rejected(&self, line: &Line<'_>, fault: Fault) -> NoRecord {
        let footer = self.profile.file.footer.as_ref();
        if footer.is_some_and(|footer| footer.matches(&String::from_utf8_lossy(line.raw))) {
            return NoRecord::Footer;
        }
        if !self.cleaning.is_on {
            return fault.into();
        }
        let texts = texts_of(line);
        if texts.iter().all(|text| trimmed(text).is_empty()) {
            return NoRecord::Blank;
        }
        let names = self.header.names();
        let is_header = texts.len() == names.len()
            && texts.iter().zip(names).all(|(text, name)| trimmed(text) == trimmed(name));
        if is_header { NoRecord::Footer } else { fault.into() }
    }

    /// Reads an amount outside of the plain form.
    #[cold]
    pub(super) fn other_value(&mut self, rule: Rule, text: &str) -> Result<i64, NoRecord> {
        let layout = &self.profile.value;
        if !self.cleaning.is_on && layout.thousands.is_none() && layout.missing.is_empty() {
            return Err(self.fault(rule, Field::ValueUsd).into());
        }
        match written(text, layout) {
            Ok(Written::Cents(cents)) => Ok(cents),
            Ok(Written::Rounded(cents)) => {
                self.n_rounded += 1;
                Ok(cents)
            }
            Ok(Written::Missing) => Err(NoRecord::Excluded(Exclusion::Missing)),
            Err(rule) => Err(self.fault(rule, Field::ValueUsd).into()),
        }
    }

    /// The month of a value; a column or the file's name contains the year.
    #[cold]
    pub(super) fn month_of_cell(&self, month: u8, line: &TextLine<'_>) -> Result<Period, Fault> {
        let code = self.code(Field::Period, line)?;
        let year = text_of(&code).get(..4).filter(|_| code.len() == 4 || self.is_of_name());
        let period = year.and_then(|year| Period::new(year.parse().ok()?, month));
        self.within(period.ok_or_else(|| self.fault(Rule::Period, Field::Period))?)
    }

    /// True if the file's name contains the year.
    fn is_of_name(&self) -> bool {
        self.profile.period.from.is_some()
    }

    /// The position of a country by its name.
    #[cold]
    pub(super) fn country_by_name(&mut self, name: &[u8]) -> Option<u32> {
        if !self.cleaning.is_on {
            return None;
        }
        if let Some(position) = self.countries_by_name.get(name) {
            return Some(*position);
        }
        let code = self.places.country_named(text_of(name))?;
        let position = self.new_country(code.as_bytes());
        self.countries_by_name.insert(name.into(), position);
        Some(position)
    }

    /// True if a line with a wrong number of columns has all needed columns: additional fields are
    /// blank, and missing columns have no name.
    #[cold]
    pub(super) fn fits(&self, line: &Line<'_>) -> bool {
        let n = line.fields.len();
        let is_empty = |at: usize| trimmed(&line.fields[at].lossy(line.raw)).is_empty();
        self.cleaning.is_on
            && n >= self.header.n_needed()
            && (self.header.n_columns()..n).all(is_empty)
    }

    #[cold]
    pub(super) fn other_flow(&mut self, line: &TextLine<'_>, text: &[u8]) -> Result<Flow, Fault> {
        let code = self.code(Field::Flow, line)?;
        let is = |codes: &[String]| codes.iter().any(|known| *known.as_bytes() == *code);
        let flow = if is(&self.profile.flow.export) {
            Flow::Export
        } else if is(&self.profile.flow.import) {
            Flow::Import
        } else {
            return Err(self.fault(Rule::Flow, Field::Flow));
        };
        if text.len() <= Key::SHORT_MAX {
            self.flows.push((Key::of(text), flow));
        }
        Ok(flow)
    }
}
