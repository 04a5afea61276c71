//! Identities of states: a history, a year of a table, the figures of spans up to a month.
//!
//! Two states of a home with equal identities have equal rows. A copy of the tables stores them,
//! and reads only rows with another identity.

use super::{Reader, ReaderError};
use crate::domain::sample_end::SampleEnd;
use crate::domain::span::Joint;
use crate::domain::types::{Period, Year};
use crate::home::Publication;
use crate::home::parts::Table;
use crate::regressions::KeptEstimate;
use crate::tables::export::Selection;

/// The digits of an identity.
const DIGITS: usize = 32;

/// The identity of some texts, in order.
fn identity<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let mut hash = blake3::Hasher::new();
    for text in texts {
        hash.update(text.as_ref().as_bytes()).update(&[0]);
    }
    hash.finalize().to_hex()[..DIGITS].to_owned()
}

impl Reader {
    /// The identity of all publications up to one, with their times and files. `None` if the home
    /// does not have the publication.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn history(&self, until: Publication) -> Result<Option<String>, ReaderError> {
        let publications = self.home.publications()?;
        if publications.iter().all(|(of, _)| *of != until) {
            return Ok(None);
        }
        let mut texts = Vec::new();
        for (of, vintage) in publications.into_iter().filter(|(of, _)| *of <= until) {
            let time = self.home.committed_at(of)?.map(|at| at.to_string()).unwrap_or_default();
            texts.push(format!("{of} {vintage} {time}"));
        }
        for file in self.home.files()?.iter().filter(|file| file.publication <= until) {
            texts.push(format!("{} {} {}", file.vintage, file.hash, file.name));
        }
        Ok(Some(identity(texts)))
    }

    /// The identity of everything but records that decides figures: the program, the definition of
    /// the home, and the joint months.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn basis(&self, joint: Joint) -> Result<String, ReaderError> {
        let program = concat!(env!("CARGO_PKG_VERSION"), env!("SPILLOVER_COMMIT"));
        let mut texts = vec![program.to_owned(), format!("{joint:?}")];
        if let Some(definition) = self.home.definition()? {
            texts.push(definition.options);
            for (name, text) in definition.references {
                texts.extend([name, text]);
            }
        }
        Ok(identity(texts))
    }

    /// The years of a published table, each with the identity of its rows under one basis.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn year_identities(&self, table: Table) -> Result<Vec<(Year, String)>, ReaderError> {
        let standing = self.standing(None)?;
        let at = self.table(&standing, table)?;
        Ok(at.years().filter_map(|year| Some((year, at.identity(year)?))).collect())
    }

    /// The months with growth, each with the identity of the figures of its spans under one basis.
    /// A file counts for a month if it has records of that month or of an earlier one.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn month_identities(&self, joint: Joint) -> Result<Vec<(Period, String)>, ReaderError> {
        let months = self.months_with_growth()?;
        if months.is_empty() {
            return Ok(Vec::new());
        }
        let spans = self.spans(None, joint)?;
        Ok(months.into_iter().map(|month| (month, identity(spans.states(month)))).collect())
    }

    /// The stored estimates, each with the end of its sample and its identity.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if an estimate cannot be read.
    pub fn estimate_identities(&mut self) -> Result<Vec<(SampleEnd, String)>, ReaderError> {
        let kept = self.estimates(Selection::default())?;
        let own = |of: &KeptEstimate| format!("{} {}", of.stored.number, of.stale);
        Ok(kept.iter().map(|of| (of.stored.through, own(of))).collect())
    }
}
