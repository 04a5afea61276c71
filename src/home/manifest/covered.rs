//! The coverage of files that are not simply one month, and the part of it that later files
//! replaced.

use std::collections::BTreeMap;

use rusqlite::{Row, Transaction, params};

use super::Manifest;
use super::rows::{Covered, Replaced};
use super::values::{integer, period, unsigned};
use crate::domain::record::{Coverage, PeriodFlow};
use crate::domain::types::{Flow, Period, Vintage};
use crate::home::error::Result;

pub(super) fn add(
    transaction: &Transaction<'_>,
    vintage: Vintage,
    coverage: &Coverage,
    closed_through: Option<Period>,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO coverage (vintage, first, last, part, closed_through) VALUES (?, ?, ?, ?, ?)",
        params![
            vintage.0,
            coverage.first.as_yyyymm(),
            coverage.last.as_yyyymm(),
            coverage.part,
            closed_through.map(Period::as_yyyymm),
        ],
    )?;
    let sql = "INSERT INTO covered (vintage, period, flow, n) VALUES (?, ?, ?, ?)";
    for ((period, flow), n) in &coverage.records {
        transaction.execute(sql, (vintage.0, period.as_yyyymm(), flow.code(), integer(*n)))?;
    }
    Ok(())
}

pub(super) fn replace(
    transaction: &Transaction<'_>,
    vintage: Vintage,
    cells: &[PeriodFlow],
    by: Vintage,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO replaced (vintage, period, flow, replaced_by) VALUES (?, ?, ?, ?)";
    for (period, flow) in cells {
        transaction.execute(sql, (vintage.0, period.as_yyyymm(), flow.code(), by.0))?;
    }
    Ok(())
}

impl Manifest {
    /// The coverage of each file that is not simply one month.
    pub(super) fn coverages(&self) -> Result<BTreeMap<Vintage, Covered>> {
        let mut coverages = BTreeMap::new();
        if !self.has_notes()? {
            return Ok(coverages);
        }
        let sql = "SELECT vintage, first, last, part, closed_through FROM coverage";
        self.rows("what files cover", sql, [], |row| {
            let closed: Option<u32> = row.get(4)?;
            let covered = Covered {
                first: period(row, 1)?,
                last: period(row, 2)?,
                part: row.get(3)?,
                closed_through: closed.map(|_| period(row, 4)).transpose()?,
                records: BTreeMap::new(),
            };
            coverages.insert(Vintage(row.get(0)?), covered);
            Ok(())
        })?;
        let sql = "SELECT vintage, period, flow, n FROM covered";
        self.rows("the months that files cover", sql, [], |row| {
            if let Some(covered) = coverages.get_mut(&Vintage(row.get(0)?)) {
                covered.records.insert((period(row, 1)?, flow(row, 2)?), unsigned(row, 3)?);
            }
            Ok(())
        })?;
        Ok(coverages)
    }

    /// The replaced months and flows of each file.
    pub(super) fn replaced(&self) -> Result<BTreeMap<Vintage, Vec<Replaced>>> {
        let mut replaced: BTreeMap<Vintage, Vec<Replaced>> = BTreeMap::new();
        if !self.has_notes()? {
            return Ok(replaced);
        }
        let sql = "SELECT vintage, period, flow, replaced_by FROM replaced
                   ORDER BY vintage, period, flow";
        self.rows("what was replaced", sql, [], |row| {
            let cell =
                Replaced { period: period(row, 1)?, flow: flow(row, 2)?, by: Vintage(row.get(3)?) };
            replaced.entry(Vintage(row.get(0)?)).or_default().push(cell);
            Ok(())
        })?;
        Ok(replaced)
    }
}

fn flow(row: &Row<'_>, column: usize) -> rusqlite::Result<Flow> {
    let code = row.get_ref(column)?.as_str()?;
    Ok(if code == Flow::Export.code() { Flow::Export } else { Flow::Import })
}
