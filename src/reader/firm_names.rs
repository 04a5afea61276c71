//! The names of firms, from the counted records.
//!
//! A firm's name can change. The name in the last line of the newest file with a record of the firm
//! counts.

use std::collections::BTreeMap;

use super::{Reader, ReaderError};
use crate::engine::replay::Replay;
use crate::home::segment::Fields;

impl Reader {
    /// The name of each firm with counted records, by identifier. The first call at a publication
    /// reads all records.
    ///
    /// # Errors
    /// [`ReaderError::Engine`] if a segment is missing or damaged.
    pub fn firm_names(&self) -> Result<&BTreeMap<String, String>, ReaderError> {
        if let Some(names) = self.firm_names.get() {
            return Ok(names);
        }
        let names = self.read_firm_names()?;
        Ok(self.firm_names.get_or_init(|| names))
    }

    fn read_firm_names(&self) -> Result<BTreeMap<String, String>, ReaderError> {
        let mut names = BTreeMap::new();
        if self.home.definition()?.is_none() {
            return Ok(names);
        }
        let replay = Replay::open(&self.home)?;
        let mut segments: Vec<_> = replay.segments.iter().collect();
        segments.sort_by_key(|segment| segment.vintage);
        for segment in segments {
            let (texts, records) = replay.read(segment, Fields::All)?;
            let mut newest: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
            for record in &records {
                let of_firm = newest.entry(record.firm).or_default();
                *of_firm = (*of_firm).max((record.line, record.name));
            }
            for (firm, (_, name)) in newest {
                names.insert(texts.firms.text(firm).to_owned(), texts.names.text(name).to_owned());
            }
        }
        Ok(names)
    }
}
