//! The content of a home, unit by unit, each with its identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};

use super::copy;
use super::error::Result;
use super::merge::{Rows, WHOLE};
use super::schema::{self, Table};
use crate::domain::sample_end::SampleEnd;
use crate::domain::series::Level;
use crate::domain::span::Joint;
use crate::domain::types::{Period, Year};
use crate::effect::{EffectLevel, EffectRequest, Wanted};
use crate::home::parts;
use crate::reader::Reader;
use crate::reader::chosen::RowChoice;
use crate::reader::names::{Language, PlaceKind};
use crate::reader::rows::{RowRequest, TableName};
use crate::render::regression::{entries, tidy};
use crate::tables::export::Selection;

/// The levels of the table `effects`.
const LEVELS: [Level; 5] =
    [Level::City, Level::Country, Level::IncomeGroup, Level::Nation, Level::Province];

/// Names of units that no reference table has: level, key, Chinese, English.
const UNITS: [[&str; 4]; 5] = [
    ["nation", "all", "全国", "Nation"],
    ["income_group", "H", "高收入", "High income"],
    ["income_group", "UM", "中高收入", "Upper middle income"],
    ["income_group", "LM", "中低收入", "Lower middle income"],
    ["income_group", "L", "低收入", "Low income"],
];

/// What the figures of a home depend on.
pub struct Content {
    joint: Joint,
    basis: String,
    /// The months with growth, each with its identity.
    months: Vec<(Period, String)>,
    /// The stored estimates, each with the end of its sample and its identity.
    estimates: Vec<(SampleEnd, String)>,
}

impl Content {
    /// The content of the newest publication.
    ///
    /// # Errors
    /// [`super::error::SyncError::Reader`] if the home cannot be read.
    pub fn new(reader: &mut Reader, joint: Joint) -> Result<Self> {
        Ok(Self {
            joint,
            basis: reader.basis(joint)?,
            months: reader.month_identities(joint)?,
            estimates: reader.estimate_identities()?,
        })
    }

    /// The units of a table in order, each with its identity.
    ///
    /// # Errors
    /// [`super::error::SyncError::Reader`] if the home cannot be read.
    pub fn units(&self, table: &Table, reader: &mut Reader) -> Result<Vec<(String, String)>> {
        Ok(match table.name {
            "city" => self.years_of(parts::Table::City, reader)?,
            "plant" => self.years_of(parts::Table::Plant, reader)?,
            "months" | "series" => self.years_of_spans(),
            "effects" => self.months_of_effects(),
            _ => {
                let mut bytes = Vec::new();
                copy::rows(&whole(table, reader)?, &mut bytes)?;
                vec![(WHOLE.to_owned(), blake3::hash(&bytes).to_hex().to_string())]
            }
        })
    }

    fn years_of(&self, table: parts::Table, reader: &Reader) -> Result<Vec<(String, String)>> {
        let years = reader.year_identities(table)?.into_iter();
        let unit =
            |(year, own): (Year, String)| (year.to_string(), format!("{} {own}", self.basis));
        Ok(years.map(unit).collect())
    }

    fn years_of_spans(&self) -> Vec<(String, String)> {
        let mut years: BTreeMap<Year, blake3::Hasher> = BTreeMap::new();
        for (month, own) in &self.months {
            years.entry(month.year()).or_default().update(format!("{month} {own} ").as_bytes());
        }
        let unit = |(year, hash): (Year, blake3::Hasher)| {
            (year.to_string(), format!("{} {}", self.basis, hash.finalize().to_hex()))
        };
        years.into_iter().map(unit).collect()
    }

    /// The months of effects. Coefficients of later years do not apply to a month, and those at the
    /// close of a month apply to none.
    fn months_of_effects(&self) -> Vec<(String, String)> {
        let unit = |(month, own): &(Period, String)| {
            let mut hash = blake3::Hasher::new();
            hash.update(format!("{own} {:?}", self.band(*month)).as_bytes());
            let apply =
                |(end, _): &&(SampleEnd, String)| end.is_whole() && end.year() <= month.year();
            for (_, of) in self.estimates.iter().filter(apply) {
                hash.update(of.as_bytes()).update(&[0]);
            }
            (text_of(*month), format!("{} {}", self.basis, hash.finalize().to_hex()))
        };
        self.months.iter().map(unit).collect()
    }

    /// Bands read the closed years again, so the months of the newest year alone have them.
    fn band(&self, month: Period) -> Wanted {
        let newest = self.months.last().map(|(newest, _)| newest.year());
        if newest == Some(month.year()) { Wanted::Yes } else { Wanted::No }
    }

