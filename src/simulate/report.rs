//! Summary statistics of a simulation.

use std::fmt;

use super::exporting::FirmYear;
use super::places::Places;
use super::population::Firm;
use crate::domain::types::Flow;

/// Records by kind; a record can be of several kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of lines of all files, without headers.
    pub records: u64,
    /// The number of bytes of these lines.
    pub bytes: u64,
    /// The number of exports, without corrections.
    pub exports: u64,
    /// The number of imports, without corrections.
    pub imports: u64,
    /// The number of exports to Hong Kong.
    pub hong_kong: u64,
    /// The number of records of trade intermediaries.
    pub intermediary: u64,
    /// The number of records in the file of a later month.
    pub late: u64,
    /// The number of negative records that withdraw part of another.
    pub amended: u64,
    /// The number of negative records that withdraw all of another.
    pub cancelled: u64,
}

impl Counts {
    /// Adds another chunk's counts.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.exports += other.exports;
        self.imports += other.imports;
        self.hong_kong += other.hong_kong;
        self.intermediary += other.intermediary;
        self.late += other.late;
        self.amended += other.amended;
        self.cancelled += other.cancelled;
    }
}

/// A year of the study's firms: without intermediaries and Hong Kong, before corrections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct YearReport {
    /// The year.
    pub year: u16,
    /// The number of records of the year, for all firms.
    pub records: u64,
    /// The number of firms that export.
    pub firms: u64,
    /// The number of cells: pairs of a plant and a destination of its exports.
    pub cells: u64,
    /// The number of cells of multi-plant firms.
    pub multi_plant_cells: u64,
    /// The number of firms that export from two or more cities.
    pub multi_plant_firms: u64,
    /// The mean number of their plants; 0 without such firms, like all following figures.
    pub plants_mean: f64,
    /// The median number of plants.
    pub plants_median: f64,
    /// The standard deviation of the number of plants.
    pub plants_sd: f64,
    /// The mean share of the largest plant in the firm's exports.
    pub largest_share_mean: f64,
}

/// Summary statistics of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Report {
    /// Records by kind.
    pub counts: Counts,
    /// The years, in order.
    pub years: Vec<YearReport>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { records, exports, imports, late, amended, cancelled, .. } = self.counts;
        writeln!(
            f,
            "{records} records: {exports} exports, {imports} imports, {amended} amended, \
             {cancelled} cancelled; {late} late, {} to Hong Kong, {} of intermediaries",
            self.counts.hong_kong, self.counts.intermediary
        )?;
        writeln!(
            f,
            "year   records   cells  multi-plant  firms  plants mean median   sd  largest"
        )?;
        for year in &self.years {
            let YearReport { year: number, records, cells, multi_plant_cells, .. } = year;
            let YearReport { multi_plant_firms: firms, plants_mean: mean, .. } = year;
            let YearReport { plants_median: median, plants_sd: sd, .. } = year;
            let share = year.largest_share_mean;
            write!(f, "{number}  {records:>8}  {cells:>6}  {multi_plant_cells:>11}  {firms:>5}")?;
            writeln!(f, "  {mean:>11.2} {median:>6.1} {sd:>4.1}  {share:>7.3}")?;
        }
        Ok(())
    }
}

/// The sums behind a year's report.
#[derive(Clone, Debug, Default)]
pub struct YearSums {
    firms: u64,
    cells: u64,
    multi_plant_cells: u64,
    largest_shares: f64,
    /// The number of plants of each multi-plant firm.
    plants: Vec<u32>,
}

impl YearSums {
    /// Adds a firm's year.
    #[expect(clippy::cast_precision_loss, reason = "shares are reported to a few digits")]
    pub fn firm(&mut self, firm: &Firm, places: &Places, year: &FirmYear) {
        let studied = year.cells.iter().filter(|cell| {
            cell.flow == Flow::Export && usize::from(cell.destination) != places.hong_kong()
        });
        if firm.intermediary {
            return;
        }
        let mut by_plant = vec![0_i64; firm.plants.len()];
        let mut cells = 0;
        for cell in studied {
            by_plant[usize::from(cell.plant)] += cell.cents;
            cells += 1;
        }
        self.firms += u64::from(cells > 0);
        self.cells += cells;
        let plants = by_plant.iter().filter(|&&cents| cents > 0).count();
        if plants >= 2 {
            self.multi_plant_cells += cells;
            self.plants.push(u32::try_from(plants).expect("a firm has few plants"));
            let largest = by_plant.iter().copied().max().unwrap_or(0);
            self.largest_shares += largest as f64 / by_plant.iter().sum::<i64>() as f64;
        }
    }

    /// Adds another chunk's sums.
    pub fn add(&mut self, other: Self) {
        self.firms += other.firms;
        self.cells += other.cells;
        self.multi_plant_cells += other.multi_plant_cells;
        self.largest_shares += other.largest_shares;
        self.plants.extend(other.plants);
    }

    /// The report of the year.
    #[expect(clippy::cast_precision_loss, reason = "numbers of firms are below 2^53")]
    pub fn report(mut self, year: u16, records: u64) -> YearReport {
        self.plants.sort_unstable();
        let n = self.plants.len().max(1) as f64;
        let mean = self.plants.iter().map(|&plants| f64::from(plants)).sum::<f64>() / n;
        let squares = self.plants.iter().map(|&plants| (f64::from(plants) - mean).powi(2));
        YearReport {
            year,
            records,
            firms: self.firms,
            cells: self.cells,
            multi_plant_cells: self.multi_plant_cells,
            multi_plant_firms: self.plants.len() as u64,
            plants_mean: mean,
            plants_median: median(&self.plants),
            plants_sd: (squares.sum::<f64>() / (n - 1.0).max(1.0)).sqrt(),
            largest_share_mean: self.largest_shares / n,
        }
    }
}

fn median(sorted: &[u32]) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(f64::from(low), f64::from(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_of_no_multi_plant_firms_reports_zeros() {
        let year = YearSums::default().report(2006, 0);
        assert_eq!(year, YearReport { year: 2006, ..YearReport::default() });
    }

    #[test]
    fn the_plants_of_multi_plant_firms_are_summed_up() {
        let sums =
            YearSums { plants: vec![5, 2, 3, 2], largest_shares: 2.4, ..YearSums::default() };
        let year = sums.report(2006, 0);
        assert_eq!((year.plants_mean, year.plants_median, year.plants_sd), (3.0, 2.5, 2f64.sqrt()));
        assert!((year.largest_share_mean - 0.6).abs() < 1e-12);
    }
}
