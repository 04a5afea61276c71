//! How close a linear feed comes to tables 1 and 2 of the paper.
//!
//! The published figures are in `streams/reference/paper_summary.csv`. Table 1 is compared by the
//! plants of multi-plant firms in its years; table 2 by the moments of the regression's rows.

use std::fmt::Write as _;

use super::linear::Moments;
use super::report::{Target, YearReport};

const SUMMARY: &str = include_str!("../../streams/reference/paper_summary.csv");

/// The targets with the figures of a feed, in the order of the tables.
///
/// # Panics
/// Never: a test reads the published figures.
pub fn targets(years: &[YearReport], moments: &Moments) -> Vec<Target> {
    let rows = csv::Reader::from_reader(SUMMARY.as_bytes()).into_records();
    let target = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("a test reads the figures");
        let [table, year, variable, statistic, paper] =
            std::array::from_fn(|at| row.get(at).unwrap_or_default().to_owned());
        let feed = match year.parse::<u16>() {
            Ok(year) => years
                .iter()
                .find(|of| of.year == year)
                .and_then(|of| of_firms(of, &variable, &statistic)),
            Err(_) => moments.figure(&variable, &statistic),
        };
        let paper = paper.parse().expect("a test reads the figures");
        Target { table, year, variable, statistic, paper, feed }
    };
    rows.map(target).collect()
}

/// A statistic of multi-plant firms; `None` without such firms.
fn of_firms(of: &YearReport, variable: &str, statistic: &str) -> Option<f64> {
    let figure = match (variable, statistic) {
        ("plants", "mean") => of.plants_mean,
        ("plants", "median") => of.plants_median,
        ("plants", "sd") => of.plants_sd,
        ("largest_plant_share", "mean") => of.largest_share_mean,
        ("largest_plant_share", "median") => of.largest_share_median,
        ("largest_plant_share", "sd") => of.largest_share_sd,
        _ => return None,
    };
    (of.multi_plant_firms > 0).then_some(figure)
}

/// The targets as a CSV table.
pub fn csv_of(targets: &[Target]) -> String {
    let mut text = "table,year,variable,statistic,paper,feed\n".to_owned();
    for Target { table, year, variable, statistic, paper, feed } in targets {
        let feed = feed.map_or_else(String::new, |feed| feed.to_string());
        writeln!(text, "{table},{year},{variable},{statistic},{paper},{feed}")
            .expect("writing to memory does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_figure_is_a_target_and_has_a_figure_of_the_feed() {
        let year = |year| YearReport { year, multi_plant_firms: 3, ..YearReport::default() };
        let years = [2000, 2003, 2006, 2009, 2011].map(year);
        let mut moments = Moments::default();
        moments.add([1.0; 9]);
        moments.add([2.0; 9]);
        let all = targets(&years, &moments);
        assert_eq!(all.len(), 66);
        assert!(all.iter().all(|target| target.feed.is_some()), "{all:?}");
        let of_table_2: Vec<&Target> = all.iter().filter(|target| target.table == "2").collect();
        assert_eq!(of_table_2.len(), 36);
        assert!(
            of_table_2.iter().any(|of| of.statistic == "sd" && of.feed == Some(0.5_f64.sqrt()))
        );
        let without = targets(&years[..1], &Moments::default());
        assert_eq!(without.iter().filter(|target| target.feed.is_some()).count(), 6);
    }
}
