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
    /// The median of that share.
    pub largest_share_median: f64,
    /// The standard deviation of that share.
    pub largest_share_sd: f64,
}

/// A figure of the paper and that of the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The table.
    pub table: String,
    /// The year in table 1; empty in table 2.
    pub year: String,
    /// The variable.
    pub variable: String,
    /// The statistic.
    pub statistic: String,
    /// The published figure.
    pub paper: f64,
    /// The figure of the feed; `None` if the feed lacks the year or has no row.
    pub feed: Option<f64>,
}

/// Summary statistics of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Report {
    /// Records by kind.
    pub counts: Counts,
    /// The years, in order.
    pub years: Vec<YearReport>,
    /// The figures of the paper beside those of the feed, if they are its targets.
    pub targets: Vec<Target>,
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
        write_targets(f, &self.targets)
    }
}

/// The lines of the targets.
fn write_targets(f: &mut fmt::Formatter<'_>, targets: &[Target]) -> fmt::Result {
    if targets.is_empty() {
        return Ok(());
    }
    writeln!(f, "tables 1 and 2                                          paper         feed")?;
    for Target { table, year, variable, statistic, paper, feed } in targets {
        let of = if year.is_empty() { variable.clone() } else { format!("{variable} {year}") };
        let feed = feed.map_or_else(|| "-".to_owned(), |feed| format!("{feed:.4}"));
        writeln!(f, "{table}  {of:<38} {statistic:<6} {paper:>12.4} {feed:>12}")?;
    }
    Ok(())
}

/// The sums behind a year's report.
#[derive(Clone, Debug, Default)]
pub struct YearSums {
    firms: u64,
    cells: u64,
    multi_plant_cells: u64,
    /// The share of the largest plant in the exports of each multi-plant firm.
    largest_shares: Vec<f64>,
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
            self.largest_shares.push(largest as f64 / by_plant.iter().sum::<i64>() as f64);
        }
    }

    /// Adds another chunk's sums.
    pub fn add(&mut self, other: Self) {
        self.firms += other.firms;
        self.cells += other.cells;
        self.multi_plant_cells += other.multi_plant_cells;
        self.largest_shares.extend(other.largest_shares);
        self.plants.extend(other.plants);
    }

    /// The report of the year.
    pub fn report(mut self, year: u16, records: u64) -> YearReport {
        let mut plants: Vec<f64> = self.plants.drain(..).map(f64::from).collect();
        let n_firms = plants.len() as u64;
        let [plants_mean, plants_median, plants_sd] = summary(&mut plants);
        let shares = summary(&mut self.largest_shares);
        let [largest_share_mean, largest_share_median, largest_share_sd] = shares;
        YearReport {
            year,
            records,
            firms: self.firms,
            cells: self.cells,
            multi_plant_cells: self.multi_plant_cells,
            multi_plant_firms: n_firms,
            plants_mean,
            plants_median,
            plants_sd,
            largest_share_mean,
            largest_share_median,
            largest_share_sd,
        }
    }
}

/// The mean, the median and the standard deviation; zeros without values.
#[expect(clippy::cast_precision_loss, reason = "numbers of firms are below 2^53")]
fn summary(values: &mut [f64]) -> [f64; 3] {
    if values.is_empty() {
        return [0.0; 3];
    }
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    [mean, f64::midpoint(low, high), (squares / (n - 1.0).max(1.0)).sqrt()]
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
        let largest_shares = vec![0.5, 0.5, 0.6, 0.8];
        let sums = YearSums { plants: vec![5, 2, 3, 2], largest_shares, ..YearSums::default() };
        let year = sums.report(2006, 0);
        assert_eq!((year.plants_mean, year.plants_median, year.plants_sd), (3.0, 2.5, 2f64.sqrt()));
        assert!((year.largest_share_mean - 0.6).abs() < 1e-12);
        assert!((year.largest_share_median - 0.55).abs() < 1e-12);
        assert!((year.largest_share_sd - 0.02_f64.sqrt()).abs() < 1e-12);
    }
}