    /// Writes the rows of a unit.
    ///
    /// # Errors
    /// [`super::error::SyncError`] if the home cannot be read, or the server takes no rows.
    pub fn write(
        &self,
        table: &Table,
        unit: &str,
        reader: &mut Reader,
        to: &mut Rows<'_>,
    ) -> Result<()> {
        let name = match table.name {
            "city" => TableName::City,
            "plant" => TableName::Plant,
            "months" => TableName::Months,
            "series" => TableName::Series,
            "effects" => {
                let month = self.months.iter().find(|(month, _)| text_of(*month) == unit);
                let month = month.map(|(month, _)| *month);
                return self.write_effects(month, reader, to);
            }
            _ => return to.write(&whole(table, reader)?),
        };
        let years = unit.parse().map(Year).into_iter().collect();
        let choice = RowChoice { years, ..RowChoice::default() };
        let request = RowRequest { choice, ..RowRequest::of(name, self.joint) };
        reader.rows(&request, |rows| {
            for batch in rows.batches {
                to.write(&batch?)?;
            }
            Ok(())
        })
    }

    fn write_effects(
        &self,
        month: Option<Period>,
        reader: &mut Reader,
        to: &mut Rows<'_>,
    ) -> Result<()> {
        let band = month.map(|month| self.band(month)).unwrap_or_default();
        let levels = LEVELS.map(EffectLevel::Of);
        let (joint, level) = (self.joint, levels[0]);
        let request = EffectRequest { level, month, joint, band, ..EffectRequest::default() };
        let all = match reader.effects_by_level(&request, &levels) {
            // Months before the first estimate, and those of an annual feed.
            Err(error) if error.is_absence() => return Ok(()),
            all => all?,
        };
        for effects in all {
            let (_, rows) = effects.table();
            let columns = rows.schema_ref().fields().iter().enumerate();
            let columns = columns.filter(|(_, field)| field.name() != "vintage");
            let columns: Vec<usize> = columns.map(|(at, _)| at).collect();
            let rows = rows.project(&columns).expect("the columns are there");
            to.write(&rows)?;
        }
        Ok(())
    }
}

fn text_of(month: Period) -> String {
    format!("{}-{:02}", month.year(), month.month())
}

/// The rows of a table that is read as a whole.
fn whole(table: &Table, reader: &mut Reader) -> Result<RecordBatch> {
    Ok(match table.name {
        "files" => reader.files(Selection::default())?.1,
        "vintages" => vintage_rows(reader)?,
        "names" => name_rows(reader)?,
        _ => {
            let kept = reader.estimates(Selection::default())?;
            tidy::rows(&kept.iter().map(entries::of_kept).collect::<Vec<_>>()).1
        }
    })
}

fn vintage_rows(reader: &Reader) -> Result<RecordBatch> {
    let all = reader.vintages()?;
    let texts = |of: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(of)) };
    let times = all.iter().map(|of| of.committed_at.map(jiff::Timestamp::as_microsecond));
    let times = times.collect::<TimestampMicrosecondArray>().with_timezone("+00:00");
    let numbers = |of: Vec<Option<u32>>| -> ArrayRef { Arc::new(UInt32Array::from(of)) };
    let columns: Vec<ArrayRef> = vec![
        numbers(all.iter().map(|of| Some(of.vintage.0)).collect()),
        numbers(all.iter().map(|of| Some(of.publication.0)).collect()),
        Arc::new(times),
        texts(all.iter().map(|of| of.file.as_deref()).collect()),
        numbers(all.iter().map(|of| of.month.map(Period::as_yyyymm)).collect()),
        texts(all.iter().map(|of| of.supersedes.as_deref()).collect()),
        texts(all.iter().map(|of| of.withdraws.as_deref()).collect()),
    ];
    Ok(RecordBatch::try_new(schema::vintages().schema, columns).expect("columns fit their schema"))
}

fn name_rows(reader: &Reader) -> Result<RecordBatch> {
    let of_home = reader.names()?;
    let mut rows: BTreeMap<[String; 2], [Option<String>; 2]> = BTreeMap::new();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for [level, key, chinese, english] in UNITS {
        rows.insert([level.to_owned(), key.to_owned()], [given(chinese), given(english)]);
    }
    for (level, kind) in [("city", PlaceKind::City), ("country", PlaceKind::Country)] {
        for of in of_home.entries(kind) {
            let names = [given(of.chinese), given(of.english)];
            rows.insert([level.to_owned(), of.code.to_owned()], names);
        }
    }
    for code in of_home.province_codes() {
        let name = |language| of_home.province(code, language).and_then(given);
        let names = [name(Language::Chinese), name(Language::English)];
        rows.insert(["province".to_owned(), code.to_owned()], names);
    }
    let keys = |at: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.keys().map(|key| &key[at])))
    };
    let names = |at: usize| -> ArrayRef {
        Arc::new(rows.values().map(|of| of[at].as_deref()).collect::<StringArray>())
    };
    let columns = vec![keys(0), keys(1), names(0), names(1)];
    Ok(RecordBatch::try_new(schema::names().schema, columns).expect("columns fit their schema"))
}
